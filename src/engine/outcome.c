/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/outcome.h"

#include <errno.h>

#include "engine/conflict.h"
#include "engine/delegation_state.h"
#include "engine/description.h"
#include "engine/saved.h"

static void on_retry(void *userdata)
{
    struct container *container = userdata;
    container->retry_timer = NULL;
    container->stalled = false;
    container->compare_wanted = true;
    delegation_turn(container);
}

void outcome_retry(struct container *container)
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

/*
 * Somebody else in the container's device cgroup may be on his way into the container, or there for
 * good; and a group where nothing could be tried out in time is frozen, or the machine is busy. So
 * it is tried again, but not for ever.
 */
static bool is_passing(const struct container *container, int error)
{
    return (error == EUSERS || error == ETIMEDOUT) && container->retry_delay_us <= RETRY_PASSING_US;
}

static bool is_within(const char *devpath, const char *head)
{
    const char *rest = after_prefix(devpath, head);
    return rest && (!*rest || *rest == '/');
}

/*
 * Somebody may have been refused because of what has just gone. In the same container that can be
 * any delivery (a path, a link), elsewhere only one that met a conflict: of the same device, or of
 * one below it.
 */
static void revive_in(struct container *container, const char *gone_devpath, bool same)
{
    for (struct delivery *d = container->deliveries; d; d = d->next)
        if (d->state == DELIVERY_REFUSED &&
            (same || (d->conflicting && is_within(d->grant->devpath, gone_devpath))))
            delegation_hint(container, d->grant->devpath, d->grant->inode, NULL);
}

/* Who is revived may fail and revive another: all take their turns here, none further down the
 * stack. It ends, as a failure that is no conflict is not revived from elsewhere. */
static void turn_others(struct delegation *delegation, const struct container *container)
{
    delegation->revived_anew = true;
    if (delegation->reviving)
        return;
    delegation->reviving = true;
    while (delegation->revived_anew) {
        delegation->revived_anew = false;
        for (struct container *c = delegation->containers, *next; c; c = next) {
            next = c->next;
            if (c != container)
                delegation_turn(c);
        }
    }
    delegation->reviving = false;
}

static void revive_others(struct container *container, const char *gone_devpath)
{
    for (struct container *c = container->delegation->containers; c; c = c->next)
        if (c != container && !c->leaving)
            revive_in(c, gone_devpath, false);
    turn_others(container->delegation, container);
}

void outcome_stall(struct container *container, const struct refusal *why)
{
    struct delegation *delegation = container->delegation;
    container->note = *why;
    container->stalled = container->hung = true;
    delegation->counters.stalls++;
    outcome_retry(container);
    delegation_report(delegation, ACTIVITY_CONTAINER, container, NULL, "stalled", why);
    revive_others(container, ALL_DEVICES); /* who let it go first waits no longer */
}

void outcome_revive(struct container *container, const char *gone_devpath)
{
    if (!container->leaving)
        revive_in(container, gone_devpath, true);
    revive_others(container, gone_devpath);
}

/* Whoever yields a link to the delivery looks whether it still has to. */
static void revive_yielding(struct container *container, const struct delivery *delivery)
{
    for (struct delivery *d = container->deliveries; d; d = d->next)
        if (d != delivery && !d->cut && d->state != DELIVERY_REFUSED &&
            conflict_yields_to(d, delivery->grant))
            delegation_hint(container, d->grant->devpath, d->grant->inode, NULL);
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
        description_expect(job);
        saved_note_delivery(delivery, NULL);
        return;
    }
    if (job->stalled ||
        !delivery_is_cut(delivery)) { /* something of it may be inside: take it, later */
        delegation_cut(container, delivery);
        delivery->state = DELIVERY_TAKING;
        if (!job->stalled)
            outcome_retry(container);
        return;
    }
    _cleanup_free_ char *devpath = strdup(delivery->grant->devpath);
    door->item_free(door->userdata, TAKE_PTR(delivery->item));
    if (job->withdrawn) { /* never seen inside; a hint tells when to look again */
        delegation_drop_delivery(container, delivery);
    } else {
        delivery_refuse(delivery, job->gate, &job->why);
        delivery->grant->yielded = 0;
        container->delegation->counters.refused++;
        if (is_transient(job->why.error) || is_passing(container, job->why.error))
            outcome_retry(container);
    }
    if (devpath)
        revive_others(container, devpath);
}

/* It stays mounted inside, out of our reach; whoever finds it there is told that by `status`. */
static void note_shadowed(struct container *container, const struct delivery *delivery)
{
    (void)refuse(&container->note, ENXIO,
                 "%s was taken back and opens no more, but something lies over it "
                 "inside, and its dead node stays below",
                 delivery->grant->node);
}

static void end_take(struct container *container, struct job *job)
{
    _cleanup_free_ char *devpath = strdup(job->delivery->grant->devpath);
    if (job->stalled)
        return; /* its inode is dead; the same plan runs again later */
    if (!delivery_is_cut(job->delivery)) {
        outcome_retry(container);
        return;
    }
    if (job->why.error || job->shadowed)
        container->delegation->counters.residues++;
    if (job->shadowed)
        note_shadowed(container, job->delivery);
    container->delegation->counters.taken++;
    revive_yielding(container, job->delivery);
    delegation_drop_delivery(container, job->delivery);
    if (job->hint) /* its right went: perhaps it has another now */
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
        job->desired->link_priority = delivery->grant->link_priority; /* newer, after a reload */
        grant_free(delivery->grant);
        delivery->grant = TAKE_PTR(job->desired);
        container->delegation->counters.changed++;
        saved_note_delivery(delivery, NULL);
    } else if (!delivery->cut) {
        delegation_cut(container, delivery);
    }
    if (job->hint) /* what happened is still to be told, or taken */
        container_return_hint(container, TAKE_PTR(job->hint));
}

/*
 * A failure is treated as that of a change. The hint may be of another delivery, for which this one
 * yielded; if nothing comes of that, this one gets its links back.
 */
static void end_relink(struct container *container, struct job *job)
{
    struct delivery *delivery = job->delivery;
    if (!job->why.error) {
        delivery->grant->yielded = job->yielded;
        container->delegation->counters.changed++;
        saved_note_delivery(delivery, NULL);
        revive_yielding(container, delivery);
    } else {
        delegation_cut(container, delivery);
        delivery->state = DELIVERY_TAKING;
    }
    delegation_hint(container, delivery->grant->devpath, delivery->grant->inode, NULL);
    if (job->hint)
        container_return_hint(container, TAKE_PTR(job->hint));
}

static void end_tell(struct container *container, struct job *job)
{
    if (job->why.error)
        return;
    container->delegation->counters.told++;
    if (job->event->action == UEVENT_MOVE) {
        delivery_move_announcement(job->delivery, uevent_get(job->event, "DEVPATH"));
        saved_note_delivery(job->delivery, NULL);
    }
    description_expect(job);
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
    case JOB_RELINK:
        return job->why.error ? "not relinked" : "relinked";
    case JOB_TELL:
        return job->why.error ? "not told" : "told";
    case JOB_DESCRIBE:
        return job->why.error ? "not described" : "described";
    case JOB_HAND_OVER:
        return job->why.error ? "not handed over" : "handed over";
    }
    return "";
}

/* Telling alone changes nothing that a successor would not do again. */
void outcome_expect(void *userdata, const struct job *job)
{
    (void)userdata;
    if (job->kind != JOB_TELL)
        saved_note_delivery(job->delivery, job);
}

void outcome_record(void *userdata, struct job *job)
{
    struct container *container = job->container;
    (void)userdata; /* the container knows its delegation */

    if (job->kind == JOB_DESCRIBE)
        description_soften(job);
    delegation_report_plan(job, ACTIVITY_OUTCOME, outcome_of(job));
    container->job = NULL;
    if (job->stalled)
        outcome_stall(container, &job->why);
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
    case JOB_RELINK:
        end_relink(container, job);
        break;
    case JOB_TELL:
        end_tell(container, job);
        break;
    case JOB_DESCRIBE:
        description_end(job);
        break;
    case JOB_HAND_OVER:
        description_end_hand_over(job);
        break;
    }
    if (job->stalled && job->hint)
        container_return_hint(container, TAKE_PTR(job->hint));
    job_free(job);
    delegation_turn(container);
}
