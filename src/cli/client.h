/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A blocking Varlink client of devolved's control socket; io.devolve(7). */

#include "model/varlink_message.h"

struct client;

/*
 * Connects to io.devolve in $DEVOLVE_RUNTIME_DIR, or in /run/devolve. Returns 0 and *ret; -errno
 * with a reason that says what to do: -ENOENT and -ECONNREFUSED where no daemon runs, -EACCES.
 */
int client_open(struct client **ret, struct refusal *why);

/* The same with the daemon's runtime directory as given. A daemon that is too busy to be connected
 * to, or to read what is sent, is not waited for longer than `limit_ms`: -EAGAIN. 0: no limit. */
int client_open_at(const char *directory, unsigned limit_ms, struct client **ret,
                   struct refusal *why);

/* Closes the connection; NULL accepted. */
void client_free(struct client *client);
DEFINE_CLEANUP(struct client *, client_free)
#define _cleanup_client_ _cleanup_(client_freep)

/* Lets client_receive() return -EINTR when `fd` (borrowed; -1: none) becomes readable. */
void client_wake_by(struct client *client, int fd);

/*
 * Sends a call. `parameters` are borrowed, NULL for none. Returns 0; -EMSGSIZE where it is larger
 * than a call may be, -ENOMEM, or why the daemon could not be written to.
 */
int client_send(struct client *client, const char *method, const json_t *parameters, bool more,
                struct refusal *why);

/*
 * Waits for the next reply, without a limit. Returns 0 and *ret (varlink_reply_done() it; it may be
 * an error of the daemon's); -EINTR (no reason is given); -ECONNRESET when the daemon has closed
 * the connection; -EBADMSG for what is no reply.
 */
int client_receive(struct client *client, struct varlink_reply *ret, struct refusal *why);

/* client_send(), then client_receive(). */
int client_call(struct client *client, const char *method, const json_t *parameters,
                struct varlink_reply *ret, struct refusal *why);
