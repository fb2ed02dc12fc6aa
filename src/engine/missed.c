/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/missed.h"

#include <errno.h>

#include "base/util.h"

/* Drops those of the device, from `from` on, that are of one action or (-1) of any but `remove`. */
static void drop(struct missed *missed, struct missed_event **from, uint64_t inode, int action)
{
    for (struct missed_event **at = from; *at;) {
        struct missed_event *event = *at;
        bool of_action = action < 0 ? event->action != UEVENT_REMOVE : (int)event->action == action;
        if (event->inode != inode || !of_action) {
            at = &event->next;
            continue;
        }
        *at = event->next;
        free(event);
    }
    missed->last = missed->first;
    while (missed->last && missed->last->next)
        missed->last = missed->last->next;
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

static int append(struct missed *missed, uint64_t inode, enum uevent_action action,
                  const char *message, size_t size)
{
    struct missed_event *event = malloc(sizeof(*event) + size);
    if (!event)
        return -ENOMEM;
    *event = (struct missed_event){.inode = inode, .action = action, .size = size};
    memcpy(event->message, message, size);
    if (missed->last)
        missed->last->next = event;
    else
        missed->first = event;
    missed->last = event;
    return 0;
}

int missed_add(struct missed *missed, uint64_t inode, enum uevent_action action,
               const char *message, size_t size)
{
    struct missed_event **add = find_add(missed, inode);
    if (action != UEVENT_REMOVE) {
        drop(missed, add ? add : &missed->first, inode, (int)action);
        return append(missed, inode, action, message, size);
    }
    drop(missed, add ? add : &missed->first, inode, -1);
    return add ? 0 : append(missed, inode, action, message, size);
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
