/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/network_route.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#define LOWER_HALF 1u
#define UPPER_HALF 2u
#define BOTH_HALVES (LOWER_HALF | UPPER_HALF)

struct search {
    uint32_t ifindex;
    unsigned halves; /* of the address space, of one family, that lead through it */
};

/* Which halves of the address space the route is for. */
static unsigned halves_of(const struct rtmsg *route, const struct nlattr *destination)
{
    if (route->rtm_dst_len == 0)
        return BOTH_HALVES;
    if (route->rtm_dst_len > 1)
        return 0;
    bool upper =
        destination && nla_len(destination) > 0 && *(const uint8_t *)nla_data(destination) & 0x80;
    return upper ? UPPER_HALF : LOWER_HALF;
}

static bool is_among(const struct nlattr *ways, uint32_t ifindex)
{
    const struct rtnexthop *way = nla_data(ways);
    int left = nla_len(ways);
    for (; RTNH_OK(way, left); left -= RTNH_ALIGN(way->rtnh_len), way = RTNH_NEXT(way))
        if ((uint32_t)way->rtnh_ifindex == ifindex)
            return true;
    return false;
}

/*
 * The ways of a nexthop object (Linux 5.3) are not always in the message; but every kernel that has
 * such sends only the routes that we asked for.
 */
static bool leads_through(struct nlattr **attributes, uint32_t ifindex)
{
    const struct nlattr *way = attributes[RTA_OIF], *ways = attributes[RTA_MULTIPATH];
    return attributes[RTA_NH_ID] || (way && nla_get_u32(way) == ifindex) ||
           (ways && is_among(ways, ifindex));
}

/* A default that leads nowhere ("unreachable") hangs on loopback and is nobody's way. */
static void on_route(struct nl_msg *message, void *userdata)
{
    struct search *search = userdata;
    struct nlattr *attributes[RTA_MAX + 1];
    struct nlmsghdr *header = nlmsg_hdr(message);
    const struct rtmsg *route = nlmsg_data(header);
    if (header->nlmsg_type == RTM_NEWROUTE &&
        nlmsg_parse(header, sizeof(*route), attributes, RTA_MAX, NULL) == 0 &&
        route->rtm_type == RTN_UNICAST && leads_through(attributes, search->ifindex))
        search->halves |= halves_of(route, attributes[RTA_DST]);
}

/*
 * All routes of a family are asked for. Kernels from 4.20 on send only those through the interface
 * where they check strictly, which matters on a router.
 */
static struct nl_msg *new_request(unsigned char family, uint32_t ifindex)
{
    struct rtmsg all = {.rtm_family = family};
    _cleanup_(nlmsg_freep) struct nl_msg *message =
        nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP);
    if (!message || nlmsg_append(message, &all, sizeof(all), NLMSG_ALIGNTO) < 0 ||
        nla_put_u32(message, RTA_OIF, ifindex) < 0)
        return NULL;
    return TAKE_PTR(message);
}

int network_route_is_default(struct network_socket *socket, int ifindex, bool *ret)
{
    static const unsigned char families[] = {AF_INET, AF_INET6};
    int yes = 1, fd = nl_socket_get_fd(network_socket_nl(socket));
    bool found = false;
    (void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &yes, sizeof(yes));
    for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
        struct search search = {.ifindex = (uint32_t)ifindex};
        struct nl_msg *message = new_request(families[i], search.ifindex);
        int r = message ? network_socket_ask(socket, message, on_route, &search) : -ENOMEM;
        if (r < 0)
            return r;
        found |= search.halves == BOTH_HALVES;
    }
    *ret = found;
    return 0;
}
