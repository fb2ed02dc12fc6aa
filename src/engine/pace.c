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

int pace_look(struct pace *pace, const struct pace_way *way, uint64_t now_us)
{
    bool forgotten =
        now_us - pace->asked_us > PACE_PATIENCE_US; /* nobody waits for room any more */
    if (pace->behind)
        return -EOVERFLOW;
    if (has_room(pace, way, now_us)) {
        pace->full_since_us = 0;
        return 0;
    }
    if (!pace->full_since_us || forgotten)
        pace->full_since_us = now_us;
    if (now_us - pace->full_since_us < PACE_PATIENCE_US)
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
        *told += way->send(way->userdata, event->message, event->size) == 0;
        pace->room--;
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
