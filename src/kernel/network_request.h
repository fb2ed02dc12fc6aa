/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Requests that change an interface (RTM_SETLINK). */

#include "kernel/network_socket.h"

/* A request that changes nothing yet. NULL when memory is short. */
struct nl_msg *network_request_new(int ifindex);

/* One that moves it to the namespace behind `netns_fd` (-1: stay), under the name. */
struct nl_msg *network_request_new_move(int ifindex, int netns_fd, const char *name);

/* Asks for that. Returns 0 or a negative errno. */
int network_request_move(struct network_socket *socket, int ifindex, int netns_fd,
                         const char *name);
