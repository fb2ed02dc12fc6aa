/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A rule hangs where its conditions lead to, which are asked in one order (rule_condition.h), once
 * for each combination of its alternatives:
 *
 *     SUBSYSTEM=="usb", ATTR{idVendor}=="10c4", ATTR{idProduct}=="ea60"   usb, 10c4, ea60
 *     KERNEL=="ttyS0|ttyS1", SUBSYSTEM=="tty"                             tty, ttyS0; tty, ttyS1
 *     KERNEL=="ttyUSB*", ATTRS{serial}=="A5"                              ttyUSB..., A5
 *     KERNEL=="*-1"                                                       (the root)
 *
 * So an event costs as many look-ups as there are different questions on its ways down, however
 * many answers each has.
 */
#include "model/rule_index.h"

#include <errno.h>

#include "model/rule_condition.h"

#define PLACES_OF_A_RULE_MAX 32u /* more alternatives are not told apart */
#define GUARDS_OF_A_RULE_MAX 16u

static struct rule_question question_of(const struct rule_token *condition, const char *value)
{
    return (struct rule_question){
        .key = condition->info->key,
        .gives = !rule_operator_is_match(condition->op),
        .argument = condition->argument,
        .prefix = rule_condition_prefix(condition, value),
    };
}

static int add_places(struct rule_node *node, const struct rule_token *const *conditions,
                      size_t count, size_t number);

/* The ways down from `node` for one alternative of the first condition. */
static int add_place(struct rule_node *node, const char *value,
                     const struct rule_token *const *conditions, size_t count, size_t number)
{
    struct rule_question question = question_of(conditions[0], value);
    size_t length = question.prefix ? question.prefix : strlen(value);
    struct rule_branch *branch = rule_tree_branch(node, &question);
    struct rule_answer *answer = branch ? rule_tree_answer(branch, value, length) : NULL;
    if (!answer)
        return -ENOMEM;
    if (question.key == RULE_KEY_ENV && rule_numbers_append(&branch->below, number) < 0)
        return -ENOMEM;
    return add_places(&answer->node, conditions + 1, count - 1, number);
}

static int add_places(struct rule_node *node, const struct rule_token *const *conditions,
                      size_t count, size_t number)
{
    if (count == 0)
        return rule_numbers_append(&node->numbers, number);
    const struct rule_glob *glob = &conditions[0]->glob;
    const char *value = glob->alternatives;
    int r = 0;
    for (size_t i = 0; r == 0 && i < glob->count; i++, value = rule_glob_next(value))
        r = add_place(node, value, conditions, count, number);
    return r;
}

/* Leaves out the conditions that would take the rule to too many places. */
static size_t limit_places(const struct rule_token *conditions[], size_t count)
{
    size_t kept = 0, places = 1;
    for (size_t i = 0; i < count; i++) {
        size_t alternatives = conditions[i]->glob.count;
        if (alternatives > PLACES_OF_A_RULE_MAX / places)
            continue;
        places *= alternatives;
        conditions[kept++] = conditions[i];
    }
    return kept;
}

static bool is_untouched(void *userdata, const char *property)
{
    const struct rule_index *index = userdata;
    return !rule_tree_find(&index->touched, property, strlen(property));
}

static int add_by_conditions(struct rule_index *index, const struct rule *rule, size_t number)
{
    const struct rule_token *conditions[RULE_CONDITIONS_MAX];
    size_t count = rule_conditions(rule, is_untouched, index, conditions);
    return add_places(&index->root, conditions, limit_places(conditions, count), number);
}

static int note_touched(struct rule_index *index, const struct rule *rule)
{
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_ENV);
    for (const struct rule_token *token = rule_group_begin(rule, RULE_GROUP_ENV); token < end;
         token++)
        if (!rule_tree_answer(&index->touched, token->argument, strlen(token->argument)))
            return -ENOMEM;
    return 0;
}

/* Whether the rule does nothing but jump, and whether it does is told by the device alone. */
static bool is_guard(const struct rule *rule)
{
    return rule->skip && rule->group_end[RULE_GROUP_ASSIGN] == rule->group_end[RULE_GROUP_DEVICE] &&
           !rule->reads_udev && rule_is_of_device(rule);
}

static bool does_nothing(const struct rule *rule)
{
    return rule->group_end[RULE_GROUP_ASSIGN] == 0 && !rule->skip;
}

static size_t count_guards(const struct rule_index *index, uint32_t guard)
{
    size_t count = 0;
    for (; guard; guard = index->guards[guard - 1])
        count++;
    return count;
}

/* `guard`: of this rule, as in the index. *ret_guard: is the rule one itself? */
static int add_rule(struct rule_index *index, const struct rule *rule, uint32_t guard,
                    bool *ret_guard)
{
    size_t number = index->count;
    *ret_guard = is_guard(rule) && count_guards(index, guard) < GUARDS_OF_A_RULE_MAX;
    uint32_t *slot = array_add(&index->guards, &index->count, sizeof(*slot));
    if (!slot)
        return -ENOMEM;
    *slot = guard;
    index->inherits |= rule->inherits || rule->inherits_early;
    if (does_nothing(rule))
        return 0;
    int r = *ret_guard ? rule_numbers_append(&index->guard_numbers, number)
                       : add_by_conditions(index, rule, number);
    return r < 0 ? r : note_touched(index, rule);
}

/* Those that jump over a rule and end at or before another are of no concern to that one. */
static uint32_t find_guard(const struct rule_index *index, const struct rule *rules, size_t first,
                           uint32_t last, size_t number)
{
    while (last && last - 1 + rules[last - 1 - first].skip <= number)
        last = index->guards[last - 1];
    return last;
}

static void cut(struct rule_index *index, size_t first)
{
    rule_tree_cut(&index->root, first);
    rule_numbers_cut(&index->guard_numbers, first);
    index->count = first;
}

int rule_index_add(struct rule_index **index, const struct rule *rules, size_t first, size_t count)
{
    uint32_t last = 0;
    if (!*index)
        *index = calloc(1, sizeof(**index));
    int r = *index && first + count < UINT32_MAX ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && i < count; i++) {
        bool guards;
        last = find_guard(*index, rules, first, last, first + i);
        r = add_rule(*index, &rules[i], last, &guards);
        if (guards)
            last = (uint32_t)(first + i + 1);
    }
    if (r < 0 && *index)
        cut(*index, first);
    return r;
}

void rule_index_free(struct rule_index *index)
{
    if (!index)
        return;
    rule_tree_done(&index->root);
    rule_branch_done(&index->touched);
    free(index->guard_numbers.items);
    free(index->guards);
    free(index);
}
