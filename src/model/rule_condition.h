/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a rule asks for literally, as far as the device and the container alone tell the answer. A
 * rule one of whose conditions fails has no effect, save for one: see rule_is_of_device().
 * Internal to the rule modules.
 */

#include "model/rule_set.h"

#define RULE_CONDITIONS_MAX 8u

/* Whether no rule has set the property yet. */
typedef bool (*rule_untouched_fn)(void *userdata, const char *property);

/*
 * The tokens of a rule that are conditions, at most RULE_CONDITIONS_MAX, in the order in which they
 * are to be asked: what costs nothing before what is read from sysfs, and all that is asked of a
 * parent last. `untouched` is asked for ENV. Returns how many there are.
 */
size_t rule_conditions(const struct rule *rule, rule_untouched_fn untouched, void *userdata,
                       const struct rule_token *ret[static RULE_CONDITIONS_MAX]);

/*
 * Of one alternative of a condition's glob: how many of its first bytes a value has to begin with;
 * 0: all of it has to be equal.
 */
size_t rule_condition_prefix(const struct rule_token *condition, const char *alternative);

/*
 * Whether the rule's matches on the device come out the same at any time while a device is judged.
 * Where they hold, a search for a parent that fails makes the judge forget the parent that an
 * earlier rule found. Only of such rules are parent keys conditions, so that the judge can make up
 * for those that were passed by.
 */
bool rule_is_of_device(const struct rule *rule);
