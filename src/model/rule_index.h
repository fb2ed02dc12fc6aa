/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Which rules can match a device at all, found by what they ask for literally: SUBSYSTEM, then
 * KERNEL or the USB ids. Rules without such a key are in a list that every device gets. What is
 * passed by would not have matched; the order of the rest is that of the set. Internal to the rule
 * modules.
 */

#include "model/device.h"
#include "model/rule_set.h"

struct rule_numbers {
    uint32_t *items; /* numbers of rules, ascending */
    size_t count;
};

/*
 * Adds the rules numbered `first` and up, `count` of them, which `rules` points to: `*index` is
 * made where it is NULL. Returns 0 or -ENOMEM (as before).
 */
int rule_index_add(struct rule_index **index, const struct rule *rules, size_t first, size_t count);

/* NULL accepted. */
void rule_index_free(struct rule_index *index);

#define RULE_CANDIDATE_LISTS 64

/* The rules for one device: lists to be read side by side. */
struct rule_candidates {
    const struct rule_numbers *lists[RULE_CANDIDATE_LISTS];
    size_t at[RULE_CANDIDATE_LISTS];
    size_t count;
    bool all; /* every rule: there is no index, or the device is in too many lists */
};

/*
 * Begins with the first rule. Reads the device's USB ids and those above it, but only where there
 * are rules that ask for them. `index` NULL: every rule.
 */
void rule_candidates_init(struct rule_candidates *candidates, const struct rule_index *index,
                          struct device *device);

/* The first candidate at or behind `from`, which never goes back; SIZE_MAX: there is none. */
size_t rule_candidates_next(struct rule_candidates *candidates, size_t from);
