/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/outcome.h"

#include <errno.h>

#include "engine/delegation_state.h"

static void on_retry(void *userdata)
{
    struct container *container = userdata;
    container->retry_timer = NULL;
    container->stalled = false;
    container->compare_wanted = true;
    delegation_turn(container);
}

/* Looks at the container again, later and later as long as nothing goes well. */
static void retry_later(struct container *container)
{
    const struct door *door = container->delegation->door;
    if (container->retry_timer)
        return;
    if (container->retry_delay_us < RETRY_FIRST_US)
        container->retry_delay_us = RETRY_FIRST_US;
    if (door->timer_start(door->userdata, container->retry_delay_us, on_retry, container,
                          &container->retry_timer) < 0)
        container->retry_timer = NULL; /* no memory: the next event or register tries again */
    container->retry_delay_us = container->retry_delay_us * 2 < RETRY_LAST_US
                                    ? container->retry_delay_us * 2
                                    : RETRY_LAST_US;
}

/* The container's file system hangs: its queue rests. */
static void stall(struct container *container, const struct refusal *why)
{
    struct delegation *delegation = container->delegation;
    container->note = *why;
    container->stalled = true;
    delegation->counters.stalls++;
    retry_later(container);
    delegation_report(delegation, ACTIVITY_CONTAINER, container, NULL, "stalled", why);
}

/* Whether trying the same again may go well without anybody changing a rule or an image. */
static bool is_transient(int error)
{
    switch (error) {
    case ENOMEM:
    case ENOSPC:
    case EMFILE:
    case ENFILE:
    case EAGAIN:
    case EPIPE:
    case ECONNRESET:
    case EIO:
    case EINTR:
        return true;
    default:
        return false;
    }
}

/* Somebody may have been refused because of what has just gone: its path, or its being exclusive.
 */
static void revive_in(struct container *container, const char *gone_devpath, bool everything)
{
    for (struct delivery *d = container->deliveries; d; d = d->next)
        if (d->state == DELIVERY_REFUSED && (everything || streq(d->grant->devpath, gone_devpath)))
            delegation_hint(container, d->grant->devpath, d->grant->inode, NULL);
}

void outcome_revive(struct container *container, const char *gone_devpath)
{
    for (struct container *c = container->delegation->containers, *next; c; c = next) {
        next = c->next;
        if (c->leaving)
            continue;
        revive_in(c, gone_devpath, c == container);
        if (c != container)
            delegation_turn(c);
    }
}

/* Whether the part of a take that protects somebody was done. */
static bool is_cut(const struct delivery *delivery)
{
    struct plan plan = {.count = 0};
    plan_cut(&plan, delivery->grant);
    for (size_t i = 0; i < plan.count; i++)
        if ((plan.steps[i].kind == STEP_ACCESS_DENY && !delivery->denied) ||
            (plan.steps[i].kind == STEP_NODE_REVOKE && !delivery->revoked))
            return false;
    return true;
}

static void end_give(struct container *container, struct job *job)
{
    const struct door *door = container->delegation->door;
    struct delivery *delivery = job->delivery;
    char message[UEVENT_INJECT_MAX];

    if (!job->why.error) {
        delivery->state = DELIVERY_DELIVERED;
        int size = job->event ? uevent_serialise(job->event, message, sizeof(message), NULL) : 0;
        if (size > 0 && (delivery->announcement = malloc((size_t)size))) {
            memcpy(delivery->announcement, message, (size_t)size);
            delivery->announcement_size = (size_t)size;
        }
        container->delegation->counters.given++;
        return;
    }
    if (job->stalled || !is_cut(delivery)) { /* something of it may be inside: take it, later */
        delegation_cut(container, delivery);
        delivery->state = DELIVERY_TAKING;
        if (!job->stalled)
            retry_later(container);
        return;
    }
    door->item_free(door->userdata, TAKE_PTR(delivery->item));
    if (job->withdrawn) { /* never seen inside; a hint tells when to look again */
        delegation_drop_delivery(container, delivery);
        return;
    }
    delivery->state = DELIVERY_REFUSED;
    delivery->why = job->why;
    container->delegation->counters.refused++;
    if (is_transient(job->why.error))
        retry_later(container);
}

static bool is_removal(const struct hint *hint)
{
    _cleanup_free_ struct uevent *event = hint_event(hint);
    return event_has_action(event, UEVENT_REMOVE);
}

static void end_take(struct container *container, struct job *job)
{
    _cleanup_free_ char *devpath = strdup(job->delivery->grant->devpath);
    if (job->stalled)
        return; /* its inode is dead; the same plan runs again later */
    if (!is_cut(job->delivery)) {
        retry_later(container);
        return;
    }
    if (job->why.error || job->shadowed)
        container->delegation->counters.residues++;
    container->delegation->counters.taken++;
    delegation_drop_delivery(container, job->delivery);
    if (job->hint && !is_removal(job->hint)) /* its right went: perhaps it has another now */
        container_return_hint(container, TAKE_PTR(job->hint));
    if (devpath)
        outcome_revive(container, devpath);
}

/* A change that fails leaves neither the old rights nor half of the new: it is taken and judged
 * anew. */
static void end_change(struct container *container, struct job *job)
{
    struct delivery *delivery = job->delivery;
    if (!job->why.error) {
        grant_free(delivery->grant);
        delivery->grant = TAKE_PTR(job->desired);
        container->delegation->counters.changed++;
    } else if (!delivery->cut) {
        delegation_cut(container, delivery);
    }
    if (job->hint) /* what happened is still to be told, or taken */
        container_return_hint(container, TAKE_PTR(job->hint));
}

static const char *outcome_of(const struct job *job)
{
    if (job->stalled)
        return "stalled";
    switch (job->kind) {
    case JOB_GIVE:
        return !job->why.error ? "delivered" : job->withdrawn ? "withdrawn" : "refused";
    case JOB_TAKE:
        return job->shadowed ? "taken, but hidden inside by another mount" : "taken";
    case JOB_CHANGE:
        return job->why.error ? "not changed" : "changed";
    case JOB_TELL:
        return job->why.error ? "not told" : "told";
    }
    return "";
}

void outcome_record(void *userdata, struct job *job)
{
    struct delegation *delegation = userdata;
    struct container *container = job->container;

    delegation_report_plan(job, ACTIVITY_OUTCOME, outcome_of(job));
    container->job = NULL;
    if (job->stalled)
        stall(container, &job->why);
    else if (!job->why.error)
        container->retry_delay_us = 0;

    switch (job->kind) {
    case JOB_GIVE:
        end_give(container, job);
        break;
    case JOB_TAKE:
        end_take(container, job);
        break;
    case JOB_CHANGE:
        end_change(container, job);
        break;
    case JOB_TELL:
        delegation->counters.told += !job->why.error;
        break;
    }
    if (job->stalled && job->hint)
        container_return_hint(container, TAKE_PTR(job->hint));
    job_free(job);
    delegation_turn(container);
}
