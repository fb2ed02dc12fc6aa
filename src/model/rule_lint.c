/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_lint.h"

/* A CONTAINER assignment that gives, or NULL. `CONTAINER=""` only takes. */
static const struct rule_token *find_giver(const struct rule *rule)
{
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_CONTAINER);
    for (const struct rule_token *t = rule_group_begin(rule, RULE_GROUP_CONTAINER); t < end; t++)
        if (t->op != RULE_REMOVE && (t->argument || t->glob.count > 1 || t->glob.alternatives[0]))
            return t;
    return NULL;
}

static bool asks_for_device(const struct rule *rule)
{
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_PARENT);
    for (const struct rule_token *t = rule->tokens; t < end; t++)
        if (t->info->key != RULE_KEY_ACTION && t->info->key != RULE_KEY_CONTAINER)
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

/* A match on what udev's own rules find out, or NULL. A device has the kernel's properties alone.
 */
static const struct rule_token *find_udev_property(const struct rule *rule)
{
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_DEVICE);
    for (const struct rule_token *t = rule->tokens; t < end; t++)
        if (t->info->key == RULE_KEY_ENV && after_prefix(t->argument, "ID_"))
            return t;
    return NULL;
}

static bool lint_warnings(const struct rule *rule, struct rule_fault *fault)
{
    bool assigns = rule->group_end[RULE_GROUP_ASSIGN] > rule->group_end[RULE_GROUP_PARENT];
    const struct rule_token *udev = find_udev_property(rule);
    const struct rule_token *action = find_other_action(rule);
    if (udev)
        (void)rule_fault_set(fault, udev->at,
                             "udev's own properties (ID_*) are not seen in this version");
    else if (action && assigns)
        (void)rule_fault_set(fault, action->at,
                             "this rule never grants: rules are judged with ACTION \"add\", "
                             "whatever happened");
    else if (!assigns && !rule->label && !rule->go_to)
        (void)rule_fault_set(fault, rule->tokens[0].at,
                             "this rule only matches, and does nothing then");
    else
        return false;
    return true;
}

bool rule_lint(const struct rule *rule, enum problem_severity *ret_severity,
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
    return lint_warnings(rule, ret_fault);
}
