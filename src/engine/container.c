/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/container.h"

#include <ctype.h>
#include <errno.h>

int container_name_check(const char *name, struct refusal *why)
{
    size_t length = strlen(name);
    if (length == 0 || length >= CONTAINER_NAME_MAX)
        return refuse(why, EINVAL, "a container's name has 1 to %d characters, this has %zu",
                      CONTAINER_NAME_MAX - 1, length);
    if (*name == '.' || *name == '-')
        return refuse(why, EINVAL, "a container's name does not begin with '%c': %s", *name, name);
    for (const char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("._:@-", *p))
            return refuse(why, EINVAL,
                          "a container's name has letters, digits and . _ : @ - only: %s", name);
    return 0;
}

struct container *container_new(const char *name, pid_t pid)
{
    struct container *container = calloc(1, sizeof(*container));
    if (!container)
        return NULL;
    container->name = strdup(name);
    container->pid = pid;
    if (!container->name) {
        free(container);
        return NULL;
    }
    return container;
}

static void attachment_free(struct attachment *attachment)
{
    free(attachment->devpath);
    share_done(&attachment->share);
    free(attachment);
}

void container_free(struct container *container)
{
    if (!container)
        return;
    while (container->deliveries)
        container_remove_delivery(container, container->deliveries);
    while (container->attachments) {
        struct attachment *attachment = container->attachments;
        container->attachments = attachment->next;
        attachment_free(attachment);
    }
    container_drop_hints(container);
    property_list_done(&container->labels);
    free(container->name);
    free(container);
}

bool delivery_is_cut_of(const struct delivery *delivery, enum step_kind kind)
{
    return (kind == STEP_ACCESS_DENY && delivery->denied) ||
           (kind == STEP_NODE_REVOKE && delivery->revoked) ||
           (kind == STEP_INTERFACE_RETURN && delivery->returned);
}

bool delivery_is_cut(const struct delivery *delivery)
{
    struct plan plan = {.count = 0};
    plan_cut(&plan, delivery->grant);
    for (size_t i = 0; i < plan.count; i++)
        if (!delivery_is_cut_of(delivery, plan.steps[i].kind))
            return false;
    return true;
}

void delivery_refuse(struct delivery *delivery, enum gate gate, const struct refusal *why)
{
    delivery->state = DELIVERY_REFUSED;
    delivery->why = *why;
    delivery->gate = gate;
}

bool delivery_takes_event(const struct delivery *delivery, const struct uevent *event)
{
    return event && delivery->announcement && event->action != UEVENT_ADD &&
           event->action != UEVENT_REMOVE;
}

void delivery_move_announcement(struct delivery *delivery, const char *devpath)
{
    struct uevent event;
    char message[UEVENT_INJECT_MAX];

    if (!delivery->announcement ||
        uevent_parse(&event, delivery->announcement, delivery->announcement_size, NULL) < 0 ||
        uevent_set(&event, "DEVPATH", devpath) < 0)
        return;
    int size = uevent_serialise(&event, message, sizeof(message), NULL);
    char *moved = size > 0 ? malloc((size_t)size) : NULL;
    if (!moved)
        return;
    memcpy(moved, message, (size_t)size);
    free(delivery->announcement);
    delivery->announcement = moved;
    delivery->announcement_size = (size_t)size;
}

void hint_free(struct hint *hint)
{
    if (!hint)
        return;
    free(hint->devpath);
    free(hint->message);
    free(hint);
}

static struct hint *hint_new(const char *devpath, uint64_t inode, const char *message,
                             size_t message_size)
{
    struct hint *hint = calloc(1, sizeof(*hint));
    if (!hint)
        return NULL;
    hint->inode = inode;
    hint->devpath = strdup(devpath);
    if (message) {
        hint->message = malloc(message_size);
        hint->message_size = message_size;
        if (hint->message)
            memcpy(hint->message, message, message_size);
    }
    if (!hint->devpath || (message && !hint->message)) {
        hint_free(hint);
        return NULL;
    }
    return hint;
}

void delivery_settle_debt(struct delivery *delivery)
{
    struct hint *oldest = delivery->owed;
    if (!oldest)
        return;
    delivery->owed = oldest->next;
    if (!delivery->owed)
        delivery->owed_tail = NULL;
    delivery->owed_count--;
    hint_free(oldest);
}

/* A serialised message begins with its action. */
static bool owes(const struct hint *debt, const char *action)
{
    return debt->message && after_prefix(debt->message, action);
}

/* What is given is told as `add`: the debt may have come without a message. */
static bool owes_add(const struct hint *debt)
{
    return !debt->message || owes(debt, "add@");
}

/*
 * The one that can be missed best, and whether the word on another one stands for it. A word tells
 * what the device has become, so that of two changes the newer says all. An `add` has to be said,
 * or what follows is of a device that nobody knows; a `move` likewise.
 */
static struct hint **find_victim(struct delivery *delivery, const struct hint *incoming,
                                 bool *ret_merged)
{
    struct hint **change = NULL, **other = NULL, **last = &delivery->owed;
    size_t changes = owes(incoming, "change@");
    for (struct hint **at = &delivery->owed; *at; at = &(*at)->next) {
        bool is_change = owes(*at, "change@");
        changes += is_change;
        if (is_change && !change)
            change = at;
        if (!is_change && !other && !owes_add(*at) && !owes(*at, "move@"))
            other = at;
        last = at;
    }
    *ret_merged = change && changes > 1;
    return change ? change : other ? other : last;
}

static enum debt_fate make_room(struct delivery *delivery, const struct hint *incoming)
{
    bool merged;
    struct hint **at = find_victim(delivery, incoming, &merged), *victim = *at;
    *at = victim->next;
    for (delivery->owed_tail = delivery->owed; delivery->owed_tail && delivery->owed_tail->next;)
        delivery->owed_tail = delivery->owed_tail->next;
    delivery->owed_count--;
    hint_free(victim);
    return merged ? DEBT_MERGED : DEBT_DROPPED;
}

int delivery_owe(struct delivery *delivery, struct hint *hint)
{
    enum debt_fate fate = DEBT_KEPT;
    struct hint *owed = hint_new(hint->devpath, hint->inode, NULL, 0);
    if (!owed)
        return -ENOMEM;
    if (delivery->owed_count == DELIVERY_OWED_MAX)
        fate = make_room(delivery, hint);
    owed->seqnum = hint->seqnum;
    owed->message = TAKE_PTR(hint->message);
    owed->message_size = hint->message_size;
    if (delivery->owed_tail)
        delivery->owed_tail->next = owed;
    else
        delivery->owed = owed;
    delivery->owed_tail = owed;
    delivery->owed_count++;
    return (int)fate;
}

struct delivery *container_find_delivery(const struct container *container, const char *devpath)
{
    for (struct delivery *d = container->deliveries; d; d = d->next)
        if (streq(d->grant->devpath, devpath))
            return d;
    return NULL;
}

struct delivery *container_find_node(const struct container *container, const char *node,
                                     const struct delivery *except)
{
    for (struct delivery *d = container->deliveries; d; d = d->next)
        if (d != except && d->state != DELIVERY_REFUSED && d->grant->node &&
            streq(d->grant->node, node))
            return d;
    return NULL;
}

struct delivery *container_add_delivery(struct container *container, struct grant *grant_take)
{
    struct delivery *delivery = calloc(1, sizeof(*delivery));
    if (!delivery)
        return NULL;
    delivery->container = container;
    delivery->serial = ++container->delivery_serial;
    delivery->grant = grant_take;
    delivery->previous = container->deliveries_tail;
    if (container->deliveries_tail)
        container->deliveries_tail->next = delivery;
    else
        container->deliveries = delivery;
    container->deliveries_tail = delivery;
    return delivery;
}

void container_remove_delivery(struct container *container, struct delivery *delivery)
{
    if (delivery->previous)
        delivery->previous->next = delivery->next;
    else
        container->deliveries = delivery->next;
    if (delivery->next)
        delivery->next->previous = delivery->previous;
    else
        container->deliveries_tail = delivery->previous;
    grant_free(delivery->grant);
    free(delivery->announcement);
    udev_word_free(delivery->word);
    while (delivery->owed)
        delivery_settle_debt(delivery);
    free(delivery);
}

struct attachment *container_find_attachment(const struct container *container,
                                             const struct device *device)
{
    for (struct attachment *a = container->attachments; a; a = a->next)
        if (a->inode == device->inode && streq(a->devpath, device->devpath))
            return a;
    return NULL;
}

void container_remove_attachment(struct container *container, const char *devpath)
{
    for (struct attachment **at = &container->attachments; *at;) {
        struct attachment *attachment = *at;
        if (!streq(attachment->devpath, devpath)) {
            at = &attachment->next;
            continue;
        }
        *at = attachment->next;
        attachment_free(attachment);
    }
}

int container_push_hint(struct container *container, const char *devpath, uint64_t inode,
                        const char *message, size_t message_size)
{
    if (message && container->told_count >= CONTAINER_QUEUE_MAX)
        return -ENOBUFS;
    struct hint *hint = hint_new(devpath, inode, message, message_size);
    if (!hint)
        return -ENOMEM;
    hint->serial = ++container->hint_serial;
    if (container->hints_tail)
        container->hints_tail->next = hint;
    else
        container->hints = hint;
    container->hints_tail = hint;
    container->told_count += message != NULL;
    return 0;
}

void container_return_hint(struct container *container, struct hint *hint_take)
{
    hint_take->next = container->hints;
    container->hints = hint_take;
    if (!container->hints_tail)
        container->hints_tail = hint_take;
    container->told_count += hint_take->message != NULL;
}

bool container_awaits_remove(const struct container *container, const struct delivery *delivery,
                             const struct device *device)
{
    const struct grant *grant = delivery->grant;
    if (!delivery->cut || (device && device->inode == grant->inode))
        return false;
    for (const struct hint *hint = container->hints; hint; hint = hint->next)
        if (hint->inode == grant->inode && streq(hint->devpath, grant->devpath))
            return true;
    return false;
}

struct hint *container_pop_hint(struct container *container)
{
    struct hint *hint = container->hints;
    if (!hint)
        return NULL;
    container->hints = hint->next;
    if (!container->hints)
        container->hints_tail = NULL;
    container->told_count -= hint->message != NULL;
    hint->next = NULL;
    return hint;
}

void container_drop_hints(struct container *container)
{
    for (struct hint *hint; (hint = container_pop_hint(container));)
        hint_free(hint);
}

int container_add_waiter(struct container *container, container_end_fn fn, void *userdata)
{
    struct waiter *waiter = calloc(1, sizeof(*waiter)), **last = &container->waiters;
    if (!waiter)
        return -ENOMEM;
    *waiter = (struct waiter){.serial = container->hint_serial, .fn = fn, .userdata = userdata};
    while (*last)
        last = &(*last)->next;
    *last = waiter;
    return 0;
}

const struct delivery *container_find_uncut(const struct container *container)
{
    for (const struct delivery *d = container->deliveries; d; d = d->next)
        if (d->cut && d->state != DELIVERY_REFUSED && !delivery_is_cut(d))
            return d;
    return NULL;
}

bool container_settled(const struct container *container)
{
    return container->stalled || (!container->job && !container->marking && !container->hints &&
                                  !container->compare_wanted);
}
