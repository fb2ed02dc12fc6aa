/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A door without a kernel behind it: each step becomes a line "CONTAINER STEP" and an effect in a
 * small model of what would be there. Steps can be made to fail, to pend, to stall. Include it
 * behind cmocka.h.
 */

#include "engine/door.h"
#include "engine/saved_place.h"

struct recording_timer;

struct recording_door {
    struct door interface;
    char *log;          /* lines; never NULL */
    struct uevent told; /* the last event that went inside */
    char *record;       /* the text of the last record, or NULL */

    unsigned fail_after; /* so many steps go well, then one fails; */
    int fail_error;      /* with this, if it is not 0 */
    const char *refused; /* every step whose description begins so fails, */
    int refused_error;   /* with this, or EIO if it is 0 */
    bool pend;           /* the courier's steps end with recording_door_complete() */
    bool hidden;         /* nodes are not found inside when they are detached */
    bool stall;          /* the courier's steps say that the container hangs */
    int admit_error;
    int note_error;     /* nothing can be noted */
    uint64_t last_item; /* id */

    enum netns_kind netns; /* of places that are opened from now on */
    const char *map;       /* their id maps; NULL: everything as it is */
    int repairs;           /* what place_repair() answers */
    bool shows_usb;        /* PLACE_MARK_USB is a line and a state, too; else it is made unseen */
    bool tells_udev;       /* a fact of places that are opened from now on */
    int has_udevd;         /* what place_has_udevd() answers */
    int ifindex;           /* of interfaces inside; 0: not known */
    int readers;           /* what place_look_at_readers() answers */
    bool behind;           /* and place_is_behind(), */
    int caught_up;         /* and place_catch_up(), */
    uint64_t told_again;   /* with so many messages */
    unsigned resumed_told; /* what place_resume_told() heard: words of the kernel's and of udev's */

    struct door_place *places;
    struct recording_timer *timers;
};

void recording_door_init(struct recording_door *door);

/* Fails where a place, an item or a timer was left over. */
void recording_door_done(struct recording_door *door);

/* Empties the log. */
void recording_door_clear(struct recording_door *door);

/* Whether a step of the container pends. */
bool recording_door_pending(const struct recording_door *door, const char *container);

/* Ends it: with an error, or well (0). */
void recording_door_complete(struct recording_door *door, const char *container, int error);

/* What of the container is looked at just now: of enum look_kind, or -1; and how that ends. */
int recording_door_look(const struct recording_door *door, const char *container);
void recording_door_see(struct recording_door *door, const char *container, enum gate gate);

/* Ends whatever pends, everywhere, until nothing does. */
void recording_door_complete_all(struct recording_door *door);

/* Ends it as a courier does that missed its deadline. */
void recording_door_hang(struct recording_door *door, const char *container);

/* What a predecessor left (delegation_leave()), in the order in which it was registered. */
void recording_door_each_saved(struct recording_door *door,
                               void (*fn)(void *userdata, const struct saved_place *saved),
                               void *userdata);

/* The network interface that is in the container leaves it without us. */
void recording_door_lose(struct recording_door *door, const char *container);

/* The process dies; `notice`: and the event loop says so. */
void recording_door_kill(struct recording_door *door, pid_t pid, bool notice);

/* Lets the oldest timer run out. Returns its delay, or 0 where there is none. */
uint64_t recording_door_fire(struct recording_door *door);
size_t recording_door_timers(const struct recording_door *door);

/* What is there, in all containers: inodes, those of them that are not revoked, nodes and links
 * inside, permissions, records of udev's and markers, interfaces, containers that are ready for
 * USB. */
struct recording_state {
    size_t items, inodes, live, attached, links, allowed, records, markers, interfaces, usb;
};
struct recording_state recording_door_state(const struct recording_door *door);
