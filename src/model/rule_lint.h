/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What can be wrong with a rule whose every key is right. Internal to the rule modules. */

#include "model/rule_lexer.h"
#include "model/rule_parser.h"
#include "model/rule_waiting.h"

struct rule_lint {
    const struct rule_set *earlier; /* of other files; indexed */
    const struct rule_set *parsed;  /* the rules of this file so far */
    bool without_udev;              /* no udevd runs here: what only it knows stays unknown */
    struct rule_waiting waiting;    /* where there is none; all rules so far were passed by */
};

/* Both sets are borrowed. `lint` must not move until rule_lint_done(). Returns 0 or -ENOMEM. */
int rule_lint_init(struct rule_lint *lint, const struct rule_set *earlier,
                   const struct rule_set *parsed, bool without_udev);
void rule_lint_done(struct rule_lint *lint);

/*
 * The file's next rule. Returns 1 when it has a problem, the first one, the gravest before the
 * others; 0; -ENOMEM.
 */
int rule_lint(struct rule_lint *lint, const struct rule *rule, enum problem_severity *ret_severity,
              struct rule_fault *ret_fault);
