/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether a rule picks devices out at all. Internal to the rule modules. */

#include "model/rule_set.h"

enum rule_reach {
    RULE_REACH_UNSAID, /* nothing is asked of the device */
    RULE_REACH_EVERY,  /* only what every device meets: KERNEL=="*" */
    RULE_REACH_SOME,
};

/* Only what is sure counts as met by every device. */
enum rule_reach rule_reach(const struct rule *rule);
