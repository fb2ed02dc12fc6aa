/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_value.h"

#include <ctype.h>
#include <errno.h>

#include "base/text.h"
#include "model/rule_substitute.h"

struct compilation {
    struct rule_set *rules;
    const struct rule_expression *expression;
    struct rule_token *token;
    struct rule_fault *fault;
};

#define FAIL(compilation, ...)                                                                     \
    rule_fault_set((compilation)->fault, (compilation)->expression->at_value, __VA_ARGS__)

static int copy(struct compilation *c, const char *text, const char **ret)
{
    *ret = rule_set_copy(c->rules, text, strlen(text));
    return *ret ? 0 : -ENOMEM;
}

static int compile_glob(struct compilation *c, const char *pattern)
{
    char *text = rule_set_copy(c->rules, pattern, strlen(pattern));
    if (!text)
        return -ENOMEM;
    c->token->glob = rule_glob_compile(text, c->expression->ignore_case);
    return 0;
}

/* "label:KEY=GLOB", or a glob over names. */
static int compile_container(struct compilation *c)
{
    const char *value = c->expression->value;
    bool resets = c->token->op == RULE_SET || c->token->op == RULE_FINAL;
    if (value[0] == '\0' && !resets)
        return FAIL(c, "CONTAINER needs the name of a container, a glob, or label:KEY=GLOB");

    const char *label = after_prefix(value, "label:");
    if (!label)
        return strstr(value, "label:")
                   ? FAIL(c, "label: has to be the first word of the value, and the only one")
                   : compile_glob(c, value);
    const char *equals = strchr(label, '=');
    if (!equals || equals == label)
        return FAIL(c, "a label is written label:KEY=GLOB");
    c->token->argument = rule_set_copy(c->rules, label, (size_t)(equals - label));
    return c->token->argument ? compile_glob(c, equals + 1) : -ENOMEM;
}

/* Properties that say something of one event: rules judge devices, whatever event they came with.
 */
static bool is_of_event_alone(const char *key)
{
    return streq(key, "DEVPATH_OLD") || streq(key, "SEQNUM") || after_prefix(key, "SYNTH_");
}

/* What the kernel and udev say of the device: nothing that rules may contradict. */
static bool is_read_only(const char *key)
{
    static const char *const KEYS[] = {"ACTION",  "DEVLINKS",  "DEVNAME", "DEVPATH",
                                       "DEVTYPE", "DRIVER",    "IFINDEX", "MAJOR",
                                       "MINOR",   "SUBSYSTEM", "TAGS",    "CURRENT_TAGS"};
    for (size_t i = 0; i < ARRAY_SIZE(KEYS); i++)
        if (streq(key, KEYS[i]))
            return true;
    return false;
}

static bool is_property_name(const char *key)
{
    for (const char *c = key; *c; c++)
        if (!isgraph((unsigned char)*c) || *c == '=')
            return false;
    return key[0] != '\0';
}

static int compile_argument(struct compilation *c)
{
    struct rule_token *token = c->token;
    const char *argument = c->expression->argument;
    if (!token->info->argument)
        return argument ? rule_fault_set(c->fault, c->expression->at, "%s takes no {...}",
                                         token->info->name)
                        : 0;
    if (!argument || argument[0] == '\0')
        return rule_fault_set(c->fault, c->expression->at, "%s needs a name: %s{name}",
                              token->info->name, token->info->name);
    if (token->info->key == RULE_KEY_ENV && !is_property_name(argument))
        return rule_fault_set(c->fault, c->expression->at, "{%s} is no name of a property",
                              argument);
    if (token->info->key == RULE_KEY_ENV && is_of_event_alone(argument))
        return rule_fault_set(c->fault, c->expression->at,
                              "%s belongs to one event; rules judge devices", argument);
    if (token->info->key != RULE_KEY_ENV && strpbrk(argument, "[$%"))
        return rule_fault_set(c->fault, c->expression->at,
                              "%s of another device, or with a substitution in its name, is not "
                              "supported in this version",
                              token->info->name);
    if (token->info->key != RULE_KEY_ENV && argument[0] == '/')
        return rule_fault_set(c->fault, c->expression->at,
                              "%s names a file below the device's directory in sysfs",
                              token->info->name);
    return copy(c, argument, &token->argument);
}

/* Checks a path that may still hold substitutions: what is literal of it must lie below /dev. */
static int check_path(struct compilation *c, const char *path, size_t length)
{
    static const char DEV[] = "/dev/";
    size_t dev = sizeof(DEV) - 1;
    if (length == 0 || (path[0] == '/' && length <= dev))
        return FAIL(c, "%s needs a path below /dev", c->token->info->name);
    if (path[0] == '/' && strncmp(path, DEV, dev) != 0)
        return FAIL(c, "%s must lie below /dev", c->token->info->name);

    for (const char *part = path, *end = path + length; part < end;) {
        const char *slash = memchr(part, '/', (size_t)(end - part));
        size_t bytes = (size_t)((slash ? slash : end) - part);
        if ((bytes == 1 && part[0] == '.') || (bytes == 2 && part[0] == '.' && part[1] == '.'))
            return FAIL(c, "%s must not have . or .. in it", c->token->info->name);
        if ((bytes == 0 && part != path) || (slash && slash + 1 == end))
            return FAIL(c, "%s has an empty name between two /", c->token->info->name);
        part += bytes + 1;
    }
    return 0;
}

static int check_symlinks(struct compilation *c)
{
    const char *value = c->expression->value;
    size_t found = 0;
    for (value += strspn(value, " \t"); *value; value += strspn(value, " \t")) {
        size_t length = strcspn(value, " \t");
        int r = check_path(c, value, length);
        if (r < 0)
            return r;
        value += length;
        found++;
    }
    if (found > SHARE_SYMLINKS_MAX)
        return FAIL(c, "SYMLINK takes %d links at most", SHARE_SYMLINKS_MAX);
    bool resets = c->token->op == RULE_SET || c->token->op == RULE_FINAL;
    return found > 0 || resets ? 0 : FAIL(c, "SYMLINK needs a name below /dev");
}

/* A number, or a name as useradd(8) lets it be: the container's own files say who that is. */
static int check_name(struct compilation *c)
{
    const char *value = c->expression->value;
    if (value[0] == '\0')
        return FAIL(c, "%s needs a number or a name", c->token->info->name);
    for (const char *p = value; *p && !rule_substitute_needed(value); p++)
        if (isspace((unsigned char)*p) || *p == ':' || *p == '/')
            return FAIL(c, "%s needs a number, or a name without blanks, : and /",
                        c->token->info->name);
    return 0;
}

static int compile_mode(struct compilation *c)
{
    uint64_t mode;
    if (text_to_octal(c->expression->value, 07777, &mode) < 0)
        return FAIL(c, "MODE is an octal number up to 7777, such as 0660");
    c->token->number = (unsigned)mode;
    return 0;
}

static int compile_access(struct compilation *c)
{
    unsigned access = 0;
    for (const char *p = c->expression->value; *p; p++) {
        unsigned bit = *p == 'r'   ? ACCESS_READ
                       : *p == 'w' ? ACCESS_WRITE
                       : *p == 'm' ? ACCESS_MKNOD
                                   : 0u;
        if (bit == 0 || (access & bit))
            return FAIL(c, "ACCESS is made of r, w and m, each once at most");
        access |= bit;
    }
    c->token->number = access;
    return access ? 0 : FAIL(c, "ACCESS needs at least one of r, w and m");
}

static unsigned option_of(const char *word, size_t length)
{
    static const struct {
        const char *name;
        unsigned option;
    } OPTIONS[] = {
        {"subtree", OPTION_SUBTREE},
        {"exclusive", OPTION_EXCLUSIVE},
        {"no_node", OPTION_NO_NODE},
        {"no_event", OPTION_NO_EVENT},
        {"dangerous", OPTION_DANGEROUS},
        {"last_rule", RULE_OPTION_LAST_RULE},
        {"string_escape=none", RULE_OPTION_ESCAPE_NONE},
        {"string_escape=replace", RULE_OPTION_ESCAPE_REPLACE},
    };
    for (size_t i = 0; i < ARRAY_SIZE(OPTIONS); i++)
        if (strlen(OPTIONS[i].name) == length && memcmp(OPTIONS[i].name, word, length) == 0)
            return OPTIONS[i].option;
    return 0;
}

/* Words between blanks or commas. */
static int compile_options(struct compilation *c)
{
    static const char SEPARATORS[] = " \t,";
    const char *value = c->expression->value;
    for (value += strspn(value, SEPARATORS); *value; value += strspn(value, SEPARATORS)) {
        size_t length = strcspn(value, SEPARATORS);
        unsigned option = option_of(value, length);
        if (option == 0)
            return FAIL(c,
                        "\"%.*s\" is no option: there are subtree, exclusive, no_node, no_event, "
                        "dangerous, last_rule, string_escape=none and string_escape=replace",
                        length > 40 ? 40 : (int)length, value);
        if (option > RULE_OPTION_SHARE_MASK && c->token->op == RULE_REMOVE)
            return FAIL(c, "\"%.*s\" is not kept, so it cannot be taken away", (int)length, value);
        c->token->number |= option;
        value += length;
    }
    bool resets = c->token->op == RULE_SET || c->token->op == RULE_FINAL;
    return c->token->number || resets ? 0 : FAIL(c, "OPTIONS needs an option");
}

static int check_format(struct compilation *c)
{
    char reason[128];
    for (const char *p = c->expression->value; *p; p++)
        if (iscntrl((unsigned char)*p))
            return FAIL(c, "a control character cannot be assigned");
    return rule_substitute_check(c->expression->value, reason, sizeof(reason))
               ? copy(c, c->expression->value, &c->token->value)
               : FAIL(c, "%s", reason);
}

static int compile_match(struct compilation *c)
{
    if (c->token->info->key == RULE_KEY_CONTAINER)
        return compile_container(c);
    return compile_glob(c, c->expression->value);
}

static int check_env_assignment(struct compilation *c)
{
    if (is_read_only(c->token->argument))
        return rule_fault_set(c->fault, c->expression->at, "%s is the kernel's or udev's to set",
                              c->token->argument);
    return 0;
}

static int compile_assignment(struct compilation *c)
{
    int r = 0;
    switch (c->token->info->key) {
    case RULE_KEY_CONTAINER:
        return compile_container(c);
    case RULE_KEY_MODE:
        return compile_mode(c);
    case RULE_KEY_ACCESS:
        return compile_access(c);
    case RULE_KEY_OPTIONS:
        return compile_options(c);
    case RULE_KEY_NODE:
        r = check_path(c, c->expression->value, strlen(c->expression->value));
        break;
    case RULE_KEY_SYMLINK:
        r = check_symlinks(c);
        break;
    case RULE_KEY_OWNER:
    case RULE_KEY_GROUP:
        r = check_name(c);
        break;
    case RULE_KEY_ENV:
        r = check_env_assignment(c);
        break;
    case RULE_KEY_GOTO:
    case RULE_KEY_LABEL:
        return c->expression->value[0] ? copy(c, c->expression->value, &c->token->value)
                                       : FAIL(c, "%s needs a name", c->token->info->name);
    case RULE_KEY_NONE:
    case RULE_KEY_ACTION:
    case RULE_KEY_DEVPATH:
    case RULE_KEY_KERNEL:
    case RULE_KEY_SUBSYSTEM:
    case RULE_KEY_DRIVER:
    case RULE_KEY_ATTR:
    case RULE_KEY_KERNELS:
    case RULE_KEY_SUBSYSTEMS:
    case RULE_KEY_DRIVERS:
    case RULE_KEY_ATTRS:
        return 0; /* rule_key_takes() lets no assignment to these through */
    }
    return r < 0 ? r : check_format(c);
}

int rule_value_compile(struct rule_set *rules, const struct rule_expression *expression,
                       struct rule_token *token, struct rule_fault *ret_fault)
{
    struct compilation c = {rules, expression, token, ret_fault};
    bool is_match = rule_operator_is_match(token->op);
    if (expression->ignore_case && !is_match && token->info->key != RULE_KEY_CONTAINER)
        return FAIL(&c, "i\"...\" is for matches: %s is assigned here", token->info->name);
    int r = compile_argument(&c);
    if (r < 0)
        return r;
    return is_match ? compile_match(&c) : compile_assignment(&c);
}
