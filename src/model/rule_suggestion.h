/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Rules that would give a device: for who has the device and has not written a rule yet. */

#include "model/device.h"

#define RULE_SUGGESTIONS_MAX 6

struct rule_suggestion {
    char *why;          /* by what the device is told: a sentence, printable ASCII */
    char *rule;         /* one rule, of two lines, each with its newline */
    size_t keys_length; /* of it, what tells the device: all before the assignments */
};

struct rule_suggestions {
    struct rule_suggestion items[RULE_SUGGESTIONS_MAX]; /* the best first */
    size_t count;
};

/*
 * Reads the attributes of the device and of those above it. Each rule matches the device, and gives
 * it to a container of a name that is to be filled in. Returns 0 and *ret (rule_suggestions_done()
 * it), which has one rule at least; -ENOMEM.
 */
int rule_suggest(struct device *device, struct rule_suggestions *ret);

void rule_suggestions_done(struct rule_suggestions *suggestions);
