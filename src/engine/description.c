/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/description.h"

#include <errno.h>

#include "engine/delegation_state.h"
#include "engine/mark.h"
#include "engine/outcome.h"
#include "engine/saved.h"

static void note(struct container *container, const struct refusal *why)
{
    delegation_note(container, "udev's word cannot be told inside", why);
}

/* It stays with what was known last. Said once, whatever else is noted meanwhile. */
static void note_unknown(struct container *container, int error)
{
    struct refusal why;
    if (container->udevd_unknown || error == ESRCH)
        return;
    container->udevd_unknown = true;
    refuse(&why, error, "whether a udevd runs inside cannot be known: %s",
           error == E2BIG ? "too many sockets listen there" : strerror(error));
    delegation_note(container, "taken to be as it was", &why);
}

void description_look(struct container *container)
{
    const struct door *door = container->delegation->door;
    if (!container->facts.tells_udev || container->leaving)
        return;
    int has = door->place_has_udevd(door->userdata, container->place);
    if (has < 0) {
        note_unknown(container, -has);
        return;
    }
    container->udevd_unknown = false;
    if (has == container->has_udevd)
        return;
    container->has_udevd = has;
    saved_note_container(container);
    delegation_report(container->delegation, ACTIVITY_CONTAINER, container, NULL,
                      has ? "a udevd runs inside" : "no udevd runs inside any more", NULL);
    if (!has)
        mark_forget(container); /* the marker went with the udevd's socket */
    for (struct delivery *d = container->deliveries; d; d = d->next)
        if (d->state == DELIVERY_DELIVERED && !d->cut)
            delegation_hint(container, d->grant->devpath, d->grant->inode, NULL);
}

static bool tells(const struct grant *grant)
{
    return !(grant->options & OPTION_NO_EVENT);
}

static void forget_debts(struct delivery *delivery)
{
    while (delivery->owed)
        delivery_settle_debt(delivery);
}

static void owe(struct container *container, struct delivery *delivery, struct hint *hint)
{
    struct delegation_counters *counters = &container->delegation->counters;
    int fate = tells(delivery->grant) ? delivery_owe(delivery, hint) : DEBT_KEPT;
    if (fate < 0)
        outcome_retry(container);
    counters->merged_words += fate == DEBT_MERGED;
    counters->dropped_words += fate == DEBT_DROPPED;
}

/* What is given is told as `add`, whatever the event that gave it: so udev's word is on that. */
static void forget_cause(struct hint *hint)
{
    _cleanup_free_ struct uevent *event = hint_event(hint);
    if (event_has_action(event, UEVENT_ADD))
        return;
    free(hint->message);
    hint->message = NULL;
}

void description_expect(struct job *job)
{
    struct container *container = job->container;
    if (!container->facts.tells_udev)
        return;
    if (job->kind == JOB_GIVE)
        job->delivery->handed_over = container->has_udevd;
    if (container->has_udevd || !job->hint)
        return;
    if (job->kind == JOB_GIVE)
        forget_cause(job->hint);
    owe(container, job->delivery, job->hint);
    free(job->hint->message); /* it is told; the hint says to look again */
    job->hint->message = NULL;
    container_return_hint(container, TAKE_PTR(job->hint));
}

/* The links that are there. */
static int list_links(const struct grant *grant, struct name_list *ret)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < grant->symlink_count; i++)
        if (grant_has_link(grant, i))
            r = name_list_add(ret, grant->symlinks[i]);
    return r;
}

static int word_new(const struct grant *grant, const struct udev_inside_source *moment,
                    uint64_t seqnum, struct udev_word **ret, struct refusal *why)
{
    _cleanup_(name_list_done) struct name_list links = {0};
    struct udev_inside_source source = *moment;
    source.grant = grant;
    source.links = &links;
    if (list_links(grant, &links) < 0)
        return refuse(why, ENOMEM, "no memory for what udev says");
    return udev_word_new(&source, moment->event ? moment->event->action : UEVENT_ADD,
                         seqnum ? seqnum : 1, ret, why);
}

/* The word on the oldest event that is owed, or (NULL) on the device as it is. */
static int make_word(struct delivery *delivery, const struct device *device,
                     const struct hint *owed, struct udev_word **ret, struct refusal *why)
{
    _cleanup_free_ struct uevent *event = owed ? hint_event(owed) : NULL;
    if (!delivery->described_us)
        delivery->described_us = now_us();
    const struct udev_inside_source moment = {.device = device,
                                              .event = event,
                                              .ifindex = delivery->ifindex,
                                              .now_us = delivery->described_us};
    return word_new(delivery->grant, &moment, owed && owed->seqnum ? owed->seqnum : device->since,
                    ret, why);
}

/* A word without an event is a record alone. */
static void silence(struct udev_word *word)
{
    free(word->message);
    word->message = NULL;
}

int description_foresee(const struct container *container, const struct grant *grant,
                        const struct device *device, struct udev_word **ret, struct refusal *why)
{
    const struct udev_inside_source moment = {.device = device, .now_us = now_us()};
    if (!container->facts.tells_udev || container->has_udevd)
        return 0;
    int r = word_new(grant, &moment, device->since, ret, why);
    if (r < 0)
        return r;
    if (!tells(grant))
        silence(*ret);
    return 1;
}

static bool start(struct container *container, struct delivery *delivery, enum job_kind kind,
                  struct udev_word *word_take, struct hint *hint_take)
{
    _cleanup_udev_word_ struct udev_word *word = word_take;
    const struct udev_word *before = delivery->recorded ? delivery->word : NULL;
    struct job *job = job_new(kind, container, delivery);
    if (!job) {
        outcome_retry(container);
        return false;
    }
    job->hint = hint_take;
    job->word = TAKE_PTR(word);
    if (kind == JOB_DESCRIBE) {
        plan_describe(&job->plan, delivery->grant, before, job->word);
    } else {
        job->event = job_repeat_add(delivery);
        plan_hand_over(&job->plan, delivery->grant, delivery->word, job->event);
    }
    delegation_report_plan(job, ACTIVITY_DECISION, kind == JOB_DESCRIBE ? "describe" : "hand over");
    executor_start(&container->delegation->executor, job);
    return true;
}

/* Whether udev's word on the event is there, or none is to be waited for. */
static bool describe(struct container *container, struct delivery *delivery, struct device *device,
                     struct hint *hint)
{
    struct udev_word *word = NULL;
    struct refusal why;
    struct hint *owed = delivery->owed;

    if (!world_is_described(container->delegation->world, device, owed ? owed->seqnum : 0))
        return false;
    if (make_word(delivery, device, owed, &word, &why) < 0) {
        note(container, &why);
        delivery_settle_debt(delivery);
        return false;
    }
    if (!owed && delivery->word && udev_word_same_record(delivery->word, word)) {
        udev_word_free(word);
        return false;
    }
    if (!owed)
        silence(word);
    return start(container, delivery, JOB_DESCRIBE, word, hint);
}

bool description_take_up(struct container *container, struct delivery *delivery,
                         struct device *device, struct hint *hint, const struct uevent *event)
{
    if (!container->facts.tells_udev || delivery->state != DELIVERY_DELIVERED)
        return false;
    if (container->has_udevd) {
        forget_debts(delivery);
        return !delivery->handed_over && start(container, delivery, JOB_HAND_OVER, NULL, hint);
    }
    delivery->handed_over = false;
    if (event && container->facts.netns == NETNS_NATIVE)
        owe(container, delivery, hint);
    return describe(container, delivery, device, hint);
}

void description_prepare_end(struct job *job)
{
    const struct delivery *delivery = job->delivery;
    uint64_t seqnum = job->hint ? job->hint->seqnum : 0;
    if (delivery->word && delivery->udev_told && !job->container->has_udevd)
        (void)udev_word_end(delivery->word, seqnum ? seqnum : 1, &job->word);
}

/* What may be inside is what is to be taken away. */
static void replace_word(struct job *job)
{
    struct delivery *delivery = job->delivery;
    if (delivery->word && job->position == 0)
        return;
    udev_word_free(delivery->word);
    delivery->word = TAKE_PTR(job->word);
    delivery->recorded = !job->why.error && !job->unrecorded;
}

void description_soften(struct job *job)
{
    if (!job->why.error || job->stalled || job->withdrawn)
        return;
    note(job->container, &job->why);
    job->why.error = 0;
    job->unrecorded = true;
}

void description_end(struct job *job)
{
    struct container *container = job->container;
    struct delivery *delivery = job->delivery;
    bool told = job->word->message && !job->stalled && !job->withdrawn;

    replace_word(job);
    if (told) {
        delivery->udev_told = true;
        delivery_settle_debt(delivery);
    }
    saved_note_delivery(delivery, NULL);
    if (!job->why.error && !job->unrecorded)
        container->delegation->counters.described++;
    if (!job->stalled && job->hint)
        container_return_hint(container, TAKE_PTR(job->hint));
}

void description_end_hand_over(struct job *job)
{
    struct delivery *delivery = job->delivery;
    if (job->stalled || job->withdrawn)
        return;
    delivery->handed_over = true;
    delivery->recorded = delivery->udev_told = false;
    udev_word_free(TAKE_PTR(delivery->word));
    saved_note_delivery(delivery, NULL);
}
