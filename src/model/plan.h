/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A plan: the typed steps between deciding and doing. Policy makes plans, the executor
 * (engine/executor.h) runs them, `explain` and `monitor` print them, tests compare them.
 *
 * Order inside a container:
 *   give: identify, node (complete, right owner and mode), links, access, event;
 *   describe, when udev is done with the device: record, udev's event;
 *   take: access, node (its inode first, which kills every copy), links, path, record, both events.
 * A network interface is moved in and out as a whole, and the kernel tells of it inside.
 *
 * A program that opens the node on `add` never fails; one that opens it after `remove` never
 * succeeds.
 */

#include "model/udev_word.h"

enum step_kind {
    STEP_IDENTIFY,       /* look owner and group names up inside; only where there are names */
    STEP_NODE_MAKE,      /* an inode of its own in our store, owner and mode set, mode last */
    STEP_NODE_ATTACH,    /* bind it at its path inside */
    STEP_NODE_CHANGE,    /* another owner or mode on the same inode (rules were reloaded) */
    STEP_LINK_MAKE,      /* symbolic link inside */
    STEP_ACCESS_ALLOW,   /* device cgroup */
    STEP_INTERFACE_MOVE, /* a network interface into the container's namespace, under its name there
                          */
    STEP_EVENT,          /* one uevent inside */
    STEP_ACCESS_DENY,
    STEP_NODE_REVOKE,      /* fchown and fchmod to nothing on our inode */
    STEP_INTERFACE_RETURN, /* home, as it was */
    STEP_LINK_REMOVE,
    STEP_NODE_DETACH,  /* unmount inside, remove the placeholder and empty directories we made */
    STEP_NODE_DESTROY, /* forget the inode */
    STEP_RECORD_WRITE, /* what libudev looks up inside */
    STEP_RECORD_REMOVE,
    STEP_UDEV_EVENT, /* what libudev's monitors hear inside: netlink group 2 */
};

/* "node-make" and so on. */
const char *step_kind_name(enum step_kind kind);

struct step {
    enum step_kind kind;
    const struct grant *grant;    /* borrowed: outlives the plan */
    const char *link;             /* STEP_LINK_*: one of the grant's symlinks, borrowed */
    const struct uevent *event;   /* STEP_EVENT: borrowed */
    const struct udev_word *word; /* STEP_RECORD_*, STEP_UDEV_EVENT: borrowed */
    const struct grant *before;   /* of plan_change(), where the step replaces: what was there */
};

#define PLAN_STEPS_MAX (2 * SHARE_SYMLINKS_MAX + 12)

struct plan {
    struct step steps[PLAN_STEPS_MAX];
    size_t count;
};

/*
 * Each appends to a plan that is zeroed before its first use. `event` is what the container is told
 * last, or NULL for nothing (OPTIONS+="no_event"). A grant without node has no node, link and
 * identify steps; one without number no access steps either. Links that the grant yields are left
 * alone.
 */
void plan_give(struct plan *plan, const struct grant *grant, const struct uevent *event);

/* Everything but the event can be done again: a plan to take is also the way out of half a give. */
void plan_take(struct plan *plan, const struct grant *grant, const struct uevent *event);

/*
 * The same where a libudev inside knows the device: `word` is what it knows, whose record goes;
 * `end` tells of that, or is NULL for nothing. Both may be NULL.
 */
void plan_take_described(struct plan *plan, const struct grant *grant, const struct uevent *event,
                         const struct udev_word *word, const struct udev_word *end);

/*
 * udev's word: the record, unless it is that of `before` (may be NULL), then the message, where
 * there is one. A record under another name than before takes its place.
 */
void plan_describe(struct plan *plan, const struct grant *grant, const struct udev_word *before,
                   const struct udev_word *word);

/*
 * A udevd has come to the container and makes records of its own: ours (`word` may be NULL) goes,
 * and `event`, an `add`, tells it of the device; NULL where it hears the kernel itself.
 */
void plan_hand_over(struct plan *plan, const struct grant *grant, const struct udev_word *word,
                    const struct uevent *event);

/*
 * The first, synchronous half of a take: after these steps no copy of the node opens, and a network
 * interface is home.
 */
void plan_cut(struct plan *plan, const struct grant *grant);

/*
 * From a delivered grant to another with the same key and links: owner and mode, access (the new
 * bits replace the old). No event.
 */
void plan_change(struct plan *plan, const struct grant *delivered, const struct grant *desired);

/*
 * From the links that a delivered grant yields to others: what it loses goes first. No event, as
 * the device stays what it was; only which of several devices a name means is another matter.
 */
void plan_relink(struct plan *plan, const struct grant *grant, uint32_t yielded);

/* A plan of the event alone: `change`, `bind` and so on of a device that is delivered. */
void plan_tell(struct plan *plan, const struct grant *grant, const struct uevent *event);

/*
 * The step that takes back what `step` did, for undoing a plan that failed half way, the last step
 * first. Returns 1 and *ret, or 0 where nothing needs undoing (events, lookups) or nothing may be:
 * what was taken from a container is not given back because the rest of a take failed.
 */
int step_inverse(const struct step *step, struct step *ret);

/* One printable line: "node-make /dev/zigbee c 188:0 owner 0:20 mode 0660". Returns out. */
const char *step_describe(const struct step *step, char *out, size_t size);
