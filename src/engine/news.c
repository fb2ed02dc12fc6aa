/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/news.h"

#include "engine/delegation_state.h"
#include "engine/saved.h"

/* One container and one device of which there is news. */
static void consider(struct container *container, struct device *device, const struct uevent *event)
{
    struct delivery *delivery = container_find_delivery(container, device->devpath);
    _cleanup_grant_ struct grant *grant = delegation_desired_now(container, device, !delivery);

    if (delivery && (!grant || !delegation_can_change(delivery->grant, grant)))
        delegation_cut(container, delivery);
    if (delivery || grant)
        delegation_hint(container, device->devpath, device->inode, event);
}

/* What is cut has its hint: that of what took it away. */
static void consider_relative(void *userdata, struct device *device)
{
    struct container *container = userdata;
    const struct delivery *delivery = container_find_delivery(container, device->devpath);
    if (!delivery || !delivery->cut)
        consider(container, device, NULL);
}

static void consider_loss(void *userdata, struct device *device)
{
    struct container *container = userdata;
    struct delivery *delivery = container_find_delivery(container, device->devpath);
    if (!delivery || delivery->cut || delivery->state == DELIVERY_REFUSED)
        return;
    _cleanup_grant_ struct grant *grant = delegation_desired_now(container, device, false);
    if (grant && delegation_can_change(delivery->grant, grant))
        return;
    delegation_cut(container, delivery);
    delegation_hint(container, device->devpath, device->inode, NULL);
}

/* Children go before their parents. */
static void take_descendants(struct container *container, const struct device *device)
{
    world_each_below_reversed(container->delegation->world, device->devpath, consider_loss,
                              container);
}

/* What descendants are given hangs on their ancestors: ATTRS, DRIVERS, OPTIONS+="subtree". */
static void consider_descendants(struct container *container, const struct device *device)
{
    world_each_below(container->delegation->world, device->devpath, consider_relative, container);
}

/* udev's word on what the container was told may be due. */
static void follow(struct container *container, const struct device *device)
{
    const struct delivery *delivery = container_find_delivery(container, device->devpath);
    if (delivery && delivery->owed)
        delegation_hint(container, device->devpath, device->inode, NULL);
}

static void end_device(struct container *container, const struct device *device,
                       const struct uevent *event)
{
    struct delivery *delivery = container_find_delivery(container, device->devpath);
    container_remove_attachment(container, device->devpath);
    if (!delivery || delivery->grant->inode != device->inode)
        return;
    if (delivery->state == DELIVERY_REFUSED) {
        delegation_drop_delivery(container, delivery);
        return;
    }
    delegation_cut(container, delivery);
    delegation_hint(container, device->devpath, device->inode, event);
}

/* Renames one record. Where memory is short it keeps its old name, which nothing has: it is cut. */
static void rename_path(char **devpath, const struct device *device, const char *old)
{
    char *renamed = streq(*devpath, old) ? strdup(device->devpath) : NULL;
    if (!renamed)
        return;
    free(*devpath);
    *devpath = renamed;
}

/*
 * The same incarnation under another devpath: the records follow. Where the container is not `told`
 * (a relative of what moved), what it knows follows at once, as it does for the kernel's listeners.
 */
static void rename_device(struct container *container, const struct device *device, const char *old,
                          bool told)
{
    const struct job *job = container->job;
    for (struct delivery *d = container->deliveries; d; d = d->next)
        if (d->grant->inode == device->inode) {
            rename_path(&d->grant->devpath, device, old);
            if (streq(d->grant->devpath, old))
                delegation_cut(container, d);
            if (!told)
                delivery_move_announcement(d, device->devpath);
            if (!told && d->word && !d->grant->interface) /* inside it has a path of its own */
                udev_word_move(d->word, device->devpath);
            saved_note_delivery(d, job && job->delivery == d ? job : NULL);
        }
    for (struct attachment *a = container->attachments; a; a = a->next)
        if (a->inode == device->inode)
            rename_path(&a->devpath, device, old);
    for (struct hint *h = container->hints; h; h = h->next)
        if (h->inode == device->inode)
            rename_path(&h->devpath, device, old);
    if (job && job->desired && job->desired->inode == device->inode)
        rename_path(&job->desired->devpath, device, old);
    if (job && job->hint && job->hint->inode == device->inode)
        rename_path(&job->hint->devpath, device, old);
}

void news_receive(void *userdata, enum world_news news, struct device *device,
                  const char *old_devpath, const struct uevent *event)
{
    struct delegation *delegation = userdata;
    for (struct container *c = delegation->containers, *next; c; c = next) {
        next = c->next;
        switch (news) {
        case DEVICE_VANISHED:
            take_descendants(c, device);
            end_device(c, device, event);
            consider_descendants(c, device);
            break;
        case DEVICE_MOVED:
            rename_device(c, device, old_devpath, event != NULL);
            consider(c, device, event);
            break;
        case DEVICE_APPEARED:
            consider(c, device, event);
            consider_descendants(c, device); /* there are some where its `add` was lost */
            break;
        case DEVICE_UPDATED:
            if (event)
                take_descendants(c, device);
            consider(c, device, event);
            if (event)
                consider_descendants(c, device);
            break;
        case DEVICE_DESCRIBED:
            take_descendants(c, device);
            consider(c, device, NULL);
            consider_descendants(c, device); /* TAGS, and what a subtree's head is given */
            break;
        case DEVICE_DONE:
            follow(c, device);
            break;
        }
        delegation_turn(c);
    }
}
