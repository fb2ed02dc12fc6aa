/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* udev's substitutions, %k and $kernel and so on, in assigned values. Internal to the rule modules.
 */

#include "model/rule_state.h"

#define RULE_VALUE_MAX 4096u /* bytes of a value after substitution, with the NUL */

/* Whether there is anything to substitute in `format`. */
bool rule_substitute_needed(const char *format);

/* What the substitutions of a value ask for. */
struct rule_substitute_needs {
    bool udev;   /* a property that only udev knows */
    bool parent; /* the parent that matched, or could */
};

/* Reads a format that rule_substitute_check() found right. */
struct rule_substitute_needs rule_substitute_needs(const char *format);

/*
 * Whether the format asks for a property that is not known yet, because udev has not told of the
 * device or because a rule that waits would set it.
 */
bool rule_substitute_waits(const struct rule_state *state, const char *format);

/* Whether every $ and % in `format` is a known substitution. False: the reason is in `reason`. */
bool rule_substitute_check(const char *format, char *reason, size_t size);

/*
 * Writes `format` to `out` (RULE_VALUE_MAX bytes) with each substitution replaced by what it stands
 * for; by nothing, where the device has no such thing. Attributes lose white space at the end, and
 * odd characters in them become '_'. `join_blanks`: white space in what is substituted becomes '_',
 * so that it stays one word. Returns 0, or -ENAMETOOLONG where it does not fit.
 */
int rule_substitute(const struct rule_state *state, const char *format, bool join_blanks,
                    char out[static RULE_VALUE_MAX]);

/*
 * Replaces with '_' what is neither of 0-9A-Za-z#+-.:=@_ nor in `also` nor a \xNN nor valid UTF-8
 * beyond ASCII: udev's set of characters for names. White space becomes a blank where `also` has
 * one.
 */
void rule_substitute_clean(char *text, const char *also);
