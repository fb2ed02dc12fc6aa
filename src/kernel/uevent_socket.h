/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The kernel's own uevents: NETLINK_KOBJECT_UEVENT, group 1, of the network namespace we are in.
 * Sender and truncation are checked here, before anything is parsed: a true event has nl_pid 0 and
 * ucred pid 0, uid 0, gid 0; a pid of 0 cannot be forged.
 */

#include "base/refusal.h"
#include "base/util.h"

#define UEVENT_SOCKET_BUFFER                                                                       \
    (128u * 1024 * 1024)         /* bytes; a storm of 10,000 events needs ~20 MiB */
#define UEVENT_MESSAGE_MAX 16384 /* bytes of one message */

enum uevent_arrival {
    UEVENT_ARRIVED,    /* one true event */
    UEVENT_NOTHING,    /* the socket is empty */
    UEVENT_OVERRUN,    /* ENOBUFS: the kernel dropped events; look at sysfs again */
    UEVENT_TRUNCATED,  /* longer than UEVENT_MESSAGE_MAX; look at sysfs again */
    UEVENT_SPOOF_PORT, /* nl_pid is not the kernel's: unicast or multicast by a process */
    UEVENT_SPOOF_PID,  /* injected through the kernel, or forged credentials: ucred pid is not 0 */
    UEVENT_SPOOF_UID,  /* ucred uid or gid is not 0 */
    UEVENT_SPOOF_NO_SENDER, /* no credentials at all */
};
#define UEVENT_ARRIVALS (UEVENT_SPOOF_NO_SENDER + 1)

/* "spoofed: sender is not the kernel" and so on: for counters and logs. */
const char *uevent_arrival_name(enum uevent_arrival arrival);

/*
 * Opens the socket in the current network namespace: non-blocking, CLOEXEC, credentials on,
 * `buffer` bytes of receive buffer (SO_RCVBUFFORCE, or SO_RCVBUF where that is refused).
 * Returns the descriptor or a negative errno.
 */
int uevent_socket_open(size_t buffer, struct refusal *why);

/*
 * Receives one message into `buffer` of UEVENT_MESSAGE_MAX bytes; *ret_size is set for
 * UEVENT_ARRIVED. Returns an enum uevent_arrival, or a negative errno that ends the socket.
 */
int uevent_socket_receive(int fd, char *buffer, size_t *ret_size);
