/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Which sockets a network namespace has: the kernel's sock_diag(7), which chooses those that are
 * asked for itself, and gives names with their length.
 */

#include <libmnl/libmnl.h>

#include "base/refusal.h"
#include "base/util.h"

/* Sockets that an answer may have; those that the kernel passes over do not count. */
#define SOCKET_DIAG_MAX 16384

/* Whether it is the one that is looked for; the payload is that of the request's family. */
typedef bool (*socket_diag_fn)(const struct nlmsghdr *socket, void *userdata);

/*
 * Sends a dump request (the struct of its family, whose first byte is the family's number) in the
 * namespace behind `netns_fd`, and shows `is_it` one socket after the other until it says yes. It
 * never waits. Returns 1 or 0; -EOPNOTSUPP where this kernel cannot be asked about the family;
 * -E2BIG where there are more sockets than SOCKET_DIAG_MAX; or another negative errno.
 */
int socket_diag_find(int netns_fd, const void *request, size_t size, socket_diag_fn is_it,
                     void *userdata);
