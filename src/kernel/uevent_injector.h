/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Events for a container: one kept netlink socket per network namespace, opened inside it. A
 * message unicast to the kernel there is multicast to group 1 with a SEQNUM of the kernel's
 * (linux/lib/kobject_uevent.c, uevent_net_rcv_skb()); SCM_CREDENTIALS with the host's ids of the
 * container's root make the reader see uid 0 and gid 0.
 */

#include "base/refusal.h"
#include "base/util.h"

struct uevent_injector;

/*
 * Opens a socket in the namespace behind `netns_fd` and comes back to the caller's. `root_uid` and
 * `root_gid` are the host's ids of the container's root. One injector serves all containers of a
 * namespace; the caller keeps them unique.
 * Returns 0 and *ret, or a negative errno. If the way back fails the process aborts: it must not go
 * on in a container's namespace.
 */
int uevent_injector_open(int netns_fd, uint32_t root_uid, uint32_t root_gid,
                         struct uevent_injector **ret, struct refusal *why);

/* NULL accepted. */
void uevent_injector_close(struct uevent_injector *injector);

/*
 * Sends one serialised event (uevent_serialise()) and reads the kernel's ACK.
 * Returns 0, or the kernel's refusal as a negative errno. 0 does not say that a reader had room.
 */
int uevent_injector_send(struct uevent_injector *injector, const char *message, size_t size,
                         struct refusal *why);

/*
 * Multicasts a message of udev's (udev_message_encode()) to group 2, where the kernel neither looks
 * at it nor adds to it. Returns 0 or a negative errno. That nobody listens is none.
 */
int uevent_injector_send_udev(struct uevent_injector *injector, const void *message, size_t size,
                              struct refusal *why);
