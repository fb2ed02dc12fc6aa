/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A netlink socket in some network namespace, and the kernel's own errno for what it refuses. */

#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "base/refusal.h"

struct network_socket;

/*
 * Opens a socket of a netlink `protocol` in the namespace behind `netns_fd` (-1: in ours). It stays
 * there, and keeps the namespace, whoever uses it. Returns 0 and *ret, or a negative errno and the
 * reason. If the way back from the namespace fails the process aborts.
 */
int network_socket_open(int netns_fd, int protocol, struct network_socket **ret,
                        struct refusal *why);

/* NULL accepted. */
void network_socket_close(struct network_socket *socket);
DEFINE_CLEANUP(struct network_socket *, network_socket_close)
#define _cleanup_network_socket_ _cleanup_(network_socket_closep)

/* libnl's socket in it, borrowed. */
struct nl_sock *network_socket_nl(const struct network_socket *socket);

/* Sends a request and waits for its end. Returns 0, or the kernel's errno, negative. */
int network_socket_request(struct network_socket *socket, struct nl_msg *message_take);

/* The negative errno behind `nl_error`, which a call of libnl on this socket just returned (< 0).
 */
int network_socket_error(struct network_socket *socket, int nl_error);

DEFINE_CLEANUP(struct nl_msg *, nlmsg_free)
