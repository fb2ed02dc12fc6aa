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
    bool is_literal; /* no alternative has a * ? or [ */
    bool ignore_case;
    bool keeps_blanks; /* ends in white space: so the white space at a value's end counts too */
};

/*
 * Compiles `pattern` in place: its '|' become NULs. It must outlive the result. The empty pattern
 * is one empty alternative.
 */
struct rule_glob rule_glob_compile(char *pattern, bool ignore_case);

/* The alternative behind `alternative`. */
static inline const char *rule_glob_next(const char *alternative)
{
    return alternative + strlen(alternative) + 1;
}

/* Whether any alternative matches all of `value`; NULL is taken for the empty string. */
bool rule_glob_matches(const struct rule_glob *glob, const char *value);

/* The same, without the white space at the value's end (unless the pattern has some there itself).
 */
bool rule_glob_matches_attribute(const struct rule_glob *glob, const char *value);

/* The length of `value` without the white space at its end that udev does not see in attributes. */
size_t rule_glob_trimmed_length(const char *value);
