/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container as a whole, desired against delivered: after a reload, or when hints were dropped. */
#include "engine/conflict.h"
#include "engine/delegation_state.h"

static void compare_device(void *userdata, struct device *device)
{
    struct container *container = userdata;
    const struct delivery *delivery = container_find_delivery(container, device->devpath);
    if (delivery && delivery->state != DELIVERY_REFUSED)
        return;
    _cleanup_grant_ struct grant *grant = delegation_desired_now(container, device, true);
    if (grant || delivery)
        delegation_hint(container, device->devpath, device->inode, NULL);
}

/* Only when all priorities are known, or a link would go from hand to hand. */
static void compare_links(struct container *container)
{
    uint32_t yielded;
    for (struct delivery *d = container->deliveries; d; d = d->next)
        if (d->state != DELIVERY_REFUSED && !d->cut &&
            conflict_find_unsettled(container, d->grant, d, &yielded))
            delegation_hint(container, d->grant->devpath, d->grant->inode, NULL);
}

static void forget_attributes(void *userdata, struct device *device)
{
    world_forget_attributes(userdata, device);
}

void delegation_forget_attributes(struct delegation *delegation)
{
    world_each(delegation->world, forget_attributes, delegation->world);
}

void delegation_compare(struct container *container)
{
    for (struct delivery *d = container->deliveries_tail; d; d = d->previous) {
        struct device *device = world_find(container->delegation->world, d->grant->devpath);
        _cleanup_grant_ struct grant *grant = delegation_desired_now(container, device, false);
        if (d->state == DELIVERY_REFUSED && !container->leaving)
            continue;
        if (grant)
            d->grant->link_priority = grant->link_priority;
        if (!grant || !delegation_can_change(d->grant, grant))
            delegation_cut(container, d);
        else if (!d->cut && grant_equal(d->grant, grant)) {
            grant_adopt_origin(d->grant, grant);
            continue;
        }
        delegation_hint(container, d->grant->devpath, d->grant->inode, NULL);
    }
    if (container->leaving)
        return;
    compare_links(container);
    world_each(container->delegation->world, compare_device, container);
}
