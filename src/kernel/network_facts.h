/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a network interface is to the host, as far as it decides whether it may be given away. */

#include <net/if.h>
#include <netlink/route/link.h>

#include "kernel/network_socket.h"

struct network_facts {
    char name[IFNAMSIZ];
    bool loopback;
    bool default_route;         /* see network_route.h */
    char master[IFNAMSIZ];      /* "": it is no member of anything */
    char master_kind[IFNAMSIZ]; /* "bridge", "bond", "team", "vrf", ... */
    char upper[IFNAMSIZ];       /* one that stands on it, a VLAN for example; "": none */
    int phy;                    /* a wireless interface: the index of its phy; else -1 */
};

DEFINE_CLEANUP(struct rtnl_link *, rtnl_link_put)

/*
 * Reads an interface through `socket` (NETLINK_ROUTE). Returns 0 and *ret (rtnl_link_put() it), or
 * a negative errno: -ENODEV where there is none.
 */
int network_facts_read_link(struct network_socket *socket, int ifindex, struct rtnl_link **ret);

/* Whether some interface has the name, or has it as an alternative one. */
bool network_facts_is_name_taken(struct network_socket *socket, const char *name);

/* Finds out about an interface of our own namespace. Returns 0 or a negative errno and the reason.
 */
int network_facts_read(struct network_socket *socket, int ifindex, struct network_facts *ret,
                       struct refusal *why);

/*
 * Whether the host can do without it: 0, or -EBUSY and the reason. What is refused would take
 * itself or others off the network: loopback, a member of a bridge or bond, what carries others, a
 * default route's way.
 */
int network_facts_check(const struct network_facts *facts, struct refusal *why);

/* Likewise for all other interfaces of its phy, where it has one. */
int network_facts_check_phy(struct network_socket *socket, const struct network_facts *facts,
                            struct refusal *why);
