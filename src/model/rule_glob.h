/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The right side of a match: alternatives between '|', each a literal or a glob (* ? [a-z] [!a]),
 * as udev(7) has them. Internal to the rule modules.
 */

#include "base/util.h"

struct rule_glob {
    const char *alternatives; /* `count` strings one after the other, each with its NUL; borrowed */
    size_t count;
    bool ignore_case;
    bool keeps_blanks; /* ends in white space: so the white space at a value's end counts too */
};

/*
 * Compiles `pattern` in place: its '|' become NULs. It must outlive the result. The empty pattern
 * is one empty alternative.
 */
struct rule_glob rule_glob_compile(char *pattern, bool ignore_case);

/* Whether any alternative matches all of `value`; NULL is taken for the empty string. */
bool rule_glob_matches(const struct rule_glob *glob, const char *value);

/* The same, without the white space at the value's end (unless the pattern has some there itself).
 */
bool rule_glob_matches_attribute(const struct rule_glob *glob, const char *value);
