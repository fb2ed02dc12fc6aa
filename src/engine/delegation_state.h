/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What news.c, comparison.c, delegation.c, outcome.c and registration.c share: hear, compare,
 * decide, record, and who takes part. */

#include "engine/delegation.h"
#include "engine/desired.h"
#include "engine/executor.h"
#include "engine/saved_place.h"

#define RETRY_FIRST_US 1000000u
#define RETRY_LAST_US 30000000u
#define RETRY_PASSING_US 4000000u  /* the last delay for what passes soon, or never */
#define LEAVE_DEADLINE_US 2500000u /* as a courier has it */
#define LOOKS_PER_TURN 64          /* containers that the slow timer asks at a time */

struct delegation {
    const struct door *door;
    const struct observer *observer;
    struct world *world;
    struct rule_set *rules;
    struct devnum *root_disks;
    struct policy policy;
    struct executor executor;
    struct container *containers;
    struct delegation_counters counters;
    struct departed departed;
    size_t looked_at;  /* so many containers were asked whether a udevd runs in them */
    bool reviving;     /* others take their turn further up the stack */
    bool revived_anew; /* and somebody was revived meanwhile */
};

/*
 * Registers a container that a predecessor noted, with an empty list of deliveries, at the end of
 * the list of containers. Returns 0 and *ret, or a negative errno and the reason.
 */
int registration_resume(struct delegation *delegation, const struct saved_place *saved,
                        struct container **ret, struct refusal *why);

/* Works a container's queue off as far as it goes without waiting. May free the container. */
void delegation_turn(struct container *container);

/* Queues all differences between desired and delivered; what is not desired any more is cut. */
void delegation_compare(struct container *container);

/*
 * Whoever judges next reads sysfs anew: no event tells of an attribute that was written. Before
 * rules or a container are compared with all devices.
 */
void delegation_forget_attributes(struct delegation *delegation);

/* Nobody opens it any more; the rest is queued. */
void delegation_cut(struct container *container, struct delivery *delivery);

/* Frees the item and the record, whatever state they are in. */
void delegation_drop_delivery(struct container *container, struct delivery *delivery);

/*
 * Tells those waiters whose wait ends so; whether there was any. A call may add and cancel others.
 * Only the end of a leaving container ends waits for it.
 */
bool delegation_call_waiters(struct container *container, enum container_end end);

/* The same, for a container that is settled, or stalls. */
bool delegation_settle(struct container *container);

/*
 * Ends a container that is leaving and has nothing left: it is freed then. One whose device cgroup
 * or inode could not be taken back, or whose interface does not come home, stays and is tried
 * again; who waits is answered after LEAVE_DEADLINE_US.
 */
void delegation_end_left(struct container *container);

/*
 * What is desired of a device that may be NULL; what the rules give but cannot be counts as
 * nothing, and is reported where `say`. NULL: nothing.
 */
struct grant *delegation_desired_now(struct container *container, struct device *device, bool say);

/*
 * Owner, mode and access can be changed in place. Other names or properties are news for
 * programs inside, which hear of a device by `add` and `remove`. (Links that go to another device
 * and come back are none: whoever uses this one is not to be disturbed by another one's plug.)
 */
bool delegation_can_change(const struct grant *delivered, const struct grant *desired);

/* Queues a look at a device, with the event of its incarnation `inode` to tell (or NULL). */
void delegation_hint(struct container *container, const char *devpath, uint64_t inode,
                     const struct uevent *event);

/* Tells the observer of a job: what was decided, or what came of it. */
void delegation_report_plan(const struct job *job, enum activity_kind kind, const char *text);

/* The last thing that went wrong with the container as a whole. Said once, until something else is
 * wrong with it. */
void delegation_note(struct container *container, const char *text, const struct refusal *why);

/* Tells the observer something about a container (or, with NULL, about all). */
void delegation_report(struct delegation *delegation, enum activity_kind kind,
                       const struct container *container, const char *devpath, const char *text,
                       const struct refusal *why);
