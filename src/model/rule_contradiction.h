/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Matches of one rule that exclude each other, so that it never holds. Internal to the rule
 * modules. */

#include "model/rule_lexer.h"

/*
 * Whether two matches of the rule cannot both hold for a device, or, of parent keys, for one and
 * the same parent. Then the later one and the reason are in *ret_fault. Only what is sure is told.
 */
bool rule_contradicts_itself(const struct rule *rule, struct rule_fault *ret_fault);
