/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hooks/runtime_call.h"

/* Options with a value, which may be the next argument; all others have none, or have it behind a
 * "=". */
static const char *const with_value[] = {
    /* before the command */
    "log", "log-format", "log-level", "root", "criu", "rootless", "cgroup-manager",
    /* of create and run */
    "b", "bundle", "f", "config", "console-socket", "pid-file", "pidfd-socket", "preserve-fds"};

struct option {
    const char *name;  /* in `with_value`; NULL: of no interest */
    const char *value; /* NULL: none behind it */
};

/* crun takes the beginning of a name for all of it, where only one begins so. Where more do it
 * takes none of them, and says so. */
static const char *find_name(const char *text, size_t length)
{
    const char *begins = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(with_value); i++) {
        if (length == 0 || strncmp(with_value[i], text, length) != 0)
            continue;
        if (!with_value[i][length])
            return with_value[i];
        if (!begins)
            begins = with_value[i];
    }
    return begins;
}

/* crun's letters in one word: -bDIR, -dbDIR. runc has names there: -bundle=DIR, -b=DIR. */
static bool read_letters(const char *word, struct option *ret)
{
    const char *letter = word + strspn(word, "d");
    if ((*letter != 'b' && *letter != 'f') || letter[1] == '=' || after_prefix(word, "bundle"))
        return false;
    *ret = (struct option){.name = find_name(letter, 1), .value = letter[1] ? letter + 1 : NULL};
    return true;
}

/* Whether the argument is an option. runc takes a name with one dash as well as with two. */
static bool read_option(const char *argument, struct option *ret)
{
    if (argument[0] != '-' || !argument[1])
        return false;
    const char *word = argument + (argument[1] == '-' ? 2 : 1);
    size_t length = strcspn(word, "=");
    if (argument[1] == '-' || !read_letters(word, ret))
        *ret = (struct option){.name = find_name(word, length),
                               .value = word[length] ? word + length + 1 : NULL};
    return true;
}

/* crun takes "config.json" for the bundle's, and any other path from where it is called. */
static void note_config(struct runtime_call *call, const char *path)
{
    call->config = streq(path, "config.json") ? NULL : path;
}

static void note_option(struct runtime_call *call, const struct option *option)
{
    if (!option->name || !option->value)
        return;
    if (!call->command && streq(option->name, "log"))
        call->log = option->value;
    else if (!call->command && streq(option->name, "log-format"))
        call->log_is_json = streq(option->value, "json");
    else if (call->command && *option->name == 'b')
        call->bundle = *option->value ? option->value : ".";
    else if (call->command && (streq(option->name, "config") || streq(option->name, "f")))
        note_config(call, option->value);
}

struct runtime_call runtime_call_read(const char *const *arguments)
{
    struct runtime_call call = {.bundle = "."};
    bool options_end = false;
    for (; *arguments; arguments++) {
        struct option option;
        if (!options_end && streq(*arguments, "--")) {
            options_end = true;
        } else if (!options_end && read_option(*arguments, &option)) {
            if (option.name && !option.value && arguments[1])
                option.value = *++arguments;
            note_option(&call, &option);
        } else if (!call.command) {
            call.command = *arguments;
        } else if (!call.id) {
            call.id = *arguments;
        }
    }
    return call;
}

bool runtime_call_creates(const struct runtime_call *call)
{
    return call->id && call->command &&
           (streq(call->command, "create") || streq(call->command, "run"));
}
