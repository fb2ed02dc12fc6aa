/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/pace.h"

#include <errno.h>

#define ANSWER_FRESH_US 50000u /* meanwhile others may come, or be told by others */
#define ROOM_UNKNOWN 64        /* what is told before the kernel is asked again in vain */

static bool has_room(struct pace *pace, const struct pace_way *way, uint64_t now_us)
{
    if (pace->room > 0 && now_us - pace->asked_us < ANSWER_FRESH_US)
        return true;
    pace->asked_us = now_us;
    if (way->room(way->userdata, &pace->room) < 0)
        pace->room = ROOM_UNKNOWN;
    return pace->room > 0;
}

/* Whether somebody has been waiting since the last look; the time counts. */
static bool take_time(struct pace *pace, uint64_t now_us)
{
    uint64_t passed = now_us - pace->looked_us;
    bool waits =
        pace->full_since_us && passed <= PACE_PATIENCE_US / 2; /* the machine may be busy */
    uint64_t returned = passed / 10 < pace->waited_us ? passed / 10 : pace->waited_us;
    pace->looked_us = now_us;
    pace->waited_us = waits ? pace->waited_us + passed : pace->waited_us - returned;
    return waits;
}

int pace_look(struct pace *pace, const struct pace_way *way, uint64_t now_us)
{
    if (pace->behind)
        return -EOVERFLOW;
    bool waits = take_time(pace, now_us);
    if (has_room(pace, way, now_us)) {
        pace->full_since_us = 0;
        return 0;
    }
    if (!waits)
        pace->full_since_us = now_us;
    if (now_us - pace->full_since_us < PACE_PATIENCE_US && pace->waited_us < PACE_BUDGET_US)
        return 1;
    pace->behind = true;
    return -EOVERFLOW;
}

int pace_told(struct pace *pace, uint64_t inode, enum uevent_action action, const char *message,
              size_t size)
{
    pace->room -= pace->room > 0;
    pace->behind |= pace->full_since_us != 0; /* somebody could not wait */
    return pace->behind ? missed_add(&pace->missed, inode, action, message, size) : 0;
}

bool pace_catch_up(struct pace *pace, const struct pace_way *way, uint64_t now_us, uint64_t *told)
{
    struct missed *missed = &pace->missed;
    if (!pace->behind)
        return true;
    pace->room = 0; /* of what was asked before, nothing holds */
    while (has_room(pace, way, now_us) && missed->first) {
        const struct missed_event *event = missed->first;
        bool fits = !missed_is_replaced(missed) || pace->room > 1; /* else the `add` says it, too */
        if (fits) {
            *told += way->send(way->userdata, event->message, event->size) == 0;
            pace->room--;
        }
        missed_drop_first(missed);
    }
    if (pace->room == 0 || missed->first)
        return false;
    pace->behind = false;
    pace->full_since_us = 0;
    return true;
}

void pace_done(struct pace *pace)
{
    missed_done(&pace->missed);
}
