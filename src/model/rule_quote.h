/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The way back from a device's value to the text of a rule. */

#include <stdio.h>

#include "base/util.h"

/*
 * Writes `value` as a match of a rule, in double quotes, whose pattern matches it and hardly
 * anything else. What a pattern cannot say literally ('|', a backslash) or a terminal is not to be
 * shown (all that is not printable ASCII) becomes a '?' or '*'; white space at the end is left out,
 * which attributes are compared without.
 */
void rule_quote(FILE *out, const char *value);

/* The same for a name of the kernel's, with each number in it left open: "ttyUSB[0-9]*". */
void rule_quote_stem(FILE *out, const char *name);
