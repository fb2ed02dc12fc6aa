/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Errands: requests that a container's courier carries out. The courier is forked with the first
 * errand, lives while there is work and a little longer, and has a deadline for each errand; one
 * that misses it is abandoned. While an abandoned courier of this container still hangs in its file
 * system, no other is sent: at most one process is stuck per container, whichever daemon sent it.
 */

#include <systemd/sd-event.h>

#include "kernel/courier.h"

#define ERRAND_DEADLINE_US 2000000u
#define ERRAND_IDLE_US 5000000u

struct errands;

/* `reply` is NULL when the courier missed its deadline: the container's file system hangs. */
typedef void (*errand_done_fn)(void *userdata, const struct courier_reply *reply);

/* Who is told of each courier before it is asked for anything. */
typedef void (*errand_hired_fn)(void *userdata, pid_t pid);

/* `event` and `namespaces` are borrowed for life, `hired` may be NULL. NULL when memory is short.
 */
struct errands *errands_new(sd_event *event, const struct namespaces *namespaces,
                            errand_hired_fn hired, void *hired_userdata);

/*
 * `pid_fd_take`, a pidfd or -1, is the courier of a daemon before us. It is killed, and has until
 * `until_us` (CLOCK_MONOTONIC) to end; after that it counts as one that was abandoned.
 */
void errands_inherit(struct errands *errands, int pid_fd_take, uint64_t until_us);

/* Abandons what is under way without calling back. NULL accepted. */
void errands_free(struct errands *errands);

/*
 * Sends one request; one at a time. `tree_fd` is borrowed. `done` is called from the event loop.
 * Returns 0, or -EAGAIN (an abandoned courier still hangs there) or another negative errno with the
 * reason.
 */
int errands_send(struct errands *errands, const struct courier_request *request, int tree_fd,
                 errand_done_fn done, void *userdata, struct refusal *why);
