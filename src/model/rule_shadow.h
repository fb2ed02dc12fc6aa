/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Rules that come too late: an earlier one with the same matches has ended the matter, by ":=" on
 * all that they assign or by last_rule. Internal to the rule modules.
 */

#include "model/rule_set.h"

/* One such rule, and the one that shadows it. */
struct rule_shadow {
    const struct rule *rule;
    const struct rule *by;
};
typedef int (*rule_shadow_fn)(void *userdata, const struct rule_shadow *shadow);

/*
 * Calls `fn` for each rule of `later` that one of `earlier` or of `later` itself shadows; a
 * negative return of it ends the search and is returned. GOTOs must be resolved. Returns 0 or
 * -ENOMEM.
 */
int rule_shadow_find(const struct rule_set *earlier, const struct rule_set *later,
                     rule_shadow_fn fn, void *userdata);
