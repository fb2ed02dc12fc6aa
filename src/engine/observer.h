/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the engine does, as it does it: for `monitor`, the log and the counters. */

#include "base/util.h"

enum activity_kind {
    ACTIVITY_EVENT,     /* a true event was read */
    ACTIVITY_DECISION,  /* a plan was made: text is "give", "take", "change", "relink", "tell" */
    ACTIVITY_STEP,      /* one step was run: text describes it */
    ACTIVITY_OUTCOME,   /* a plan ended: text is "delivered", "taken", ..., or error is set */
    ACTIVITY_CONTAINER, /* text: "registered", "unregistered", "died", "stalled", "recovered",
                           "overrun", "caught up" */
    ACTIVITY_RULES,     /* text: what was loaded */
    ACTIVITY_RESYNC,    /* sysfs was compared anew: text says why */
};

struct activity {
    enum activity_kind kind;
    uint64_t time_us; /* CLOCK_MONOTONIC: when a step began, when anything else was so */
    uint64_t duration_us;
    /* All strings are borrowed and may be NULL. */
    const char *container;
    const char *devpath;
    const char *action;
    uint64_t seqnum;
    const char *rule_file;
    unsigned rule_line;
    const char *text;
    const char *error;
};

struct observer {
    void (*on_activity)(void *userdata, const struct activity *activity);
    void *userdata;
};
