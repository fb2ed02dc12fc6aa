/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/missed.h"

#include <errno.h>

#include "base/util.h"

static void find_last(struct missed *missed)
{
    missed->last = missed->first;
    while (missed->last && missed->last->next)
        missed->last = missed->last->next;
}

/* Whether a later event of the device's makes an earlier one superfluous. */
static bool is_covered(enum uevent_action earlier, enum uevent_action later, bool added)
{
    if (later == UEVENT_REMOVE)
        return added || (earlier != UEVENT_REMOVE && earlier != UEVENT_MOVE);
    return earlier == later && later != UEVENT_MOVE;
}

/* Drops, from `from` on, what `action` covers; behind the device's `add` (`added`) or without. */
static void drop(struct missed *missed, struct missed_event **from, uint64_t inode,
                 enum uevent_action action, bool added)
{
    for (struct missed_event **at = from; *at;) {
        struct missed_event *event = *at;
        if (event->inode != inode || !is_covered(event->action, action, added)) {
            at = &event->next;
            continue;
        }
        *at = event->next;
        free(event);
    }
    find_last(missed);
}

/* The device's `add`, behind which there is no `remove`: it is not known to whoever missed it. */
static struct missed_event **find_add(struct missed *missed, uint64_t inode)
{
    struct missed_event **add = NULL;
    for (struct missed_event **at = &missed->first; *at; at = &(*at)->next)
        if ((*at)->inode == inode && (*at)->action == UEVENT_ADD)
            add = at;
        else if ((*at)->inode == inode && (*at)->action == UEVENT_REMOVE)
            add = NULL;
    return add;
}

static struct missed_event *event_new(uint64_t inode, enum uevent_action action,
                                      const char *message, size_t size)
{
    struct missed_event *event = malloc(sizeof(*event) + size);
    if (!event)
        return NULL;
    *event = (struct missed_event){.inode = inode, .action = action, .size = size};
    memcpy(event->message, message, size);
    return event;
}

static void append(struct missed *missed, struct missed_event *event)
{
    event->next = NULL;
    if (missed->last)
        missed->last->next = event;
    else
        missed->first = event;
    missed->last = event;
}

/* "DEVPATH=..." in a message of the kernel's or of udev's; NULL: there is none. */
static const char *find_devpath(const struct missed_event *event)
{
    const char *at = memmem(event->message, event->size, "DEVPATH=", 8);
    return at && memchr(at, '\0', event->size - (size_t)(at - event->message)) ? at : NULL;
}

static bool is_at_path_of(const struct missed_event *event, const struct missed_event *other)
{
    const char *path = find_devpath(event), *other_path = find_devpath(other);
    return path && other_path && streq(path, other_path);
}

/* The `remove` of the one that was there before goes to the end, where this one's `add` will be. */
static void move_removal(struct missed *missed, const struct missed_event *add)
{
    for (struct missed_event **at = &missed->first; *at; at = &(*at)->next) {
        struct missed_event *event = *at;
        if (event->action != UEVENT_REMOVE || !is_at_path_of(event, add))
            continue;
        *at = event->next;
        find_last(missed);
        append(missed, event);
        return;
    }
}

/* A second `add` is told in the place of the first. */
static void replace(struct missed_event **at, struct missed_event *event)
{
    struct missed_event *old = *at;
    event->next = old->next;
    *at = event;
    free(old);
}

int missed_add(struct missed *missed, uint64_t inode, enum uevent_action action,
               const char *message, size_t size)
{
    struct missed_event **add = find_add(missed, inode);
    bool unknown = action == UEVENT_REMOVE && add;
    struct missed_event *event = unknown ? NULL : event_new(inode, action, message, size);
    if (!event && !unknown)
        return -ENOMEM;
    if (action == UEVENT_ADD && add) {
        replace(add, event);
        find_last(missed);
        return 0;
    }
    drop(missed, add ? add : &missed->first, inode, action, add != NULL);
    if (action == UEVENT_ADD)
        move_removal(missed, event);
    if (event)
        append(missed, event);
    return 0;
}

bool missed_is_replaced(const struct missed *missed)
{
    const struct missed_event *first = missed->first;
    return first && first->action == UEVENT_REMOVE && first->next &&
           first->next->action == UEVENT_ADD && is_at_path_of(first, first->next);
}

void missed_drop_first(struct missed *missed)
{
    struct missed_event *event = missed->first;
    missed->first = event->next;
    if (!missed->first)
        missed->last = NULL;
    free(event);
}

void missed_done(struct missed *missed)
{
    while (missed->first)
        missed_drop_first(missed);
}
