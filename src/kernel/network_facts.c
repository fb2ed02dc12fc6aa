/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/network_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <stdio.h>

#include "base/file.h"
#include "base/text.h"

DEFINE_CLEANUP(struct rtnl_route *, rtnl_route_put)

static void on_link(struct nl_object *object, void *userdata)
{
    struct rtnl_link **ret = userdata;
    if (*ret)
        return;
    nl_object_get(object);
    *ret = (struct rtnl_link *)object;
}

static void on_link_message(struct nl_msg *message, void *userdata)
{
    (void)nl_msg_parse(message, on_link, userdata);
}

static int ask_link(struct network_socket *socket, int ifindex, const char *name,
                    struct rtnl_link **ret)
{
    _cleanup_(rtnl_link_putp) struct rtnl_link *link = NULL;
    struct nl_msg *request;
    if (rtnl_link_build_get_request(ifindex, name, &request) < 0)
        return -ENOMEM;
    int r = network_socket_ask(socket, request, on_link_message, &link);
    if (r < 0 || !link)
        return r < 0 ? r : -EIO;
    *ret = TAKE_PTR(link);
    return 0;
}

int network_facts_read_link(struct network_socket *socket, int ifindex, struct rtnl_link **ret)
{
    return ask_link(socket, ifindex, NULL, ret);
}

bool network_facts_is_name_taken(struct network_socket *socket, const char *name)
{
    _cleanup_(rtnl_link_putp) struct rtnl_link *other = NULL;
    return ask_link(socket, 0, name, &other) == 0;
}

static void set_name(char to[IFNAMSIZ], const char *from)
{
    snprintf(to, IFNAMSIZ, "%s", from ? from : "");
}

static int read_master(struct network_socket *socket, int ifindex, struct network_facts *facts)
{
    _cleanup_(rtnl_link_putp) struct rtnl_link *master = NULL;
    if (ifindex <= 0)
        return 0;
    int r = network_facts_read_link(socket, ifindex, &master);
    if (r < 0)
        return r;
    set_name(facts->master, rtnl_link_get_name(master));
    set_name(facts->master_kind, rtnl_link_get_type(master));
    return 0;
}

struct search {
    int ifindex;
    bool found;
};

static void look_at_nexthop(struct rtnl_nexthop *nexthop, void *userdata)
{
    struct search *search = userdata;
    search->found |= rtnl_route_nh_get_ifindex(nexthop) == search->ifindex;
}

/* A default that leads nowhere ("unreachable") hangs on loopback and is nobody's way. */
static void on_route(struct nl_msg *message, void *userdata)
{
    _cleanup_(rtnl_route_putp) struct rtnl_route *route = NULL;
    if (rtnl_route_parse(nlmsg_hdr(message), &route) < 0)
        return;
    struct nl_addr *destination = rtnl_route_get_dst(route);
    if (rtnl_route_get_type(route) == RTN_UNICAST &&
        (!destination || nl_addr_get_prefixlen(destination) == 0))
        rtnl_route_foreach_nexthop(route, look_at_nexthop, userdata);
}

/*
 * All routes of a family are asked for. Kernels from 4.20 on send only those through the interface
 * where they check strictly, which matters on a router.
 */
static struct nl_msg *new_route_request(unsigned char family, int ifindex)
{
    struct rtmsg all = {.rtm_family = family};
    _cleanup_(nlmsg_freep) struct nl_msg *message =
        nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP);
    if (!message || nlmsg_append(message, &all, sizeof(all), NLMSG_ALIGNTO) < 0 ||
        nla_put_u32(message, RTA_OIF, (uint32_t)ifindex) < 0)
        return NULL;
    return TAKE_PTR(message);
}

static int read_family(struct network_socket *socket, unsigned char family, struct search *search)
{
    struct nl_msg *request = new_route_request(family, search->ifindex);
    return request ? network_socket_ask(socket, request, on_route, search) : -ENOMEM;
}

static int read_routes(struct network_socket *socket, int ifindex, bool *ret)
{
    struct search search = {.ifindex = ifindex};
    int yes = 1, fd = nl_socket_get_fd(network_socket_nl(socket));
    (void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &yes, sizeof(yes));
    int r = read_family(socket, AF_INET, &search);
    if (r == 0)
        r = read_family(socket, AF_INET6, &search);
    *ret = search.found;
    return r;
}

/* cfg80211 links an interface to its phy. */
static int find_phy(const char *name)
{
    char path[128], text[32];
    uint64_t index;
    snprintf(path, sizeof(path), "/sys/class/net/%s/phy80211/index", name);
    ssize_t length = file_read_at(AT_FDCWD, path, text, sizeof(text));
    if (length <= 0)
        return -1;
    text[strcspn(text, "\n")] = '\0';
    return text_to_number(text, INT32_MAX, &index) > 0 ? (int)index : -1;
}

int network_facts_read(struct network_socket *socket, int ifindex, struct network_facts *ret,
                       struct refusal *why)
{
    _cleanup_(rtnl_link_putp) struct rtnl_link *link = NULL;
    struct network_facts facts = {.phy = -1};
    int r = network_facts_read_link(socket, ifindex, &link);
    if (r == -ENODEV)
        return refuse(why, ENODEV, "the interface is gone already");
    if (r == 0) {
        set_name(facts.name, rtnl_link_get_name(link));
        facts.loopback = rtnl_link_get_flags(link) & IFF_LOOPBACK;
        facts.phy = find_phy(facts.name);
        r = read_master(socket, rtnl_link_get_master(link), &facts);
    }
    if (r == 0)
        r = read_routes(socket, ifindex, &facts.default_route);
    if (r < 0)
        return refuse(why, -r, "cannot look at interface %s: %s", facts.name, strerror(-r));
    *ret = facts;
    return 0;
}

int network_facts_check(const struct network_facts *facts, struct refusal *why)
{
    if (facts->loopback)
        return refuse(why, EBUSY, "%s is a loopback interface, which stays in its namespace",
                      facts->name);
    if (facts->master[0])
        return refuse(why, EBUSY, "%s is a member of %s%s%s: take it out of that first",
                      facts->name, facts->master_kind, facts->master_kind[0] ? " " : "",
                      facts->master);
    if (facts->default_route)
        return refuse(why, EBUSY, "the host's default route goes through %s", facts->name);
    return 0;
}
