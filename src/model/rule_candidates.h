/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The rules that may have an effect for one device and container. Internal to the rule modules. */

#include "model/rule_index.h"
#include "model/rule_state.h"

#define RULE_CANDIDATE_LISTS 64

/* Lists of rules, to be read side by side. */
struct rule_candidates {
    const struct rule_index *index; /* NULL: every rule, as there is no index, or too many lists */
    const struct rule_numbers *lists[RULE_CANDIDATE_LISTS];
    size_t at[RULE_CANDIDATE_LISTS];
    size_t count;
};

/*
 * Begins with the first rule; `state` is as before it. Attributes are read where a rule, of all
 * whose other conditions hold, asks for them. `index` NULL: every rule.
 */
void rule_candidates_init(struct rule_candidates *candidates, const struct rule_index *index,
                          const struct rule_state *state);

/* Begins with the first rule again. */
void rule_candidates_rewind(struct rule_candidates *candidates);

/*
 * The first candidate at or behind `from`, which never goes back and is either behind the last
 * candidate or where that one jumped to. SIZE_MAX: there is none.
 */
size_t rule_candidates_next(struct rule_candidates *candidates, size_t from);
