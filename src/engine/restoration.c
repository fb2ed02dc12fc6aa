/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a predecessor delivered and noted (saved.c) is taken over as it is: same inode, same mount,
 * and nobody inside hears of it. What it had begun and not ended counts as all inside, and goes.
 */
#include <errno.h>

#include "engine/delegation_state.h"
#include "engine/description.h"
#include "engine/interface.h"
#include "engine/mark.h"
#include "engine/saved.h"

/* The permission is there already, unless somebody took it; from now on it is ours. */
static int allow_again(struct container *container, struct delivery *delivery)
{
    const struct door *door = container->delegation->door;
    struct plan plan = {.count = 0};
    struct step_result result = {.why.error = 0};
    plan_give(&plan, delivery->grant, NULL);
    for (size_t i = 0; i < plan.count; i++)
        if (plan.steps[i].kind == STEP_ACCESS_ALLOW)
            (void)door->run(door->userdata, container->place, delivery->item, &plan.steps[i], NULL,
                            NULL, NULL, &result);
    return -result.why.error;
}

/* udev's word on the device was awaited when the predecessor ended: it is owed still. */
static void owe_word(struct container *container, struct delivery *delivery)
{
    struct hint hint = {.devpath = delivery->grant->devpath,
                        .inode = delivery->grant->inode,
                        .message_size = delivery->announcement_size};
    bool awaited = delivery->announcement && !delivery->udev_told && !delivery->handed_over &&
                   container->facts.tells_udev && !container->has_udevd;
    if (!awaited || !(hint.message = malloc(hint.message_size)))
        return;
    memcpy(hint.message, delivery->announcement, hint.message_size);
    if (delivery_owe(delivery, &hint) < 0)
        free(hint.message);
}

/* What others in its network namespace heard they are not told again. (Of what was half given or
 * half taken it is not known whether they heard; its `remove` is told.) */
static void resume_told(struct container *container, const struct delivery *delivery)
{
    const struct door *door = container->delegation->door;
    door->place_resume_told(door->userdata, container->place, delivery->grant->inode,
                            delivery->announcement, delivery->announcement_size,
                            delivery->udev_told);
}

static void take_over(struct container *container, struct delivery *delivery, bool certain,
                      bool revoked)
{
    bool whole = certain && !revoked && !delivery->grant->interface;
    delivery->state = whole ? DELIVERY_DELIVERED : DELIVERY_TAKING;
    if (whole)
        owe_word(container, delivery);
    else
        delegation_cut(container, delivery);
}

static int restore_delivery(struct container *container, const struct saved_item *saved)
{
    const struct door *door = container->delegation->door;
    struct grant *grant;
    bool certain;
    int r = saved_read_grant(saved->engine, &grant);
    if (r < 0)
        return r;
    struct delivery *delivery = container_add_delivery(container, grant);
    if (!delivery) {
        grant_free(grant);
        return -ENOMEM;
    }
    r = saved_read_delivery(delivery, saved->engine, &certain);
    if (r == 0)
        r = door->item_resume(door->userdata, container->place, saved->id, saved->door, grant,
                              delivery->ifindex, certain, interface_lost, delivery,
                              &delivery->item);
    if (r < 0) {
        container_remove_delivery(container, delivery);
        return r;
    }
    if (certain)
        resume_told(container, delivery);
    take_over(container, delivery, certain, r > 0);
    return 0;
}

/* One that cannot be read, or has no node any more, is as if it had not been. */
static void restore_deliveries(struct container *container, const struct saved_place *saved)
{
    const struct door *door = container->delegation->door;
    for (size_t i = 0; i < saved->item_count; i++) {
        struct refusal why;
        int r = restore_delivery(container, &saved->items[i]);
        if (r == 0)
            continue;
        door->item_drop(door->userdata, container->place, saved->items[i].id);
        refuse(&why, -r, "%s", r == -EBADMSG ? "the note is no note of ours" : strerror(-r));
        delegation_report(container->delegation, ACTIVITY_CONTAINER, container, NULL,
                          "one of its devices could not be taken over", &why);
    }
}

int delegation_restore(struct delegation *delegation, const struct saved_place *saved,
                       struct refusal *why)
{
    struct container *container;
    int r = registration_resume(delegation, saved, &container, why);
    if (r < 0)
        return r;
    if (saved_read_container(container, saved->engine) < 0)
        delegation_report(delegation, ACTIVITY_CONTAINER, container, NULL,
                          "its labels or attachments could not be taken over", NULL);
    saved_note_container(container);
    restore_deliveries(container, saved);
    delegation_report(delegation, ACTIVITY_CONTAINER, container, NULL, "taken over", NULL);
    return 0;
}

/* What stays is allowed again; and a look at each device: udev may have said more, meanwhile. */
static void judge(struct container *container)
{
    mark_judge(container, container->delegation->rules);
    description_look(container);
    delegation_compare(container);
    for (struct delivery *d = container->deliveries; d; d = d->next)
        if (d->state == DELIVERY_DELIVERED && !d->cut) {
            if (allow_again(container, d) < 0)
                delegation_cut(container, d);
            delegation_hint(container, d->grant->devpath, d->grant->inode, NULL);
        }
}

void delegation_resume(struct delegation *delegation)
{
    const struct door *door = delegation->door;
    delegation_forget_attributes(delegation);
    for (struct container *c = delegation->containers; c; c = c->next)
        judge(c);
    for (struct container *c = delegation->containers; c; c = c->next)
        door->place_prune(door->userdata, c->place);
    for (struct container *c = delegation->containers, *next; c; c = next) {
        next = c->next;
        delegation_turn(c);
    }
}
