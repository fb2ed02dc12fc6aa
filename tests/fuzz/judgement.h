/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What holds of every judgement and of every rule set, for the fuzzers of rules. What does not hold
 * ends the program. */

#include "model/rule_match.h"

void must(bool condition);

/*
 * The set of what rule_print() writes: it has the same rules, and is printed the same. NULL where
 * that text has a line that is too long to be read. The caller frees it.
 */
struct rule_set *read_what_is_printed(const struct rule_set *rules);

/*
 * Judges with the index and, with a trace, without it, which must come to the same; and, where
 * `printed` is not NULL, by that set, which stands for the same rules. *ret is a share as share.h
 * says that it is; share_done() it.
 */
void judge(const struct rule_set *rules, const struct rule_set *printed, struct device *device,
           const struct rule_container *container, struct share *ret);

/* Two shares that give the same by the same rule. */
void must_be_equal(const struct share *a, const struct share *b);
