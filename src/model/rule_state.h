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

    /* What rules that wait for udev (rule_match.h) would have set or done. */
    const char **waiting; /* keys of ENV, and "NAME"; the strings are the set's */
    size_t waiting_count;
    size_t waits_until;     /* rules before this one might be jumped over */
    bool withheld;          /* one of them might take the device away ... */
    bool withheld_for_good; /* ... and no later rule can give it back */

    char *scratch; /* the value that was compared last, where nobody else keeps it */
    char devnode[512];
};

/* A property as rules see it: theirs before the device's. NULL where there is none. */
const char *rule_state_property(const struct rule_state *state, const char *key);

/*
 * Whether a property may still change: it is udev's, and udev has not told of the device, or a rule
 * that waits would set it. `key` need not be terminated.
 */
bool rule_state_property_waits(const struct rule_state *state, const char *key, size_t length);

/* Notes that a rule that waits would set this: an ENV key, or "NAME". Returns 0 or -ENOMEM. */
int rule_state_wait_for(struct rule_state *state, const char *key);

/* Takes that back: a rule that does not wait has set it. */
void rule_state_settle(struct rule_state *state, const char *key);

/*
 * Reads "[subsystem/sysname]attribute". Returns 1 and *ret (caller frees); 0 where it is none, or
 * there is no such device; -ENOMEM.
 */
int rule_state_reference(const struct rule_state *state, const char *text, char **ret);

/* "/dev/DEVNAME" of the device, or NULL for one without node. */
const char *rule_state_devnode(const struct rule_state *state);

void rule_state_init(struct rule_state *state, struct device *device,
                     const struct rule_container *container);
void rule_state_done(struct rule_state *state);
