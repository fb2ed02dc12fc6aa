/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The way back from a device's value to the text of a rule. */

#include <stdio.h>

#include "base/util.h"

/*
 * Writes `value` as a match of a rule, in quotes, whose pattern matches it and hardly anything
 * else: what a pattern cannot say literally ('|', a backslash) becomes a '?'. Where there is more
 * than printable ASCII it is an e"..." string; what is written is printable ASCII always. White
 * space at the end is left out, which attributes are compared without.
 */
void rule_quote(FILE *out, const char *value);

/* The same for exactly so many bytes. */
void rule_quote_bytes(FILE *out, const char *value, size_t length);

/* The same for whatever begins with `value`. */
void rule_quote_beginning(FILE *out, const char *value);

/* The same for a name of the kernel's, with its first numbers left open: "ttyUSB[0-9]*". */
void rule_quote_stem(FILE *out, const char *name, size_t open_numbers);

/* Whether what rule_quote() writes has any character that is not left open. */
bool rule_quote_tells(const char *value);
