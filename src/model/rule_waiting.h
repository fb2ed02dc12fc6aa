/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Rules that never match where no udevd runs: they ask for what only udev knows, and no rule before
 * them may have said it in its place. Rules are passed by in their order. Internal to the rule
 * modules.
 */

#include "model/device.h"
#include "model/rule_state.h"

struct rule_waiting {
    struct device device;    /* one that udev has told nothing of */
    struct rule_state state; /* as if each rule so far had set the properties that it assigns */
};

/* `waiting` must not move until rule_waiting_done(). */
void rule_waiting_init(struct rule_waiting *waiting);
void rule_waiting_done(struct rule_waiting *waiting);

/* The first key of the rule that nobody but udev has answered yet, or NULL. */
const struct rule_token *rule_waiting_find(const struct rule_waiting *waiting,
                                           const struct rule *rule);

/* The rule is before those that are asked about from now on. Returns 0 or -ENOMEM. */
int rule_waiting_pass(struct rule_waiting *waiting, const struct rule *rule);
