/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The judge: one rule set, one device, one container; and why. */

#include "model/device.h"
#include "model/rule.h"
#include "model/share.h"

struct rule;
struct rule_token;
struct rule_state;

/* What rules can see of a container. */
struct rule_container {
    const char *name;
    const struct property_list *labels; /* may be NULL */
};

enum rule_verdict {
    RULE_MATCHED,
    RULE_NO_MATCH,
    RULE_SKIPPED, /* jumped over by GOTO, or behind last_rule */
    RULE_WAITS,   /* all that the kernel tells matches; the rest only udev knows, or is up to a
                   * rule that waits itself: whether that jumps over this one */
};

/* One rule's answer, for `explain`. Strings are borrowed and valid during the call only. */
struct rule_trace {
    const char *file; /* SHARE_FROM_UDEV: what udev's rules say, before any of ours */
    unsigned line;
    enum rule_verdict verdict;
    const char *key; /* the first key that failed, as written: ATTR{idVendor}=="10c4"; or NULL. Also
                      * a CONTAINER+= of a rule that matched, but names other containers; and
                      * the key that a rule waits for. */
    const char *value;  /* what was found there; NULL: the device has none */
    const char *parent; /* a key that parents answer: devpath of the device (itself or a parent)
                         * that came furthest, where `value` is from; NULL: none came anywhere,
                         * or the key names another device */
    bool gives;         /* this rule gave the container the device, or gave it again */

    /* for rule_hint.h */
    const struct rule *rule;        /* NULL: SHARE_FROM_UDEV */
    const struct rule_token *token; /* that of `key`, or NULL */
    struct rule_state *state;
};
typedef void (*rule_trace_fn)(void *userdata, const struct rule_trace *trace);

/* Whether the traced rule would give the device to the container that is judged for, if it matched.
 * To be called from the trace function. */
bool rule_trace_names_container(const struct rule_trace *trace);

/*
 * Judges `device` for `container`, all rules in order, with ACTION "add" (design: rules say which
 * devices, not when). Later assignments win, ":=" ends the matter. What udev's own rules say
 * (devolve_properties.h) goes before the first rule. `trace` may be NULL.
 *
 * A rule that reads what only udev knows is not carried out before the device is initialised; it
 * waits, and so does what it might jump over. Where one waits that could take the device away, the
 * device is not given either. `waits` of the share tells that one does: judge again when udev is
 * done.
 *
 * Returns 1 when the device is given and 0 when not; *ret is set in both cases (share_done() it);
 * -ENOMEM.
 */
int rule_judge(const struct rule_set *rules, struct device *device,
               const struct rule_container *container, rule_trace_fn trace, void *userdata,
               struct share *ret);

/*
 * The same for a device that is given already, as it hangs below one with OPTIONS+="subtree":
 * `inherited` stands before the first rule, which may change it, and take the device away.
 */
int rule_judge_heir(const struct rule_set *rules, struct device *device,
                    const struct rule_container *container, const struct share *inherited,
                    struct share *ret);
