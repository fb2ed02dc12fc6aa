/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One key of a rule: what the device has to say to it. Internal to the rule modules. */

#include "model/rule_set.h"
#include "model/rule_state.h"

/*
 * Whether `device` (that of the state, or a parent of it) meets a match. *ret_value: what was
 * compared, NULL where there is none; valid until the next call.
 */
bool rule_token_matches(struct rule_state *state, struct device *device,
                        const struct rule_token *token, const char **ret_value);

/* Whether the answer is not known before udev is done with the device. Of assignments too. */
bool rule_token_waits(const struct rule_state *state, const struct rule_token *token);
