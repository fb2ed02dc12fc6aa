/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/network_link.h"

/*
 * One request moves and renames (RTM_SETLINK), and one brings home and sets back: both are carried
 * out under the kernel's RTNL lock, so that nobody inside comes between. They are not all or
 * nothing: the kernel moves first, and what fails then fails there. A closed device is what arrives
 * (__dev_change_net_namespace() in linux/net/core/dev.c), without addresses and routes.
 *
 * An interface keeps its number when it moves, unless that is taken. The new one stands in the
 * RTM_DELLINK that our namespace hears; names are no way to find it, as root inside may rename.
 *
 * A socket inside keeps the namespace for as long as the interface is there: were it to end with
 * the container, the kernel would send physical interfaces home as they are, and delete the
 * virtual ones.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <sys/socket.h>

#include "kernel/network_facts.h"
#include "kernel/network_phy.h"
#include "kernel/network_watch.h"

#define FREE_PREFIX "dev"
#define FREE_NAME                                                                                  \
    FREE_PREFIX "%d" /* the kernel fills the number in; it calls its own foundlings so */

struct network_link {
    int ifindex;           /* inside */
    int phy;               /* or -1 */
    int netns_fd;          /* the container's */
    struct rtnl_link *was; /* on the host, before it left */
    struct network_socket *inside;
    struct network_watch *watch; /* inside */
};

static const char *home_name(const struct network_link *link)
{
    return rtnl_link_get_name(link->was);
}

static struct nl_msg *new_request(int ifindex)
{
    struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_index = ifindex};
    _cleanup_(nlmsg_freep) struct nl_msg *message = nlmsg_alloc_simple(RTM_SETLINK, 0);
    if (!message || nlmsg_append(message, &info, sizeof(info), NLMSG_ALIGNTO) < 0)
        return NULL;
    return TAKE_PTR(message);
}

/* To the namespace (-1: stay), under the name. */
static struct nl_msg *new_move(int ifindex, int netns_fd, const char *name)
{
    _cleanup_(nlmsg_freep) struct nl_msg *message = new_request(ifindex);
    if (!message || nla_put_string(message, IFLA_IFNAME, name) < 0 ||
        (netns_fd >= 0 && nla_put_u32(message, IFLA_NET_NS_FD, (uint32_t)netns_fd) < 0))
        return NULL;
    return TAKE_PTR(message);
}

static int request_move(struct network_socket *socket, int ifindex, int netns_fd, const char *name)
{
    struct nl_msg *message = new_move(ifindex, netns_fd, name);
    return message ? network_socket_request(socket, message) : -ENOMEM;
}

static int refuse_move(int error, const char *from, const char *to, struct refusal *why)
{
    if (error == EEXIST)
        return refuse(why, EEXIST, "the container has an interface %s already: NAME must differ",
                      to);
    if (error == EINVAL || error == EOPNOTSUPP)
        return refuse(why, error,
                      "the kernel does not move %s to another network namespace: its kind of "
                      "interface stays where it is",
                      from);
    return refuse(why, error, "cannot move %s into the container: %s", from, strerror(error));
}

/* What is ready before anything moves: afterwards nothing may fail any more. */
static int link_new(struct network_socket *host, int ifindex, int netns_fd,
                    struct network_link **ret, struct refusal *why)
{
    _cleanup_(network_link_freep) struct network_link *link = calloc(1, sizeof(*link));
    if (!link)
        return refuse(why, ENOMEM, "no memory for an interface");
    link->netns_fd = fcntl(netns_fd, F_DUPFD_CLOEXEC, 0);
    int r = link->netns_fd < 0 ? -errno : network_facts_read_link(host, ifindex, &link->was);
    if (r < 0)
        return refuse(why, -r, "cannot look at the interface: %s", strerror(-r));
    r = network_socket_open(netns_fd, NETLINK_ROUTE, &link->inside, why);
    if (r == 0)
        r = network_watch_open(netns_fd, 0, &link->watch, why);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(link);
    return 0;
}

static int leave(struct network_link *link, struct network_socket *host, int ifindex,
                 const char *name, struct refusal *why)
{
    if (network_facts_is_name_taken(link->inside, name))
        return refuse_move(EEXIST, home_name(link), name, why);
    if (link->phy >= 0)
        return network_phy_move(link->phy, -1, link->netns_fd, why);
    int r = request_move(host, ifindex, link->netns_fd, name);
    return r < 0 ? refuse_move(-r, home_name(link), name, why) : 0;
}

/*
 * Whether it arrived, and under its new name. The kernel moves first and renames then, so that one
 * whose name was taken meanwhile is inside though the request failed; and a phy takes its interface
 * along as it was called. Who is inside under a wrong name is brought back.
 */
static int arrive(struct network_link *link, const struct network_watch *host_watch,
                  const char *name, int error, struct refusal *why)
{
    if (!host_watch->departed && error < 0)
        return error;
    link->ifindex = host_watch->arrived ? host_watch->arrived : host_watch->ifindex;
    link->watch->ifindex = link->ifindex;
    if (link->phy >= 0 && error == 0)
        error = request_move(link->inside, link->ifindex, -1, name);
    if (error == 0)
        return 0;
    (void)network_link_return(link, NULL, NULL);
    return refuse_move(-error, home_name(link), name, why);
}

int network_link_move(int ifindex, const char *name, int netns_fd, struct network_link **ret,
                      struct refusal *why)
{
    _cleanup_network_socket_ struct network_socket *host = NULL;
    _cleanup_(network_watch_closep) struct network_watch *watch = NULL;
    _cleanup_(network_link_freep) struct network_link *link = NULL;
    struct network_facts facts;

    int r = network_socket_open(-1, NETLINK_ROUTE, &host, why);
    if (r == 0)
        r = network_facts_read(host, ifindex, &facts, why);
    if (r == 0)
        r = network_facts_check(&facts, why);
    if (r == 0)
        r = link_new(host, ifindex, netns_fd, &link, why);
    if (r == 0)
        r = network_watch_open(-1, ifindex, &watch, why);
    if (r < 0)
        return r;
    link->phy = facts.phy;
    r = leave(link, host, ifindex, name, why);
    (void)network_watch_read(watch);
    r = arrive(link, watch, name, r, why);
    if (r == 0)
        *ret = TAKE_PTR(link);
    return r;
}

/* Each adds what is to be set back, where that differs: drivers may refuse even what is so already.
 */
static int put_address(struct nl_msg *message, struct rtnl_link *was, struct rtnl_link *now)
{
    struct nl_addr *address = rtnl_link_get_addr(was);
    if (!address || nl_addr_get_len(address) == 0 ||
        nl_addr_cmp(address, rtnl_link_get_addr(now)) == 0)
        return 0;
    return nla_put(message, IFLA_ADDRESS, (int)nl_addr_get_len(address),
                   nl_addr_get_binary_addr(address));
}

static int put_mtu(struct nl_msg *message, struct rtnl_link *was, struct rtnl_link *now)
{
    if (rtnl_link_get_mtu(was) == rtnl_link_get_mtu(now))
        return 0;
    return nla_put_u32(message, IFLA_MTU, rtnl_link_get_mtu(was));
}

static int put_group(struct nl_msg *message, struct rtnl_link *was, struct rtnl_link *now)
{
    if (rtnl_link_get_group(was) == rtnl_link_get_group(now))
        return 0;
    return nla_put_u32(message, IFLA_GROUP, rtnl_link_get_group(was));
}

static int put_alias(struct nl_msg *message, struct rtnl_link *was, struct rtnl_link *now)
{
    const char *alias = rtnl_link_get_ifalias(was);
    if (streq_null(alias, rtnl_link_get_ifalias(now)))
        return 0;
    return nla_put(message, IFLA_IFALIAS, alias ? (int)strlen(alias) : 0, alias ? alias : "");
}

static const struct {
    const char *name;
    int (*put)(struct nl_msg *message, struct rtnl_link *was, struct rtnl_link *now);
} settings[] = {
    {"MAC address", put_address}, {"MTU", put_mtu}, {"group", put_group}, {"alias", put_alias}};

/* The whole way home in one request. */
static int request_return(struct network_link *link, struct rtnl_link *now, int home_fd,
                          const char *name)
{
    _cleanup_(nlmsg_freep) struct nl_msg *message = new_move(link->ifindex, home_fd, name);
    int r = message ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(settings); i++)
        r = settings[i].put(message, link->was, now);
    return r == 0 ? network_socket_request(link->inside, TAKE_PTR(message)) : -ENOMEM;
}

static int return_alone(struct network_link *link, struct network_socket *host,
                        struct rtnl_link *now, int home_fd, struct refusal *why)
{
    bool taken = network_facts_is_name_taken(host, home_name(link));
    int r = request_return(link, now, home_fd, taken ? FREE_NAME : home_name(link));
    if (network_link_lost(link)) /* what failed, failed after the move */
        return 0;
    return refuse(why, -r, "cannot bring %s home: %s", home_name(link), strerror(-r));
}

/* Whether one setting is as it was, or is now. */
static int set_back(struct network_link *link, struct network_socket *host, struct rtnl_link *now,
                    size_t setting)
{
    _cleanup_(nlmsg_freep) struct nl_msg *message = new_request(link->watch->arrived);
    if (!message)
        return -ENOMEM;
    uint32_t empty = nlmsg_hdr(message)->nlmsg_len;
    if (settings[setting].put(message, link->was, now) < 0)
        return -ENOMEM;
    if (nlmsg_hdr(message)->nlmsg_len == empty)
        return 0;
    return network_socket_request(host, TAKE_PTR(message));
}

/* A name that was given inside means nothing here. */
static void settle_name(struct network_link *link, struct network_socket *host,
                        struct rtnl_link *now, struct refusal *remark)
{
    _cleanup_(rtnl_link_putp) struct rtnl_link *named = NULL;
    int ifindex = link->watch->arrived;
    if (streq_null(rtnl_link_get_name(now), home_name(link)) ||
        request_move(host, ifindex, -1, home_name(link)) == 0)
        return;
    if (!after_prefix(rtnl_link_get_name(now), FREE_PREFIX))
        (void)request_move(host, ifindex, -1, FREE_NAME);
    if (network_facts_read_link(host, ifindex, &named) == 0)
        refuse(remark, EEXIST, "the name %s is taken: the interface came home as %s",
               home_name(link), rtnl_link_get_name(named));
}

/* It is home: what is not as it was gets another try, one by one, and is said. */
static void settle(struct network_link *link, struct network_socket *host, struct refusal *remark)
{
    _cleanup_(rtnl_link_putp) struct rtnl_link *now = NULL;
    if (network_facts_read_link(host, link->watch->arrived, &now) < 0)
        return; /* unplugged meanwhile */
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        int r = set_back(link, host, now, i);
        if (r < 0)
            refuse(remark, -r, "the %s of %s is not what it was: %s", settings[i].name,
                   home_name(link), strerror(-r));
    }
    settle_name(link, host, now, remark);
}

int network_link_return(struct network_link *link, struct refusal *remark, struct refusal *why)
{
    _cleanup_(rtnl_link_putp) struct rtnl_link *now = NULL;
    _cleanup_network_socket_ struct network_socket *host = NULL;
    _cleanup_close_ int home_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

    if (network_link_lost(link))
        return 0;
    int r = home_fd < 0 ? -errno : network_facts_read_link(link->inside, link->ifindex, &now);
    if (r == -ENODEV)
        return 0;
    if (r < 0)
        return refuse(why, -r, "cannot look for %s inside: %s", home_name(link), strerror(-r));
    r = network_socket_open(-1, NETLINK_ROUTE, &host, why);
    if (r == 0)
        r = link->phy < 0 ? return_alone(link, host, now, home_fd, why)
                          : network_phy_move(link->phy, link->netns_fd, home_fd, why);
    if (r < 0)
        return r;
    (void)network_watch_read(link->watch);
    settle(link, host, remark);
    return 1;
}

int network_link_fd(const struct network_link *link)
{
    return nl_socket_get_fd(network_socket_nl(link->watch->socket));
}

bool network_link_lost(struct network_link *link)
{
    _cleanup_(rtnl_link_putp) struct rtnl_link *now = NULL;
    if (network_watch_read(link->watch) < 0 && !link->watch->departed)
        link->watch->departed =
            network_facts_read_link(link->inside, link->ifindex, &now) == -ENODEV;
    return link->watch->departed;
}

void network_link_free(struct network_link *link)
{
    if (!link)
        return;
    network_watch_close(link->watch);
    network_socket_close(link->inside);
    rtnl_link_put(link->was);
    fd_close(link->netns_fd);
    free(link);
}
