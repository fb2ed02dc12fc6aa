/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_candidates.h"

#include "model/rule_udev.h"

/* What goes down the tree. */
struct walk {
    struct rule_candidates *candidates;
    const struct rule_state *state;
    bool full;
};

static void add_list(struct walk *walk, const struct rule_numbers *numbers)
{
    struct rule_candidates *candidates = walk->candidates;
    if (numbers->count == 0)
        return;
    if (candidates->count == RULE_CANDIDATE_LISTS) {
        walk->full = true;
        return;
    }
    candidates->lists[candidates->count++] = numbers;
}

/* The answer, or NULL where there is none; it need not be terminated. */
static const char *answer_of(const struct walk *walk, struct device *device,
                             const struct rule_question *question, size_t *ret_length)
{
    const char *value = NULL;
    bool is_attribute = false;
    enum rule_key key = question->key;
    if (key == RULE_KEY_SUBSYSTEM || key == RULE_KEY_SUBSYSTEMS)
        value = device->subsystem;
    else if (key == RULE_KEY_KERNEL || key == RULE_KEY_KERNELS)
        value = device->sysname;
    else if (key == RULE_KEY_DRIVER || key == RULE_KEY_DRIVERS)
        value = device->driver;
    else if (key == RULE_KEY_DEVPATH)
        value = device->devpath;
    else if (key == RULE_KEY_CONTAINER)
        value = walk->state->container->name;
    else if (key == RULE_KEY_ENV)
        value = rule_state_property(walk->state, question->argument);
    else if ((is_attribute = key == RULE_KEY_ATTR || key == RULE_KEY_ATTRS))
        value = device_attribute(device, question->argument);
    if (!value)
        return NULL;
    *ret_length = is_attribute ? rule_glob_trimmed_length(value) : strlen(value);
    return value;
}

static bool waits(const struct walk *walk, const struct rule_question *question)
{
    return question->key == RULE_KEY_ENV && !walk->state->device->initialised &&
           rule_udev_knows(question->argument, strlen(question->argument));
}

static void go_down(struct walk *walk, const struct rule_node *node, struct device *parent);

/* `device` answers; `parent` is the one that was chosen by now, or NULL. */
static void ask(struct walk *walk, const struct rule_branch *branch, struct device *device,
                struct device *parent)
{
    size_t length;
    const struct rule_question *question = &branch->question;
    if (waits(walk, question)) {
        add_list(walk, &branch->below);
        return;
    }
    const char *value = answer_of(walk, device, question, &length);
    if (!value || length < question->prefix)
        return;
    const struct rule_answer *answer =
        rule_tree_find(branch, value, question->prefix ? question->prefix : length);
    if (answer)
        go_down(walk, &answer->node, parent);
}

static void go_down(struct walk *walk, const struct rule_node *node, struct device *parent)
{
    struct device *device = walk->state->device;
    add_list(walk, &node->numbers);
    for (const struct rule_branch *branch = node->branches; branch; branch = branch->next) {
        if (!rule_key_is_parent(branch->question.key))
            ask(walk, branch, device, NULL);
        else if (parent)
            ask(walk, branch, parent, parent);
        else
            for (struct device *above = device; above; above = device_parent(above))
                ask(walk, branch, above, above);
    }
}

void rule_candidates_init(struct rule_candidates *candidates, const struct rule_index *index,
                          const struct rule_state *state)
{
    struct walk walk = {candidates, state, false};
    candidates->index = index;
    candidates->count = 0;
    if (!index)
        return;
    go_down(&walk, &index->root, NULL);
    /* what makes up for rules that were passed by has to know of every jump */
    if (index->inherits)
        add_list(&walk, &index->guard_numbers);
    if (walk.full)
        candidates->index = NULL;
    rule_candidates_rewind(candidates);
}

void rule_candidates_rewind(struct rule_candidates *candidates)
{
    for (size_t i = 0; i < candidates->count; i++)
        candidates->at[i] = 0;
}

/* The first place at or behind `at` whose number is `from` or more: near ones are found fast. */
static size_t advance(const struct rule_numbers *numbers, size_t at, size_t from)
{
    size_t step = 1, low = at, high = at;
    while (high < numbers->count && numbers->items[high] < from) {
        low = high + 1;
        high += step;
        step *= 2;
    }
    high = high < numbers->count ? high : numbers->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (numbers->items[middle] < from)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/*
 * The first guard from `from` on that may jump over the rule numbered `number`, or over a guard
 * that does; else the rule itself. Each guard of a guard before the rule is one of these, too.
 */
static size_t first_guard(const struct rule_index *index, size_t number, size_t from)
{
    for (uint32_t guard = index->guards[number]; guard > from; guard = index->guards[guard - 1])
        number = guard - 1;
    return number;
}

size_t rule_candidates_next(struct rule_candidates *candidates, size_t from)
{
    size_t next = SIZE_MAX;
    if (!candidates->index)
        return from;
    for (size_t i = 0; i < candidates->count; i++) {
        const struct rule_numbers *list = candidates->lists[i];
        candidates->at[i] = advance(list, candidates->at[i], from);
        if (candidates->at[i] < list->count && list->items[candidates->at[i]] < next)
            next = list->items[candidates->at[i]];
    }
    return next == SIZE_MAX ? next : first_guard(candidates->index, next, from);
}
