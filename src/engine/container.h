/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A registered container and what is delivered to it. The registry finds it by name; delegation.h
 * decides and executor.h acts upon it.
 */

#include "engine/door.h"
#include "model/rule_match.h"

#define CONTAINER_NAME_MAX 128
#define DELIVERY_OWED_MAX 64     /* events that udev is not done with: enum debt_fate */
#define CONTAINER_QUEUE_MAX 1024 /* hints; beyond that the container is compared as a whole */

enum delivery_state {
    DELIVERY_GIVING,
    DELIVERY_DELIVERED,
    DELIVERY_TAKING,
    DELIVERY_REFUSED, /* `why` says which gate; tried again with the device's next event */
};

/* One grant and what became of it. */
struct delivery {
    struct delivery *next, *previous; /* in the container's list, oldest first */
    struct container *container;
    uint64_t serial; /* no other delivery of the container ever has the same */
    struct grant *grant;
    enum delivery_state state;
    struct door_item *item;
    bool cut;                       /* taken back: it is not to be opened up again */
    bool denied, revoked, returned; /* of that was done: device cgroup, inode, interface */
    bool identified;                /* uid and gid below are known */
    uint32_t uid, gid;              /* inside */
    int ifindex;                    /* of an interface, inside; 0: not known */
    char *announcement; /* the message of its `add`, to make a `remove` from; NULL: not told */
    size_t announcement_size;
    struct udev_word *word; /* what a libudev inside knows of it, or may know; NULL: nothing */
    uint64_t described_us;  /* when that was first so: CLOCK_MONOTONIC, 0: not yet */
    bool recorded;          /* its record is inside for certain */
    bool udev_told;         /* of it, by a message of udev's */
    struct hint *owed, *owed_tail; /* told as the kernel tells; udev's word on these is to follow */
    size_t owed_count;
    bool handed_over;   /* a udevd inside heard of it */
    struct refusal why; /* DELIVERY_REFUSED; or why its interface does not come home */
    enum gate gate;     /* of `why` */
    bool conflicting;   /* refused because another delivery holds what it wants */
};

/* "Look at this device for this container": all strings owned. */
struct hint {
    struct hint *next;
    uint64_t serial; /* in the order in which the container's hints came */
    char *devpath;
    uint64_t inode;  /* the incarnation that the event is of */
    uint64_t seqnum; /* the kernel's number of it; 0: none */
    char *message;   /* the event to tell, serialised; NULL: none */
    size_t message_size;
};

/* A device that was given by hand: `attach`. */
struct attachment {
    struct attachment *next;
    char *devpath;
    uint64_t inode;
    struct share share;
};

struct job; /* executor.h */

struct examination; /* examination.h */

enum container_end {
    CONTAINER_SETTLED, /* everything that was queued when the wait began is done, well or not */
    CONTAINER_STALLED, /* its file system hangs; it goes on later */
    CONTAINER_HELD,    /* unregistered, but it keeps what cannot be taken back; that goes on */
    CONTAINER_GONE,    /* unregistered, dead or let go */
};
typedef void (*container_end_fn)(void *userdata, enum container_end end);

/* Who waits for a container: Register, Attach, Unregister. */
struct waiter {
    struct waiter *next;
    uint64_t serial; /* of the newest hint when the wait began */
    container_end_fn fn;
    void *userdata;
};

struct container {
    struct container *next; /* in the registry */
    char *name;
    pid_t pid;
    struct property_list labels;
    struct door_place *place;
    struct place_facts facts;
    struct delivery *deliveries, *deliveries_tail;
    struct attachment *attachments;
    struct hint *hints, *hints_tail;
    bool has_udevd; /* one runs inside, which hears the kernel's events and does the rest itself */
    bool udevd_unknown;            /* and it was said */
    bool wants_usb;                /* a rule may give it a USB device */
    bool marked[PLACE_MARK_COUNT]; /* these were made inside, or tried to */
    bool marking, marking_present; /* one is being made, or removed: */
    enum place_mark marking_kind;
    size_t told_count;        /* of the hints, those with an event */
    uint64_t hint_serial;     /* of the newest hint ever */
    uint64_t delivery_serial; /* of the newest delivery ever */
    struct job *job;          /* under way, or NULL */
    struct waiter *waiters;
    struct examination *examinations; /* the first is under way */
    bool turning;                     /* its queue is being worked off further up the stack */
    bool compare_wanted; /* hints were dropped: compare everything when the queue is empty */
    bool stalled;        /* its file system hangs; retried with back-off */
    bool hung;           /* it was stalled, and has not settled since */
    bool behind;         /* somebody inside does not read what is told: see pace.h */
    uint64_t behind_delay_us;
    void *behind_timer;
    bool leaving; /* unregistered: everything goes */
    uint64_t retry_delay_us;
    void *retry_timer;
    void *leave_timer;   /* who waits for it to leave is answered then in any case */
    struct refusal note; /* the last thing that went wrong with it as a whole */
    struct delegation *delegation;
};

/*
 * A name is 1 to CONTAINER_NAME_MAX - 1 bytes of [A-Za-z0-9._:@-], not beginning with '.' or '-'.
 * Returns 0 or -EINVAL with the reason.
 */
int container_name_check(const char *name, struct refusal *why);

/* A container without place; NULL when memory is short. */
struct container *container_new(const char *name, pid_t pid);

/* Frees the values; the place must be closed and the deliveries' items freed before. NULL accepted.
 */
void container_free(struct container *container);

/* Whether the part of a take that does not wait (device cgroup, inode, interface) is done: all of
 * it, or that of one kind of step. */
bool delivery_is_cut_of(const struct delivery *delivery, enum step_kind kind);
bool delivery_is_cut(const struct delivery *delivery);

/* Whether it is an event that a delivered device stays where it is with: neither `add` nor
 * `remove`. */
bool delivery_takes_event(const struct delivery *delivery, const struct uevent *event);

/* From now on it is DELIVERY_REFUSED. */
void delivery_refuse(struct delivery *delivery, enum gate gate, const struct refusal *why);

/* The container knows the device by another devpath now: a `remove` made up later says so too. */
void delivery_move_announcement(struct delivery *delivery, const char *devpath);

/* The delivery of a device by devpath, borrowed, or NULL. */
struct delivery *container_find_delivery(const struct container *container, const char *devpath);

/* The delivery (not refused) that holds a node path, other than `except`; borrowed, or NULL. */
struct delivery *container_find_node(const struct container *container, const char *node,
                                     const struct delivery *except);

/* The oldest event that udev's word is owed for is done with: it is freed. */
void delivery_settle_debt(struct delivery *delivery);

/* What had to become of another one, where too many events are owed already. */
enum debt_fate {
    DEBT_KEPT,
    DEBT_MERGED,  /* an older `change` will not be told: a newer one stands for it */
    DEBT_DROPPED, /* an event will not be told, and no other stands for it */
};

/*
 * Udev's word on an event is to follow: the hint's message, which it has no more then. Where that
 * is one too many, the oldest `change` is given up, or, where there is none, what is neither `add`
 * nor `move`. Returns an enum debt_fate or -ENOMEM.
 */
int delivery_owe(struct delivery *delivery, struct hint *hint);

/* A new delivery at the end of the list; takes the grant. NULL when memory is short (grant
 * untouched). */
struct delivery *container_add_delivery(struct container *container, struct grant *grant_take);

/* Takes it out of the list and frees it; its item must be gone. */
void container_remove_delivery(struct container *container, struct delivery *delivery);

struct attachment *container_find_attachment(const struct container *container,
                                             const struct device *device);

/* Forgets what was given by hand of this devpath. */
void container_remove_attachment(struct container *container, const char *devpath);

/*
 * Queues a hint; `message` (may be NULL) is copied. Only hints with a message count against
 * CONTAINER_QUEUE_MAX: the others are as many as there are devices. Returns 0, -ENOBUFS, -ENOMEM.
 */
int container_push_hint(struct container *container, const char *devpath, uint64_t inode,
                        const char *message, size_t message_size);

/* Puts a hint back in front: it was popped and could not be carried out yet. */
void container_return_hint(struct container *container, struct hint *hint_take);

/*
 * Whether the delivery's device is no more, and a later hint tells so. What is delivered goes then,
 * behind all that was said before of it and its children; which is told until then. `device` is
 * what is at its devpath now, or NULL.
 */
bool container_awaits_remove(const struct container *container, const struct delivery *delivery,
                             const struct device *device);

/* The next hint, owned by the caller (hint_free()), or NULL. */
struct hint *container_pop_hint(struct container *container);
void container_drop_hints(struct container *container);
void hint_free(struct hint *hint);

/* Adds somebody to wait. Returns 0 or -ENOMEM. */
int container_add_waiter(struct container *container, container_end_fn fn, void *userdata);

/*
 * A delivery that was to be cut and could not be, as the kernel or somebody inside hinders it:
 * borrowed, or NULL. It is tried again.
 */
const struct delivery *container_find_uncut(const struct container *container);

/* Whether nothing is under way. A stalled container counts as settled. */
bool container_settled(const struct container *container);
