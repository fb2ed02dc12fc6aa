/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hooks/runtime_call.h"

/* Options with a value, which may be the next argument; all others have none, or have it behind a
 * "=". runc takes each with one dash as well as two. */
static const char *const with_value[] = {
    /* before the command */
    "log", "log-format", "log-level", "root", "criu", "rootless", "cgroup-manager",
    /* of create and run */
    "bundle", "b", "config", "f", "console-socket", "pid-file", "preserve-fds"};

struct option {
    const char *name;
    size_t length;
    const char *value; /* NULL: none behind a "=" */
};

/* Whether the argument is an option. */
static bool read_option(const char *argument, struct option *ret)
{
    if (argument[0] != '-' || !argument[1] || streq(argument, "--"))
        return false;
    argument += argument[1] == '-' ? 2 : 1;
    size_t length = strcspn(argument, "=");
    *ret = (struct option){.name = argument,
                           .length = length,
                           .value = argument[length] ? argument + length + 1 : NULL};
    return true;
}

static bool is_named(const struct option *option, const char *name)
{
    return strlen(name) == option->length && strncmp(option->name, name, option->length) == 0;
}

static bool takes_value(const struct option *option)
{
    for (size_t i = 0; i < ARRAY_SIZE(with_value); i++)
        if (is_named(option, with_value[i]))
            return true;
    return false;
}

static void note_option(struct runtime_call *call, const struct option *option)
{
    if (!option->value)
        return;
    if (!call->command && is_named(option, "log"))
        call->log = option->value;
    else if (!call->command && is_named(option, "log-format"))
        call->log_is_json = streq(option->value, "json");
    else if (call->command && (is_named(option, "bundle") || is_named(option, "b")))
        call->bundle = option->value;
    else if (call->command && (is_named(option, "config") || is_named(option, "f")))
        call->config = option->value;
}

/* crun's "-bDIR": a letter with its value behind it. */
static bool read_short(const char *argument, struct option *ret)
{
    if (argument[0] != '-' || !argument[1] || !strchr("bf", argument[1]) || !argument[2] ||
        argument[2] == '=' || !strncmp(argument, "-bundle", 7))
        return false;
    *ret = (struct option){.name = argument + 1, .length = 1, .value = argument + 2};
    return true;
}

struct runtime_call runtime_call_read(const char *const *arguments)
{
    struct runtime_call call = {.bundle = ".", .config = "config.json"};
    bool options_end = false;
    for (; *arguments; arguments++) {
        struct option option;
        if (!options_end && streq(*arguments, "--")) {
            options_end = true;
        } else if (!options_end && call.command && read_short(*arguments, &option)) {
            note_option(&call, &option);
        } else if (!options_end && read_option(*arguments, &option)) {
            if (!option.value && takes_value(&option) && arguments[1])
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
