/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Rules that come too late: an earlier one with the same matches has ended the matter, by ":=" on
 * all that they assign or by last_rule. Internal to the rule modules.
 */

#include "model/rule_lexer.h"

/* One such rule, and the one that shadows it. */
struct rule_shadow {
    const struct rule *rule;
    const struct rule *by;
};

/* What to say of it, and where. */
void rule_shadow_describe(const struct rule_shadow *shadow, struct rule_fault *ret);

typedef int (*rule_shadow_fn)(void *userdata, const struct rule_shadow *shadow);

/* NULL accepted. */
void rule_enders_free(struct rule_enders *enders);

/*
 * Calls `fn` for each rule of `later` that one of `earlier` or of `later` itself shadows; a
 * negative return of it ends the search and is returned. GOTOs must be resolved. What `later` ends
 * is noted in it, so that each rule is looked at once, however many files follow. Returns 0 or
 * -ENOMEM.
 */
int rule_shadow_find(const struct rule_set *earlier, struct rule_set *later, rule_shadow_fn fn,
                     void *userdata);

/* Makes room in `rules` for what `from` ends. Returns 0 or -ENOMEM (as before). */
int rule_shadow_reserve(struct rule_set *rules, const struct rule_set *from);

/* Moves that to `rules`, which has room for it. */
void rule_shadow_absorb(struct rule_set *rules, struct rule_set *from);
