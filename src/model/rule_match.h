/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The judge: one rule set, one device, one container; and why. */

#include "model/device.h"
#include "model/rule.h"
#include "model/share.h"

/* What rules can see of a container. */
struct rule_container {
    const char *name;
    const struct property_list *labels; /* may be NULL */
};

enum rule_verdict {
    RULE_MATCHED,
    RULE_NO_MATCH,
    RULE_SKIPPED, /* jumped over by GOTO, or behind last_rule */
};

/* One rule's answer, for `explain`. Strings are borrowed and valid during the call only. */
struct rule_trace {
    const char *file;
    unsigned line;
    enum rule_verdict verdict;
    const char *key; /* the first key that failed, as written: ATTR{idVendor}=="10c4"; or NULL. Also
                      * a CONTAINER+= of a rule that matched, but names other containers. */
    const char *value; /* what was found there; NULL: the device has none */
    bool gives;        /* this rule gave the container the device, or gave it again */
};
typedef void (*rule_trace_fn)(void *userdata, const struct rule_trace *trace);

/*
 * Judges `device` for `container`, all rules in order, with ACTION "add" (design: rules say which
 * devices, not when). Later assignments win, ":=" ends the matter. `trace` may be NULL.
 * Returns 1 when the device is given and 0 when not; *ret is set in both cases (share_done() it);
 * -ENOMEM.
 */
int rule_judge(const struct rule_set *rules, struct device *device,
               const struct rule_container *container, rule_trace_fn trace, void *userdata,
               struct share *ret);
