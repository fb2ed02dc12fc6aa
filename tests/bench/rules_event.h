/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * An event: the attributes that were read are forgotten, and the device is judged for each
 * container, and its parents, too, where the event says so.
 */

#include "model/rule_match.h"
#include "rules_devices.h"

#define EVENT_CONTAINERS_MAX 10u

struct event {
    const struct rule_set *rules;
    struct bench_devices *devices;
    struct device *device;
    unsigned vendor, product; /* of the stick that is in the port */
    bool with_parents;        /* as the daemon does, which looks for OPTIONS+="subtree" there */
    const char *family;       /* names of containers begin with it ... */
    unsigned first_container; /* ... and go on with numbers from this one on */
    unsigned container_count;
    unsigned given; /* so many of the containers get the device, or the program ends */
};

enum event_kind {
    EVENT_TTY,         /* its vendor is in the rules, but not with this product */
    EVENT_TTY_EARLY,   /* the same before udev told of it */
    EVENT_TTY_PARENTS, /* the same with its parents */
    EVENT_NET,         /* no rule is about it */
    EVENT_MATCHED,     /* its ids are those of a rule in the middle, whose container it is */
    EVENT_KINDS,
};

/* `size`: of the rules, which are of MIX_PEOPLE where the event is to match. */
struct event event_make(enum event_kind kind, struct bench_devices *devices,
                        const struct rule_set *rules, unsigned size);
const char *event_name(enum event_kind kind);

uint64_t bench_now_ns(void);

/* The median of `count` numbers, which are sorted. */
uint64_t bench_median(uint64_t *numbers, size_t count);

/*
 * Nanoseconds per event, of each of `count` events, at most EVENTS_MAX: medians of so many samples,
 * at most 1001. They take turns, so that what else the machine does slows all of them down.
 */
#define EVENTS_MAX 8u
void event_measure(const struct event *events, size_t count, unsigned samples, uint64_t *ret);

/* What is the same on every machine. */
struct event_counts {
    size_t candidates; /* rules that the index leaves for the first container */
    size_t reads;      /* of attributes, for all containers */
};
struct event_counts event_count(const struct event *event);
