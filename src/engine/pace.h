/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How fast the listeners of one group in one network namespace are told. While one of them has no
 * room whoever tells waits. Where there was none for PACE_PATIENCE_US, or where one is so slow that
 * PACE_BUDGET_US were waited in all, he is *behind*: the others are told at once, and what he
 * misses is told again, as much as he has room for, when he reads.
 */

#include "engine/missed.h"

#define PACE_PATIENCE_US 2000000u
#define PACE_BUDGET_US 8000000u   /* of which a tenth of the time without waiting comes back */
#define PACE_POLL_US 10000u       /* when who waits should ask first; then ever more rarely, */
#define PACE_POLL_LAST_US 160000u /* up to this */

/* Zeroed before its first use. */
struct pace {
    unsigned room;          /* messages: what is left of the last answer */
    uint64_t asked_us;      /* when that was */
    uint64_t looked_us;     /* when was asked whether something can be told */
    uint64_t full_since_us; /* 0: it is not full */
    uint64_t waited_us;     /* of the budget */
    bool behind;
    struct missed missed;
};

/* Where the answers come from and the messages go. */
struct pace_way {
    int (*room)(void *userdata, unsigned *ret); /* uevent_room() */
    int (*send)(void *userdata, const char *message, size_t size);
    void *userdata;
};

/*
 * Before something is told. Returns 0: now; 1: later, ask again; -EOVERFLOW: now, but somebody is
 * behind. `now_us` is of CLOCK_MONOTONIC.
 */
int pace_look(struct pace *pace, const struct pace_way *way, uint64_t now_us);

/* It was told. Returns 0, or -ENOMEM: who is behind will not hear of it. */
int pace_told(struct pace *pace, uint64_t inode, enum uevent_action action, const char *message,
              size_t size);

/*
 * Tells again what was missed, as far as there is room. Returns whether nobody is behind any more;
 * *told is increased by the number of messages.
 */
bool pace_catch_up(struct pace *pace, const struct pace_way *way, uint64_t now_us, uint64_t *told);

void pace_done(struct pace *pace);
