/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/drain.h"

#include "base/log.h"

struct drain {
    struct service *service;
    sd_event_source *timer;
    size_t waiting; /* containers at work; and one while they are still being asked */
    void (*fn)(void *userdata);
    void *userdata;
};

static void finish_drain(struct drain *drain)
{
    struct drain ended = *drain;
    delegation_wait_cancel(ended.service->delegation, drain);
    sd_event_source_disable_unref(ended.timer);
    free(drain);
    ended.fn(ended.userdata);
}

static int on_drain_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct drain *drain = userdata;
    (void)source;
    (void)usec;
    log_line(LOG_WARNING, "work on a container does not end in time; a successor goes on with it");
    finish_drain(drain);
    return 0;
}

static void on_drained(void *userdata, enum container_end end)
{
    struct drain *drain = userdata;
    (void)end;
    if (--drain->waiting == 0)
        finish_drain(drain);
}

void drain_start(struct service *service, uint64_t deadline_us, void (*fn)(void *userdata),
                 void *userdata)
{
    struct drain *drain = calloc(1, sizeof(*drain));
    service->stopping = true;
    if (!drain || sd_event_add_time_relative(service->event, &drain->timer, CLOCK_MONOTONIC,
                                             deadline_us, 1, on_drain_deadline, drain) < 0) {
        free(drain);
        fn(userdata);
        return;
    }
    drain->service = service;
    drain->waiting = 1;
    drain->fn = fn;
    drain->userdata = userdata;
    delegation_hurry(service->delegation);
    for (struct container *c = delegation_containers(service->delegation), *next; c; c = next) {
        next = c->next;
        drain->waiting++;
        if (delegation_wait(service->delegation, c, on_drained, drain) < 0)
            drain->waiting--;
    }
    on_drained(drain, CONTAINER_SETTLED);
}
