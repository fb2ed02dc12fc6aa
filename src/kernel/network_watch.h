/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Hears where an interface goes: that it left a network namespace, and under which number it
 * arrived in the next one.
 */

#include "kernel/network_socket.h"

struct network_watch {
    struct network_socket *socket;
    int ifindex;   /* of whom; may be set until the first reading */
    bool departed; /* it is not in the namespace any more */
    bool moved;    /* it left for another namespace; or it was deleted, or we do not know */
    int arrived;   /* its number where it went; 0: it was deleted, or we do not know */
};

/*
 * Begins to listen in the namespace behind `netns_fd` (-1: in ours). The descriptor of its socket
 * is readable when there is something to read. Returns 0 and *ret (network_watch_close() it), or a
 * negative errno and the reason.
 */
int network_watch_open(int netns_fd, int ifindex, struct network_watch **ret, struct refusal *why);

/* NULL accepted. */
void network_watch_close(struct network_watch *watch);
DEFINE_CLEANUP(struct network_watch *, network_watch_close)

/*
 * Reads what the kernel said until now, without waiting. Returns 0, or -ENOBUFS where some of it
 * was lost, or there is more than can be read at once.
 */
int network_watch_read(struct network_watch *watch);
