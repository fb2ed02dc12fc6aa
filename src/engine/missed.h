/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What was told while somebody did not read: to be told again when he does. Not every event, but as
 * much as it takes to know what is there now: a device that came and went meanwhile is not in it,
 * and of several events of one kind the last one is; but each `move` is. The `remove` of a device
 * that was replaced by another one at its path is right before that one's `add`.
 */

#include "model/uevent.h"

struct missed_event {
    struct missed_event *next;
    uint64_t inode; /* the device's incarnation */
    enum uevent_action action;
    size_t size;
    char message[]; /* as it was told */
};

/* Zeroed before its first use. */
struct missed {
    struct missed_event *first, *last; /* in the order in which they are to be told */
};

/* One more was told. Returns 0 or -ENOMEM: it is lost. */
int missed_add(struct missed *missed, uint64_t inode, enum uevent_action action,
               const char *message, size_t size);

/* Whether the first one is a `remove`, and its device was replaced by that of the next one. */
bool missed_is_replaced(const struct missed *missed);

/* The first one is told. */
void missed_drop_first(struct missed *missed);

void missed_done(struct missed *missed);
