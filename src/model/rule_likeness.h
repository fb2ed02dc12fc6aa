/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Values that a pattern does not match, though its writer may have meant them. Internal to the rule
 * modules. */

#include "model/rule_set.h"

/*
 * Whether `value` (not NULL), which the == of `token` does not match, is nearly what it asks for;
 * then `text` says in what they differ and what to write: white space at the ends, upper and lower
 * case, the same number written otherwise, or only the beginning of it.
 */
bool rule_likeness(const struct rule_token *token, const char *value, char *text, size_t size);
