/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The courier: a child per container that has joined the container's user and mount namespaces,
 * runs as the container's root, and holds no capability outside the container's user namespace. It
 * attaches, detaches, links and reads /etc/passwd and /etc/group there, for typed requests
 * (courier_protocol.h).
 *
 * A container that hangs its own file system hangs its own courier and nobody else: nothing here
 * waits for one. devolved polls courier_fd() beside everything else, keeps the deadline, and
 * abandons a courier that missed it.
 */

#include "kernel/courier_protocol.h"
#include "kernel/namespace.h"

struct courier;

/*
 * Forks a courier. The child joins, drops everything it does not need (descriptors but its socket
 * and the container's root, capabilities but SYS_ADMIN, dumpable, its name), chroots into the
 * container's root, installs its seccomp filter and serves; all that happens after the return, and
 * a failure there is the first reply's error. The process must be single-threaded (setns(2) of a
 * user namespace). Returns 0 and *ret, or a negative errno.
 */
int courier_spawn(const struct namespaces *namespaces, struct courier **ret, struct refusal *why);

/* The socket: readable when a reply is there or the courier died. */
int courier_fd(const struct courier *courier);

pid_t courier_pid(const struct courier *courier);

/*
 * Sends a request; `tree_fd` is the detached mount of COURIER_ATTACH (borrowed), else -1. There
 * must be no request under way. Never blocks. Returns 0 or a negative errno (-EPIPE: the courier is
 * dead).
 */
int courier_send(struct courier *courier, const struct courier_request *request, int tree_fd);

/* Returns 1 and *ret, 0 when there is none yet, or a negative errno: the courier is dead. */
int courier_receive(struct courier *courier, struct courier_reply *ret);

/*
 * Ends a courier without waiting: closes its socket, sends SIGKILL, and frees. A child in
 * uninterruptible sleep stays behind until its file system lets go; courier_reap() collects it
 * then. NULL accepted.
 */
void courier_abandon(struct courier *courier);

/* Collects dead couriers (waitpid without hanging on pids that were ours). How many still linger.
 */
size_t courier_reap(void);

/* The child's side, in courier_child.c: serves until the socket closes. Never returns. */
_Noreturn void courier_serve(int socket_fd, const struct namespaces *namespaces);
