/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One plan for one delivery, with everything that must live as long as it runs. */

#include "engine/container.h"

struct executor;

enum job_kind {
    JOB_GIVE,
    JOB_TAKE,
    JOB_CHANGE,
    JOB_RELINK,
    JOB_TELL,
    JOB_DESCRIBE,  /* udev's word follows, for a container without a udevd */
    JOB_HAND_OVER, /* a udevd has come to the container: the word is its own from now on */
};

struct job {
    enum job_kind kind;
    struct container *container;
    struct delivery *delivery;
    struct hint *hint;      /* what it was made for; owned */
    struct grant *desired;  /* JOB_CHANGE: becomes the delivery's grant; owned */
    uint32_t yielded;       /* JOB_RELINK: what the delivery's grant yields afterwards */
    struct uevent *event;   /* what the plan tells; owned, or NULL */
    struct udev_word *word; /* likewise, as udev tells it */
    struct plan plan;
    size_t position;
    bool undoing;
    bool again;         /* its step is run a second time */
    bool unrecorded;    /* JOB_DESCRIBE: its record could not be written; the rest went well */
    bool withdrawn;     /* cut by somebody else while it ran */
    bool stalled;       /* a step said so */
    bool shadowed;      /* something inside hides what was to be taken away */
    struct refusal why; /* the first failure */
    enum gate gate;     /* of `why` */
    uint64_t started_us, step_started_us;
    struct executor *executor;
    void *room_timer; /* its step waits until those who listen have room; or NULL */
    uint64_t room_delay_us;
};

/* A job for a delivery; NULL when memory is short. */
struct job *job_new(enum job_kind kind, struct container *container, struct delivery *delivery);

/* NULL accepted. */
void job_free(struct job *job);

/* Whether we are the ones who tell the container of the kernel's events. */
bool job_tells(const struct container *container, const struct grant *grant);

/*
 * Makes the event that the job tells, true inside, from the event that the kernel sent (taken, may
 * be NULL) or else from what we know; job->event stays NULL where nothing is to be told: in a
 * native network namespace, with OPTIONS+="no_event", or for a `remove` of what was never told.
 * Returns 0 or -ENOMEM; properties that found no room are counted in *dropped.
 */
int job_prepare_add(struct job *job, struct uevent *event_take, const struct device *device,
                    uint64_t *dropped);
void job_prepare_remove(struct job *job, struct uevent *event_take);
void job_prepare_other(struct job *job, struct uevent *event_take);

/* The `add` as it was told, to be told again; NULL: it was not. */
struct uevent *job_repeat_add(const struct delivery *delivery);

/* The event in a hint on the heap, or NULL. */
struct uevent *hint_event(const struct hint *hint);

static inline bool event_has_action(const struct uevent *event, enum uevent_action action)
{
    return event && event->action == action;
}
