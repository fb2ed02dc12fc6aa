/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_reach.h"

#include "model/rule_reference.h"

/* Whether the match is about the device, and not only about the host, the container or the event.
 */
static bool is_about_device(const struct rule_token *token)
{
    enum rule_key key = token->info->key;
    if (key == RULE_KEY_ATTR || key == RULE_KEY_ATTRS)
        return !rule_reference_is(token->argument);
    if (key == RULE_KEY_TEST)
        return token->value[0] != '/' && !rule_reference_is(token->value);
    if (key == RULE_KEY_ENV)
        return !streq(token->argument, "ACTION");
    return key != RULE_KEY_ACTION && key != RULE_KEY_CONTAINER && key != RULE_KEY_CONST &&
           key != RULE_KEY_SYSCTL;
}

/* The few devices without a subsystem are of no concern here: they have no node. */
static bool is_never_empty(const struct rule_token *token)
{
    enum rule_key key = token->info->key;
    return key == RULE_KEY_KERNEL || key == RULE_KEY_KERNELS || key == RULE_KEY_DEVPATH ||
           key == RULE_KEY_SUBSYSTEM || key == RULE_KEY_SUBSYSTEMS ||
           (key == RULE_KEY_ENV &&
            (streq(token->argument, "DEVPATH") || streq(token->argument, "SUBSYSTEM")));
}

/* Whether what is not there is compared as the empty string. */
static bool is_empty_where_absent(const struct rule_token *token)
{
    enum rule_key key = token->info->key;
    return key == RULE_KEY_DRIVER || key == RULE_KEY_DRIVERS || key == RULE_KEY_ENV ||
           key == RULE_KEY_NAME;
}

/* "*", and where there always is a name, "?*". */
static bool is_open(const struct rule_token *token, const char *alternative)
{
    const char *wildcards = is_never_empty(token) ? "*?" : "*";
    return strchr(alternative, '*') && alternative[strspn(alternative, wildcards)] == '\0';
}

static bool any_alternative_is_open(const struct rule_token *token)
{
    const char *alternative = token->glob.alternatives;
    for (size_t i = 0; i < token->glob.count; i++, alternative = rule_glob_next(alternative))
        if (is_open(token, alternative))
            return true;
    return false;
}

static bool all_alternatives_are_empty(const struct rule_token *token)
{
    const char *alternative = token->glob.alternatives;
    for (size_t i = 0; i < token->glob.count; i++, alternative = rule_glob_next(alternative))
        if (alternative[0])
            return false;
    return true;
}

/* Files that the driver core makes for every device. */
static bool tests_what_is_always_there(const struct rule_token *token)
{
    static const char *const FILES[] = {"uevent", "subsystem", "power", "."};
    for (size_t i = 0; i < ARRAY_SIZE(FILES); i++)
        if (streq(token->value, FILES[i]))
            return token->op == RULE_EQUAL;
    return false;
}

static bool is_met_by_every_device(const struct rule_token *token)
{
    if (token->info->key == RULE_KEY_TEST)
        return tests_what_is_always_there(token);
    if (token->op == RULE_NOT_EQUAL)
        return is_never_empty(token) && all_alternatives_are_empty(token);
    return (is_never_empty(token) || is_empty_where_absent(token)) &&
           any_alternative_is_open(token);
}

enum rule_reach rule_reach(const struct rule *rule)
{
    enum rule_reach reach = RULE_REACH_UNSAID;
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_TEST);
    for (const struct rule_token *token = rule->tokens; token < end; token++) {
        if (!is_about_device(token))
            continue;
        if (!is_met_by_every_device(token))
            return RULE_REACH_SOME;
        reach = RULE_REACH_EVERY;
    }
    return reach;
}
