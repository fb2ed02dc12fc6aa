/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A rule set as text again: how its rules were understood. */

#include "model/rule.h"

/*
 * Writes the rules in order, one line each, from what they mean and not from what was written:
 * within a line in the order in which the judge takes them, with one way to quote, to write a mode,
 * a list of options. Read by rule_parse(), the text makes a set that judges the same and is printed
 * the same, unless canonical quotes and commas make a line longer than the lexer takes
 * (RULE_LINE_MAX). Returns 0 and *ret (caller frees), or -ENOMEM.
 */
int rule_print(const struct rule_set *rules, char **ret);
