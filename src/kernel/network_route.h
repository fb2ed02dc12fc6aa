/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/network_socket.h"

/*
 * Whether a default route of our namespace leads through the interface: of IPv4 or IPv6, in any
 * table, alone or as one of several ways, by a nexthop object, or as two halves (0.0.0.0/1 and
 * 128.0.0.0/1), as tunnels make them. Returns 0 and *ret, or a negative errno.
 */
int network_route_is_default(struct network_socket *socket, int ifindex, bool *ret);
