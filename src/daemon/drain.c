/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/drain.h"

#include "base/log.h"

struct drain {
    struct service *service;
    sd_event_source *timer;
    size_t waiting; /* containers that have not gone; and one while they are still being asked */
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
    log_line(LOG_WARNING, "a container does not let go in time; stopping without it");
    finish_drain(drain);
    return 0;
}

static void on_drained(void *userdata, enum container_end end)
{
    struct drain *drain = userdata;
    if (end == CONTAINER_HELD)
        log_line(LOG_WARNING, "a container keeps what cannot be taken back; stopping without it");
    if (--drain->waiting == 0)
        finish_drain(drain);
}

static void free_names(char **names)
{
    for (size_t i = 0; names && names[i]; i++)
        free(names[i]);
    free(names);
}
DEFINE_CLEANUP(char **, free_names)

/* Of all containers; NULL ends them. NULL when memory is short. */
static char **container_names(const struct service *service)
{
    size_t count = 0;
    for (struct container *c = delegation_containers(service->delegation); c; c = c->next)
        count++;
    char **names = calloc(count + 1, sizeof(*names));
    count = 0;
    for (struct container *c = delegation_containers(service->delegation); names && c; c = c->next)
        if ((names[count] = strdup(c->name)))
            count++;
    return names;
}

void drain_start(struct service *service, uint64_t deadline_us, void (*fn)(void *userdata),
                 void *userdata)
{
    /* by name: one that goes may let another go with it */
    _cleanup_(free_namesp) char **names = container_names(service);
    struct drain *drain = calloc(1, sizeof(*drain));
    service->stopping = true;
    if (!names || !drain ||
        sd_event_add_time_relative(service->event, &drain->timer, CLOCK_MONOTONIC, deadline_us, 1,
                                   on_drain_deadline, drain) < 0) {
        free(drain);
        fn(userdata);
        return;
    }
    drain->service = service;
    drain->waiting = 1;
    drain->fn = fn;
    drain->userdata = userdata;
    for (char **name = names; *name; name++) {
        drain->waiting++;
        if (delegation_unregister(service->delegation, *name, on_drained, drain) < 0)
            drain->waiting--;
    }
    on_drained(drain, CONTAINER_GONE);
}
