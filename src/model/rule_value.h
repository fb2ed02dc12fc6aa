/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The right side of each key, checked and compiled while the rule is read: what is wrong is said
 * then, with line and column, and not when a device comes. Internal to the rule modules.
 */

#include "model/rule_lexer.h"

/*
 * Fills the argument, value, glob and number of *token, whose info and op are set already, with
 * memory of `rules`. Returns 0; -EBADMSG and *ret_fault; -ENOMEM.
 */
int rule_value_compile(struct rule_set *rules, const struct rule_expression *expression,
                       struct rule_token *token, struct rule_fault *ret_fault);
