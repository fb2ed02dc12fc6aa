/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The engine's door to the kernel floor. It has two implementations: kernel_door.h, and the one
 * that records for tests (tests/unit/recording_door.h).
 *
 * A place is what the door holds of one container: pidfd, namespaces, cgroup, courier. An item is
 * what it holds of one grant: the inode in the store, what was made inside. Both are opaque to the
 * engine.
 */

#include <jansson.h>
#include <sys/types.h>

#include "base/refusal.h"
#include "kernel/namespace.h"
#include "model/gate.h"
#include "model/plan.h"

struct door_place;
struct door_item;

/* What the engine needs to know of a place. */
struct place_facts {
    enum netns_kind netns;
    bool tells_udev;          /* udev's events, records and marker are ours to give where no udevd
                                 runs inside; not in the host's network namespace */
    const struct idmap *uids; /* borrowed from the place */
    const struct idmap *gids;
    uint64_t process_key; /* differs for each process: inode number of its pidfd or start time */
};

/* What a step needs beyond the plan: the host's ids for STEP_NODE_MAKE and STEP_NODE_CHANGE. */
struct step_ids {
    uint32_t uid, gid;
};

/* What a place has from the first, before any device. */
enum place_mark {
    PLACE_MARK_UDEV, /* the marker by which libudev inside knows that there is a udev */
    PLACE_MARK_USB,  /* an entry in /dev/bus/usb, without which libusb inside does not start where
                        it does without udev */
    PLACE_MARK_COUNT,
};

struct step_result {
    struct refusal why; /* error 0: done */
    uint32_t uid, gid;  /* STEP_IDENTIFY: ids inside */
    int ifindex;        /* STEP_INTERFACE_MOVE: its number inside */
    bool stalled;       /* the container's file system hangs: try again later */
    bool shadowed;      /* STEP_NODE_DETACH: something is mounted over the node; it stays, dead */
    bool returned;      /* STEP_INTERFACE_RETURN: it was inside and is home; */
    bool lost;          /* or it was inside once and is there no more */
    struct refusal remark; /* done, but not quite as it was meant */
};

typedef void (*door_done_fn)(void *userdata, const struct step_result *result);

/* What to look at inside: nothing is changed by it, and nothing opened. */
enum look_kind {
    LOOK_DEV,    /* whether nodes can be made in /dev */
    LOOK_MARKER, /* whether libudev finds that there is a udev */
    LOOK_NODE,   /* whether root inside may use the node of an item */
    LOOK_RECORD, /* whether libudev finds a record */
};

struct look {
    enum look_kind kind;
    const struct door_item *item; /* LOOK_NODE */
    const struct grant *grant;    /* LOOK_NODE */
    const char *id;               /* LOOK_RECORD: udev_record_id() */
};

/* The first gate that refuses, and why. GATE_CONTAINER: its file system hangs. */
typedef void (*door_look_fn)(void *userdata, enum gate gate, const struct refusal *why);

struct door {
    /*
     * Takes hold of the container whose init is `pid` and looks at it; nothing of it is touched
     * yet. `on_death` is called once from the event loop when it died, unless the place was closed
     * before. Returns 0 and *ret with its facts, or a negative errno and the reason.
     */
    int (*place_open)(void *userdata, pid_t pid, const char *root, void (*on_death)(void *),
                      void *on_death_userdata, struct door_place **ret,
                      struct place_facts *ret_facts, struct refusal *why);

    /*
     * Opens what steps need: device cgroups, the way for events. Once, before the first step; no
     * other place may hold the same process. `saved` is what the door of a predecessor noted of the
     * place: what that had allowed stays until place_prune(). NULL: it goes now. Returns 0, or a
     * negative errno and the reason.
     */
    int (*place_admit)(void *userdata, struct door_place *place, const char *name,
                       const json_t *saved, struct refusal *why);

    /* Denies what a predecessor allowed and no step of ours did. */
    void (*place_prune)(void *userdata, struct door_place *place);

    /*
     * Notes for a successor that the place is there, with `note` (taken; NULL: memory is short) of
     * the engine's; from then on the door's own part of it is kept up by the door. Likewise for an
     * item, whose note goes with it. Returns 0, or a negative errno and the reason: it is as it was
     * before.
     */
    int (*place_note)(void *userdata, struct door_place *place, json_t *note_take,
                      struct refusal *why);
    int (*item_note)(void *userdata, struct door_place *place, struct door_item *item,
                     json_t *note_take, struct refusal *why);

    /* Like place_close(), but all that was made stays as it is, noted for a successor. */
    void (*place_leave)(void *userdata, struct door_place *place);

    /* Whether its process still lives: 1 or 0. */
    int (*place_alive)(void *userdata, const struct door_place *place);

    /* Lets go of everything; a step that is pending is forgotten. NULL accepted. */
    void (*place_close)(void *userdata, struct door_place *place);

    /* For `status`: what the device cgroups of this place are. Returns out. */
    const char *(*place_describe_access)(void *userdata, const struct door_place *place, char *out,
                                         size_t size);

    /* Puts back what a runtime took away (device cgroup). How many repairs, or a negative errno. */
    int (*place_repair)(void *userdata, struct door_place *place, struct refusal *why);

    /* Whether a udevd runs inside, or did a moment ago: 1 or 0; a negative errno where it cannot
     * be known. */
    int (*place_has_udevd)(void *userdata, struct door_place *place);

    /*
     * A predecessor told of a device: `message` was its `add` (NULL: not told), and where `udev`
     * udev's word was told too. So those who share the network namespace are told once.
     */
    void (*place_resume_told)(void *userdata, struct door_place *place, uint64_t inode,
                              const char *message, size_t size, bool udev);

    /*
     * Before a step that tells of a device, STEP_EVENT or STEP_UDEV_EVENT. Returns 0: it can be
     * run; 1: somebody who listens inside has no room for it, ask again in a little while;
     * -EOVERFLOW: it can be run, but it will be missed by somebody who does not read.
     */
    int (*place_look_at_readers)(void *userdata, struct door_place *place, enum step_kind kind);

    /* Whether that was said since the place's readers last caught up, to whichever place. */
    bool (*place_is_behind)(void *userdata, const struct door_place *place);

    /* Tells again what was missed, as far as there is room. Returns 1 when nothing is left of it,
     * or 0; *told is increased by the number of messages. */
    int (*place_catch_up)(void *userdata, struct door_place *place, uint64_t *told);

    /*
     * Makes a mark, or removes it. Returns and ends like run(), and is a step like others: one at a
     * time.
     */
    int (*place_mark)(void *userdata, struct door_place *place, enum place_mark mark, bool present,
                      door_done_fn done, void *done_userdata, struct step_result *result);

    /*
     * Looks at something inside; beside steps, and one look of a place at a time. Everything but
     * `done` need only live as long as the call. Returns 0: `done` is called from the event loop,
     * unless the place is closed before; or a negative errno and the reason.
     */
    int (*place_look)(void *userdata, struct door_place *place, const struct look *look,
                      door_look_fn done, void *done_userdata, struct refusal *why);

    /*
     * An item with nothing in it. `on_lost` is called once from the event loop when the network
     * interface that it stands for left the container without us. NULL when memory is short.
     */
    struct door_item *(*item_new)(void *userdata, struct door_place *place, void (*on_lost)(void *),
                                  void *on_lost_userdata);

    /*
     * The item that a predecessor noted under `id`, with the door's own part of the note; a network
     * interface is inside as `ifindex` (0: not known), and is only to be returned. Where it
     * is not `certain` how far the work on it came, it is held to be all inside. Returns 0 and
     * *ret; 1 likewise, but nobody may open its node; -ENOENT: what it needs is not there any more;
     * or another negative errno.
     */
    int (*item_resume)(void *userdata, struct door_place *place, uint64_t id, const json_t *saved,
                       const struct grant *grant, int ifindex, bool certain,
                       void (*on_lost)(void *), void *on_lost_userdata, struct door_item **ret);

    /* The note under `id` is of no use: it goes. */
    void (*item_drop)(void *userdata, struct door_place *place, uint64_t id);

    /* Frees an item, and leaves it as it is to a successor. NULL accepted. */
    void (*item_leave)(void *userdata, struct door_item *item);

    /*
     * Forgets an item; its inode, where there is one, is revoked and removed first. An interface
     * that could not be brought home is left to the kernel. NULL accepted.
     */
    void (*item_free)(void *userdata, struct door_item *item);

    /*
     * Runs one step of one item. Returns 1: done, *result is filled (its error may be set); or 0:
     * `done` is called later from the event loop. One step of a place may be pending at a time,
     * except that the steps of plan_cut() never pend and are allowed meanwhile.
     */
    int (*run)(void *userdata, struct door_place *place, struct door_item *item,
               const struct step *step, const struct step_ids *ids, door_done_fn done,
               void *done_userdata, struct step_result *result);

    /* Calls `fn` once after `delay_us`; *ret can be given to timer_cancel() until then. 0 or
     * -errno. */
    int (*timer_start)(void *userdata, uint64_t delay_us, void (*fn)(void *), void *fn_userdata,
                       void **ret);
    void (*timer_cancel)(void *userdata, void *timer);

    void *userdata;
};
