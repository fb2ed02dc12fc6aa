/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/job.h"

#include <errno.h>

#include "engine/executor.h"
#include "model/announcement.h"

struct job *job_new(enum job_kind kind, struct container *container, struct delivery *delivery)
{
    struct job *job = calloc(1, sizeof(*job));
    if (!job)
        return NULL;
    job->kind = kind;
    job->container = container;
    job->delivery = delivery;
    return job;
}

void job_free(struct job *job)
{
    if (!job)
        return;
    if (job->room_timer)
        job->executor->door->timer_cancel(job->executor->door->userdata, job->room_timer);
    hint_free(job->hint);
    grant_free(job->desired);
    free(job->event);
    udev_word_free(job->word);
    free(job);
}

bool job_tells(const struct container *container, const struct grant *grant)
{
    return container->facts.netns == NETNS_ISOLATED && !(grant->options & OPTION_NO_EVENT) &&
           !grant->interface; /* the kernel sends its events where it is */
}

static struct uevent *parse_event(const char *message, size_t size)
{
    struct uevent *event = message ? malloc(sizeof(*event)) : NULL;
    if (event && uevent_parse(event, message, size, NULL) < 0) {
        free(event);
        return NULL;
    }
    return event;
}

struct uevent *hint_event(const struct hint *hint)
{
    return parse_event(hint->message, hint->message_size);
}

/* The `add`: the kernel's own where there is one. */
int job_prepare_add(struct job *job, struct uevent *event_take, const struct device *device,
                    uint64_t *dropped)
{
    struct uevent *event = event_has_action(event_take, UEVENT_ADD) ? event_take : NULL;
    if (!event)
        free(event_take);
    if (!job_tells(job->container, job->delivery->grant)) {
        free(event);
        return 0;
    }
    if (!event) {
        event = malloc(sizeof(*event));
        if (!event || announcement_from_device(device, event) < 0) {
            free(event);
            return -ENOMEM;
        }
    }
    *dropped += announcement_for_grant(event, job->delivery->grant);
    job->event = event;
    return 0;
}

/* The `remove`: the kernel's own, or the `add` told again with another action; none for one never
 * told. */
void job_prepare_remove(struct job *job, struct uevent *event_take)
{
    const struct delivery *delivery = job->delivery;
    struct uevent *event = event_has_action(event_take, UEVENT_REMOVE) ? event_take : NULL;
    if (!event)
        free(event_take);
    if (!delivery->announcement) {
        free(event);
        return;
    }
    if (!event) {
        event = parse_event(delivery->announcement, delivery->announcement_size);
        if (event)
            (void)uevent_set(event, "ACTION", uevent_action_name(UEVENT_REMOVE));
    }
    if (event)
        (void)announcement_for_grant(event, delivery->grant);
    job->event = event;
}

void job_prepare_other(struct job *job, struct uevent *event_take)
{
    (void)announcement_for_grant(event_take, job->delivery->grant);
    job->event = event_take;
}

struct uevent *job_repeat_add(const struct delivery *delivery)
{
    return parse_event(delivery->announcement, delivery->announcement_size);
}
