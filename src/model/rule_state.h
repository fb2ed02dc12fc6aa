/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the judge knows half way through the rules: one pair of device and container, and the share
 * so far. Later rules see what earlier ones set, as udev(7) has it. Internal to the rule modules.
 */

#include "model/rule_match.h"

enum rule_escape {
    RULE_ESCAPE_UNSET, /* paths are cleaned, properties are not */
    RULE_ESCAPE_NONE,
    RULE_ESCAPE_REPLACE,
};

struct rule_state {
    struct device *device;
    const struct rule_container *container;
    struct device *parent; /* where the last rule with parent keys matched, or NULL */
    struct share share;
    unsigned final; /* bits 1 << enum rule_key that := has closed */
    enum rule_escape escape;
    bool finished; /* OPTIONS+="last_rule" */
    char devnode[512];
};

/* A property as rules see it: theirs before the device's. NULL where there is none. */
const char *rule_state_property(const struct rule_state *state, const char *key);

/* "/dev/DEVNAME" of the device, or NULL for one without node. */
const char *rule_state_devnode(const struct rule_state *state);

void rule_state_init(struct rule_state *state, struct device *device,
                     const struct rule_container *container);
void rule_state_done(struct rule_state *state);
