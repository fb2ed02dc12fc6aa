/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A kobject uevent as the kernel sends it on NETLINK_KOBJECT_UEVENT group 1: one buffer plus
 * offsets, nothing allocated.
 *
 *     add@/devices/virtual/block/zram1\0ACTION=add\0DEVPATH=/devices/virtual/block/zram1\0
 *     SUBSYSTEM=block\0MAJOR=253\0MINOR=1\0DEVNAME=zram1\0DEVTYPE=disk\0SEQNUM=1234\0
 *
 * Format: linux/lib/kobject_uevent.c, kobject_uevent_env(). What we inject is the same without
 * SEQNUM, which the kernel appends (uevent_net_broadcast_untagged()).
 */

#include "base/refusal.h"
#include "base/util.h"

#define UEVENT_TEXT_MAX 8192 /* longest message that is parsed; the kernel makes at most ~2.6 K */
#define UEVENT_PROPERTIES_MAX 96 /* the kernel: UEVENT_NUM_ENVP is 64 */
#define UEVENT_INJECT_MAX 2004   /* bytes that the kernel always takes for injection, see below */

/* linux/include/linux/kobject.h, enum kobject_action */
enum uevent_action {
    UEVENT_ADD,
    UEVENT_REMOVE,
    UEVENT_CHANGE,
    UEVENT_MOVE,
    UEVENT_ONLINE,
    UEVENT_OFFLINE,
    UEVENT_BIND,
    UEVENT_UNBIND,
};

struct uevent {
    enum uevent_action action;
    bool synthetic;     /* carries SYNTH_UUID: somebody wrote to a sysfs `uevent` file */
    uint64_t seqnum;    /* 0 where there is none */
    unsigned malformed; /* properties that were dropped while parsing: no '=', a key of other than
                           [A-Za-z0-9_.:-] or one that stood before, control characters, bytes that
                           are not UTF-8, too many */
    uint16_t property_count;
    uint16_t properties[UEVENT_PROPERTIES_MAX]; /* offsets of "KEY=VALUE" in text */
    uint16_t length;                            /* bytes used in text */
    char text[UEVENT_TEXT_MAX];                 /* the properties, each NUL-terminated */
};

/* "add" and so on: never NULL. */
const char *uevent_action_name(enum uevent_action action);

/* Returns 1 and *ret, or 0 for a word that is no action. */
int uevent_action_parse(const char *name, enum uevent_action *ret);

/*
 * Parses one message of `size` bytes. Structural fields are strict: the header "ACTION@DEVPATH",
 * the terminating NUL, ACTION and DEVPATH (once each, equal to the header's), SUBSYSTEM (once),
 * SEQNUM, MAJOR and MINOR as decimal numbers, a relative DEVNAME and an absolute DEVPATH without
 * empty, "." and ".." components, all of them clean text. A key that stands twice keeps the first.
 * Any other property that is odd is dropped and counted in `malformed`; the event is kept. Returns
 * 0, or -EBADMSG with the reason; *ret is undefined then.
 */
int uevent_parse(struct uevent *ret, const void *message, size_t size, struct refusal *why);

/*
 * An event of our own: ACTION and DEVPATH are set. Returns 0, -ENAMETOOLONG, or -EINVAL for what is
 * no devpath; *ret is undefined then.
 */
int uevent_init(struct uevent *ret, enum uevent_action action, const char *devpath);

/* The value of a property, borrowed, or NULL where there is none. */
const char *uevent_get(const struct uevent *event, const char *key);

/*
 * Adds a property or replaces it at its place; `value` may be one of the event's own. ACTION,
 * SEQNUM and SYNTH_UUID change `action`, `seqnum` and `synthetic` with them. Refuses what
 * uevent_parse() would drop or refuse (-EINVAL) and what does not fit (-ENOSPC); the event is
 * unchanged then.
 */
int uevent_set(struct uevent *event, const char *key, const char *value);

/* Removes a property, if it is there. ACTION and DEVPATH cannot be removed. */
void uevent_unset(struct uevent *event, const char *key);

/*
 * Writes the message for injection: header, then the properties in their order, without SEQNUM,
 * ending in NUL. Where it would be longer than `size`, properties are dropped until it fits, in
 * this fixed order: those that are neither the kernel's structural fields nor anything a client
 * needs to find the device, the last first; then MODALIAS, then the kernel's own remaining ones.
 * ACTION, DEVPATH, SUBSYSTEM, MAJOR, MINOR, DEVNAME, DEVTYPE, IFINDEX, INTERFACE are never dropped.
 *
 * The limit: 16 (nlmsghdr) + payload + strlen("SEQNUM=<n>") + 1 must be at most 2048, where n may
 * have 20 digits, so that UEVENT_INJECT_MAX bytes always fit.
 *
 * Returns the length, and how many properties were dropped in *ret_dropped (which may be NULL);
 * -E2BIG where even the structural fields do not fit.
 */
int uevent_serialise(const struct uevent *event, char *out, size_t size, unsigned *ret_dropped);
