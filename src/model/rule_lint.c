/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_lint.h"

#include "model/rule_contradiction.h"
#include "model/rule_reference.h"

/* A CONTAINER assignment that gives, or NULL. `CONTAINER=""` only takes. */
static const struct rule_token *find_giver(const struct rule *rule)
{
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_CONTAINER);
    for (const struct rule_token *t = rule_group_begin(rule, RULE_GROUP_CONTAINER); t < end; t++)
        if (t->op != RULE_REMOVE && (t->argument || t->glob.count > 1 || t->glob.alternatives[0]))
            return t;
    return NULL;
}

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

static bool asks_for_device(const struct rule *rule)
{
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_TEST);
    for (const struct rule_token *t = rule->tokens; t < end; t++)
        if (is_about_device(t))
            return true;
    return false;
}

/* An ACTION match that "add" does not meet, or NULL. */
static const struct rule_token *find_other_action(const struct rule *rule)
{
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_DEVICE);
    for (const struct rule_token *t = rule->tokens; t < end; t++)
        if (t->info->key == RULE_KEY_ACTION &&
            rule_glob_matches(&t->glob, "add") != (t->op == RULE_EQUAL))
            return t;
    return NULL;
}

/* The first key that waits for udev, or NULL. */
static const struct rule_token *find_udev_key(const struct rule *rule)
{
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_ASSIGN);
    for (const struct rule_token *t = rule->tokens; t < end; t++)
        if (t->reads_udev)
            return t;
    return NULL;
}

void rule_set_each_waiting(const struct rule_set *rules,
                           void (*fn)(void *userdata, const char *file, unsigned line,
                                      const char *key),
                           void *userdata)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct rule *rule = &rules->rules[i];
        const struct rule_token *key = find_udev_key(rule);
        if (key)
            fn(userdata, rule->file, rule->line, key->written);
    }
}

static bool lint_warnings(const struct rule *rule, bool without_udev, struct rule_fault *fault)
{
    bool assigns = rule->group_end[RULE_GROUP_ASSIGN] > rule->group_end[RULE_GROUP_TEST];
    const struct rule_token *udev = without_udev ? find_udev_key(rule) : NULL;
    const struct rule_token *action = find_other_action(rule);
    if (action && assigns)
        (void)rule_fault_set(fault, action->at,
                             "this rule never grants: rules are judged with ACTION \"add\", "
                             "whatever happened");
    else if (rule_contradicts_itself(rule, fault))
        return true;
    else if (udev)
        (void)rule_fault_set(
            fault, udev->at,
            "this rule never matches here: only udev knows %s, and no udevd runs on "
            "this host",
            udev->info->name);
    else if (!assigns && !rule->label && !rule->go_to)
        (void)rule_fault_set(fault, rule->tokens[0].at,
                             "this rule only matches, and does nothing then");
    else
        return false;
    return true;
}

bool rule_lint(const struct rule *rule, bool without_udev, enum problem_severity *ret_severity,
               struct rule_fault *ret_fault)
{
    const struct rule_token *giver = find_giver(rule);
    if (giver && !asks_for_device(rule)) {
        *ret_severity = PROBLEM_ERROR;
        (void)rule_fault_set(
            ret_fault, giver->at,
            "a rule without a device match is refused: it would give every device");
        return true;
    }
    *ret_severity = PROBLEM_WARNING;
    return lint_warnings(rule, without_udev, ret_fault);
}
