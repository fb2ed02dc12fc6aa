/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Runs one plan for one container, step by step through the door; a step may end later. A plan to
 * give that fails, or whose delivery was cut meanwhile, is undone backwards; a plan to take goes on
 * after a failure, as every step left undone would be worse.
 */

#include "engine/job.h"
#include "engine/observer.h"

struct executor {
    const struct door *door;
    const struct observer *observer;
    /* Its first step is about to be run. */
    void (*on_start)(void *userdata, const struct job *job);
    /* The plan ended: job->why, job->stalled tell how. The job is freed after the call. */
    void (*on_end)(void *userdata, struct job *job);
    /* Somebody in the container does not read what is told, and misses the next event. */
    void (*on_overrun)(void *userdata, struct container *container);
    /* A step about the network interface of a delivery ended; or, with an error, its return did. */
    void (*on_interface)(void *userdata, struct delivery *delivery, enum step_kind kind,
                         const struct step_result *result);
    bool hurried; /* nobody waits for readers any more */
    void *userdata;
};

/* Starts a job whose plan is filled; it becomes the container's. on_end may be called before the
 * return. */
void executor_start(struct executor *executor, struct job *job);

/*
 * The first half of a take, at once and besides whatever is pending: the device cgroup and our
 * inode. After it nothing of the delivery opens any more. Can be done again: what failed is tried
 * again.
 */
void executor_cut(struct executor *executor, struct container *container,
                  struct delivery *delivery);
