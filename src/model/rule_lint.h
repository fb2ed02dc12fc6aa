/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What can be wrong with a rule whose every key is right. Internal to the rule modules. */

#include "model/rule_lexer.h"
#include "model/rule_parser.h"

/*
 * Whether the rule has a problem; then the first one, the gravest before the others.
 * `without_udev`: no udevd runs here, so what only udev knows will never be known.
 */
bool rule_lint(const struct rule *rule, bool without_udev, enum problem_severity *ret_severity,
               struct rule_fault *ret_fault);
