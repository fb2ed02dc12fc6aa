/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a rule that matched does to the share. Internal to the rule modules. */

#include "model/rule_set.h"
#include "model/rule_state.h"

/* Whether a CONTAINER match or assignment names the state's container; *ret_value: what was
 * compared. */
bool rule_container_named(const struct rule_state *state, const struct rule_token *token,
                          const char **ret_value);

/*
 * Carries out the CONTAINER assignments of a rule that matched.
 * Returns 1 when the rest of the rule holds for this container; 0 when it is for others, with the
 * first assignment that did not name it in *ret_failed; -ENOMEM. *ret_gives: the rule gave it the
 * device.
 */
int rule_assign_container(struct rule_state *state, const struct rule *rule, bool *ret_gives,
                          const struct rule_token **ret_failed);

/*
 * What the CONTAINER assignments of a rule that waits would do: where they would take the device
 * away, it is withheld until a later rule gives it again. Returns whether the rule is of any
 * concern to this container; *ret_failed: NULL where the rest of the line would hold for it, else
 * the first assignment that does not name it.
 */
bool rule_assign_withhold(struct rule_state *state, const struct rule *rule,
                          const struct rule_token **ret_failed);

/* Carries out the other assignments, OPTIONS first. Returns 0 or -ENOMEM. */
int rule_assign(struct rule_state *state, const struct rule *rule);

/* Takes back what is withheld, and the properties that were only for other rules to match: those
 * that begin with a dot. */
void rule_assign_finish(struct rule_state *state);
