/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_lint.h"

#include "model/rule_contradiction.h"
#include "model/rule_index.h"
#include "model/rule_reach.h"
#include "model/rule_udev.h"

/* A CONTAINER assignment that gives, or NULL. `CONTAINER=""` only takes. */
static const struct rule_token *find_giver(const struct rule *rule)
{
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_CONTAINER);
    for (const struct rule_token *t = rule_group_begin(rule, RULE_GROUP_CONTAINER); t < end; t++)
        if (t->op != RULE_REMOVE && (t->argument || t->glob.count > 1 || t->glob.alternatives[0]))
            return t;
    return NULL;
}

static bool asks_for_action(const struct rule_token *token)
{
    return token->info->key == RULE_KEY_ACTION ||
           (token->info->key == RULE_KEY_ENV && streq(token->argument, "ACTION"));
}

/* An ACTION match that "add" does not meet, or NULL. */
static const struct rule_token *find_other_action(const struct rule *rule)
{
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_DEVICE);
    for (const struct rule_token *t = rule->tokens; t < end; t++)
        if (asks_for_action(t) && rule_glob_matches(&t->glob, "add") != (t->op == RULE_EQUAL))
            return t;
    return NULL;
}

/* --- properties that come later */

/* The kernel's, and those that only rules see. */
static bool is_not_udevs(const char *property)
{
    static const char *const NAMES[] = {
        "ACTION", "DEVPATH", "SUBSYSTEM", "DEVTYPE",   "DEVNAME", "DEVMODE", "MAJOR",   "MINOR",
        "DRIVER", "IFINDEX", "INTERFACE", "MODALIAS",  "PRODUCT", "TYPE",    "BUSNUM",  "DEVNUM",
        "PARTN",  "DISKSEQ", "PARTNAME",  "PCI_CLASS", "PCI_ID",  "HID_ID",  "HID_NAME"};
    for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++)
        if (streq(NAMES[i], property))
            return true;
    return property[0] == '.';
}

static bool assigns(const struct rule *rule, const char *property)
{
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_ENV);
    for (const struct rule_token *t = rule_group_begin(rule, RULE_GROUP_ENV); t < end; t++)
        if (streq(t->argument, property))
            return true;
    return false;
}

static bool is_assigned_before(const struct rule_lint *lint, const char *property)
{
    const struct rule_index *index = lint->earlier->index;
    if (index && rule_tree_find(&index->touched, property, strlen(property)))
        return true;
    for (size_t i = 0; i < lint->parsed->count; i++)
        if (assigns(&lint->parsed->rules[i], property))
            return true;
    return false;
}

/*
 * A match that holds while nobody has set the property, though udev's rules may do so: or NULL.
 * Which of these names are udev's nobody knows, so the rule does not wait.
 */
static const struct rule_token *find_premature(const struct rule_lint *lint,
                                               const struct rule *rule)
{
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_DEVICE);
    if (lint->without_udev || rule->reads_udev || !find_giver(rule))
        return NULL;
    for (const struct rule_token *t = rule->tokens; t < end; t++)
        if (t->info->key == RULE_KEY_ENV &&
            rule_glob_matches(&t->glob, "") == (t->op == RULE_EQUAL) &&
            !is_not_udevs(t->argument) && !is_assigned_before(lint, t->argument))
            return t;
    return NULL;
}

/* --- the lint */

/* Warnings of a rule that does something, but not what may be meant. */
static bool lint_effects(const struct rule_lint *lint, const struct rule *rule,
                         struct rule_fault *fault)
{
    const struct rule_token *premature = find_premature(lint, rule);
    if (find_giver(rule) && rule_reach(rule) == RULE_REACH_EVERY)
        (void)rule_fault_set(fault, find_giver(rule)->at,
                             "this rule matches every device, and gives them all");
    else if (premature)
        (void)rule_fault_set(fault, premature->at,
                             "udev's rules may set %.100s later: the device is given until then",
                             premature->argument);
    else
        return false;
    return true;
}

static bool lint_warnings(const struct rule_lint *lint, const struct rule *rule,
                          struct rule_fault *fault)
{
    bool assigns = rule->group_end[RULE_GROUP_ASSIGN] > rule->group_end[RULE_GROUP_TEST];
    const struct rule_token *udev =
        lint->without_udev ? rule_waiting_find(&lint->waiting, rule) : NULL;
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
            "this rule never matches here: only udev knows %.100s, and no udevd runs on "
            "this host",
            udev->written);
    else if (!assigns && !rule->label && !rule->go_to)
        (void)rule_fault_set(fault, rule->tokens[0].at,
                             "this rule only matches, and does nothing then");
    else
        return lint_effects(lint, rule, fault);
    return true;
}

int rule_lint(struct rule_lint *lint, const struct rule *rule, enum problem_severity *ret_severity,
              struct rule_fault *ret_fault)
{
    const struct rule_token *giver = find_giver(rule);
    if (giver && rule_reach(rule) == RULE_REACH_UNSAID) {
        *ret_severity = PROBLEM_ERROR;
        (void)rule_fault_set(
            ret_fault, giver->at,
            "a rule without a device match is refused: it would give every device");
        return 1;
    }
    *ret_severity = PROBLEM_WARNING;
    bool warns = lint_warnings(lint, rule, ret_fault);
    int r = lint->without_udev ? rule_waiting_pass(&lint->waiting, rule) : 0;
    return r < 0 ? r : warns;
}

int rule_lint_init(struct rule_lint *lint, const struct rule_set *earlier,
                   const struct rule_set *parsed, bool without_udev)
{
    int r = 0;
    *lint = (struct rule_lint){earlier, parsed, without_udev, {.device = {0}}};
    rule_waiting_init(&lint->waiting);
    for (size_t i = 0; without_udev && r == 0 && i < earlier->count; i++)
        r = rule_waiting_pass(&lint->waiting, &earlier->rules[i]);
    return r;
}

void rule_lint_done(struct rule_lint *lint)
{
    rule_waiting_done(&lint->waiting);
}
