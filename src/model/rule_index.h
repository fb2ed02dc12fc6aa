/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A rule set's index: made once, while files are added, so that an event meets only rules that may
 * match (rule_candidates.h). What is passed by would have had no effect. Internal to the rule
 * modules.
 */

#include "model/rule_tree.h"

struct rule_index {
    struct rule_node root;
    struct rule_branch touched; /* its answers: the properties that rules set */
    /*
     * Of each rule: the number, and one, of the last guard before it that may jump over it; 0:
     * none does. A guard is a line that does nothing but GOTO, and is asked only where a rule
     * behind it is.
     */
    uint32_t *guards;
    size_t count;
    struct rule_numbers guard_numbers;
    bool inherits; /* some rule speaks of a parent that an earlier one found */
};

/*
 * Adds the rules numbered `first` and up, `count` of them, which `rules` points to: `*index` is
 * made where it is NULL. GOTOs are resolved and lead to these rules. Returns 0 or -ENOMEM (as
 * before).
 */
int rule_index_add(struct rule_index **index, const struct rule *rules, size_t first, size_t count);

/* NULL accepted. */
void rule_index_free(struct rule_index *index);
