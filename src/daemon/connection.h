/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The clients of the control socket, each with what it sent, what it has yet to read, and its call.
 */

#include "daemon/control.h"

struct connection_list {
    struct service *service;
    struct connection *first;
    size_t count;
};

/* A new client (its descriptor is taken); hung up on where there are too many that wait. */
void connection_list_add(struct connection_list *list, int fd_take);

/*
 * Closes a connection that waits for nothing: of the user who has the most, the one that was not
 * used for longest. So whoever connects again and again sends away himself. Whether there was one.
 */
bool connection_list_evict(struct connection_list *list);

/* Sends what goes without waiting, and closes all. */
void connection_list_close(struct connection_list *list);
