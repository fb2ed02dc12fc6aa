/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A netlink socket in some network namespace, and the kernel's own errno for what it refuses. */

#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "base/refusal.h"

struct network_socket;

/*
 * Opens a socket of a netlink `protocol` in the namespace behind `netns_fd` (-1: in ours). It stays
 * there, and keeps the namespace, whoever uses it. Nobody but the kernel can send to it; but who is
 * root there can send to a multicast group that it joins. It never blocks. Returns 0 and *ret, or a
 * negative errno and the reason. If the way back from the namespace fails the process aborts.
 */
int network_socket_open(int netns_fd, int protocol, struct network_socket **ret,
                        struct refusal *why);

/* NULL accepted. */
void network_socket_close(struct network_socket *socket);
DEFINE_CLEANUP(struct network_socket *, network_socket_close)
#define _cleanup_network_socket_ _cleanup_(network_socket_closep)

/* libnl's socket in it, borrowed. */
struct nl_sock *network_socket_nl(const struct network_socket *socket);

typedef void (*network_answer_fn)(struct nl_msg *message, void *userdata);

/*
 * Sends a request, and calls `on_answer` (may be NULL) for each message of the answer, until its
 * end. Returns 0, or the kernel's errno, negative; -EIO: the answer got lost.
 */
int network_socket_ask(struct network_socket *socket, struct nl_msg *message_take,
                       network_answer_fn on_answer, void *userdata);

/* Sends a request that is answered by yes or no. Returns 0, or a negative errno like ask(). */
int network_socket_request(struct network_socket *socket, struct nl_msg *message_take);

DEFINE_CLEANUP(struct nl_msg *, nlmsg_free)
