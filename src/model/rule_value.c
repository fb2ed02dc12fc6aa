/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_value.h"

#include <ctype.h>
#include <errno.h>

#include "base/text.h"
#include "model/rule_reference.h"
#include "model/rule_substitute.h"
#include "model/rule_udev.h"

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
    bool nobody = c->token->op == RULE_SET || c->token->op == RULE_FINAL;
    if (value[0] == '\0' && !nobody)
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

#define FAIL_KEY(compilation, ...)                                                                 \
    rule_fault_set((compilation)->fault, (compilation)->expression->at, __VA_ARGS__)

static int check_property_name(struct compilation *c, const char *name)
{
    if (!is_property_name(name))
        return FAIL_KEY(c, "{%s} is no name of a property", name);
    if (is_of_event_alone(name))
        return FAIL_KEY(c, "%s belongs to one event; rules judge devices", name);
    bool reads = rule_operator_is_match(c->token->op) || c->token->op == RULE_ADD;
    c->token->reads_udev = reads && rule_udev_knows(name, strlen(name));
    return 0;
}

/* The substitutions of a value, or of the name between braces. */
static void note_needs(struct compilation *c, const char *format)
{
    struct rule_substitute_needs needs = rule_substitute_needs(format);
    c->token->reads_udev |= needs.udev;
    c->token->reads_parent |= needs.parent;
}

/* Of an attribute or a sysctl: it may have substitutions in it. */
static int check_file_name(struct compilation *c, const char *name)
{
    char reason[128];
    struct rule_reference reference;
    bool is_attribute = c->token->info->key != RULE_KEY_SYSCTL;
    if (is_attribute && name[0] == '/')
        return FAIL_KEY(c, "%s names a file below the device's directory in sysfs",
                        c->token->info->name);
    if (is_attribute && rule_reference_is(name) &&
        (!rule_reference_read(name, &reference) || reference.attribute[0] == '\0'))
        return FAIL_KEY(c, "another device's attribute is written %s{[SUBSYSTEM/NAME]ATTRIBUTE}",
                        c->token->info->name);
    if (!rule_substitute_check(name, reason, sizeof(reason)))
        return FAIL_KEY(c, "%s", reason);
    c->token->substitutes = rule_substitute_needed(name);
    note_needs(c, name);
    return 0;
}

/* TEST{mask} */
static int read_mask(struct compilation *c, const char *text)
{
    uint64_t mask;
    if (text_to_octal(text, 07777, &mask) < 0)
        return FAIL_KEY(c, "the mask of TEST is an octal number up to 7777, such as 0222");
    if (mask == 0)
        return FAIL_KEY(c, "no file has a bit of an empty mask");
    c->token->number = (unsigned)mask;
    return 0;
}

static int check_argument(struct compilation *c, const char *argument)
{
    switch (c->token->info->key) {
    case RULE_KEY_ENV:
        return check_property_name(c, argument);
    case RULE_KEY_ATTR:
    case RULE_KEY_ATTRS:
    case RULE_KEY_SYSCTL:
        return check_file_name(c, argument);
    case RULE_KEY_TEST:
        return read_mask(c, argument);
    case RULE_KEY_CONST:
        return streq(argument, "arch") || streq(argument, "virt")
                   ? 0
                   : FAIL_KEY(c, "there are CONST{arch} and CONST{virt}");
    case RULE_KEY_NONE:
    case RULE_KEY_ACTION:
    case RULE_KEY_DEVPATH:
    case RULE_KEY_KERNEL:
    case RULE_KEY_SUBSYSTEM:
    case RULE_KEY_DRIVER:
    case RULE_KEY_TAG:
    case RULE_KEY_KERNELS:
    case RULE_KEY_SUBSYSTEMS:
    case RULE_KEY_DRIVERS:
    case RULE_KEY_TAGS:
    case RULE_KEY_CONTAINER:
    case RULE_KEY_NODE:
    case RULE_KEY_NAME:
    case RULE_KEY_SYMLINK:
    case RULE_KEY_OWNER:
    case RULE_KEY_GROUP:
    case RULE_KEY_MODE:
    case RULE_KEY_ACCESS:
    case RULE_KEY_OPTIONS:
    case RULE_KEY_GOTO:
    case RULE_KEY_LABEL:
        return 0; /* they take none */
    }
    return 0;
}

static int compile_argument(struct compilation *c)
{
    const struct rule_key_info *info = c->token->info;
    const char *argument = c->expression->argument;
    if (info->argument == RULE_ARGUMENT_NONE && argument)
        return FAIL_KEY(c, "%s takes no {...}", info->name);
    if (info->argument == RULE_ARGUMENT_NEEDED && (!argument || argument[0] == '\0'))
        return FAIL_KEY(c, "%s needs a name: %s{name}", info->name, info->name);
    if (!argument)
        return 0;
    int r = check_argument(c, argument);
    return r < 0 ? r : copy(c, argument, &c->token->argument);
}

static int check_node(struct compilation *c)
{
    struct refusal why;
    const char *value = c->expression->value;
    return rule_literal_path("NODE", value, strlen(value), &why) < 0 ? FAIL(c, "%s", why.text) : 0;
}

static bool resets(const struct compilation *c)
{
    return c->token->op == RULE_SET || c->token->op == RULE_FINAL;
}

static int check_symlinks(struct compilation *c)
{
    struct refusal why;
    size_t count;
    if (rule_literal_paths("SYMLINK", c->expression->value, &count, &why) < 0)
        return FAIL(c, "%s", why.text);
    return count > 0 || resets(c) ? 0 : FAIL(c, "SYMLINK needs a name below /dev");
}

/* What has substitutions in it can only be judged when a device comes. */
static int check_literal(struct compilation *c)
{
    struct refusal why = {0};
    const char *value = c->expression->value;
    bool formed = rule_substitute_needed(value) && value[0];
    if (!formed && c->token->info->key == RULE_KEY_NAME)
        (void)rule_literal_interface(value, &why);
    else if (!formed)
        (void)rule_literal_owner(c->token->info->name, value, &why);
    return why.error ? FAIL(c, "%s", why.text) : 0;
}

static int compile_mode(struct compilation *c)
{
    struct refusal why;
    return rule_literal_mode(c->expression->value, &c->token->number, &why) < 0
               ? FAIL(c, "%s", why.text)
               : 0;
}

static int compile_access(struct compilation *c)
{
    struct refusal why;
    return rule_literal_access(c->expression->value, &c->token->number, &why) < 0
               ? FAIL(c, "%s", why.text)
               : 0;
}

static int compile_options(struct compilation *c)
{
    struct refusal why;
    struct rule_options options;
    if (rule_literal_options(c->expression->value, &options, &why) < 0)
        return FAIL(c, "%s", why.text);
    if (options.bits > RULE_OPTION_SHARE_MASK && c->token->op == RULE_REMOVE)
        return FAIL(c, "only words such as subtree are kept, and can be taken away");
    c->token->number = options.bits;
    c->token->link_priority = options.link_priority;
    return options.bits || resets(c) ? 0 : FAIL(c, "OPTIONS needs an option");
}

/* A value with substitutions in it, kept as it is. */
static int compile_format(struct compilation *c)
{
    char reason[128];
    const char *value = c->expression->value;
    for (const char *p = value; *p; p++)
        if (iscntrl((unsigned char)*p))
            return FAIL(c, "a control character cannot be in this value");
    if (!rule_substitute_check(value, reason, sizeof(reason)))
        return FAIL(c, "%s", reason);
    note_needs(c, value);
    return copy(c, value, &c->token->value);
}

static int compile_test(struct compilation *c)
{
    if (c->expression->value[0] == '\0')
        return FAIL(c, "TEST needs the path of a file");
    if (c->expression->ignore_case)
        return FAIL(c, "i\"...\" is for values: TEST names a file");
    return compile_format(c);
}

static int compile_match(struct compilation *c)
{
    enum rule_key key = c->token->info->key;
    if (key == RULE_KEY_CONTAINER)
        return compile_container(c);
    if (key == RULE_KEY_TEST)
        return compile_test(c);
    c->token->reads_udev |= key == RULE_KEY_TAG || key == RULE_KEY_TAGS || key == RULE_KEY_SYMLINK;
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
        r = check_node(c);
        break;
    case RULE_KEY_SYMLINK:
        r = check_symlinks(c);
        break;
    case RULE_KEY_NAME:
    case RULE_KEY_OWNER:
    case RULE_KEY_GROUP:
        r = check_literal(c);
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
    case RULE_KEY_SYSCTL:
    case RULE_KEY_CONST:
    case RULE_KEY_TAG:
    case RULE_KEY_TEST:
    case RULE_KEY_KERNELS:
    case RULE_KEY_SUBSYSTEMS:
    case RULE_KEY_DRIVERS:
    case RULE_KEY_ATTRS:
    case RULE_KEY_TAGS:
        return 0; /* rule_key_takes() lets no assignment to these through */
    }
    return r < 0 ? r : compile_format(c);
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
