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
#include "kernel/network_home.h"
#include "kernel/network_phy.h"
#include "kernel/network_request.h"
#include "kernel/network_watch.h"

struct network_link {
    int ifindex;              /* inside */
    int phy;                  /* or -1 */
    int netns_fd;             /* the container's */
    struct network_home home; /* how it was there */
    struct network_socket *inside;
    struct network_watch *watch; /* inside */
};

static const char *home_name(const struct network_link *link)
{
    return network_home_name(&link->home);
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
static int link_new(struct network_home *home_take, int netns_fd, struct network_link **ret,
                    struct refusal *why)
{
    _cleanup_(network_link_freep) struct network_link *link = calloc(1, sizeof(*link));
    if (!link) {
        network_home_done(home_take);
        return refuse(why, ENOMEM, "no memory for an interface");
    }
    link->phy = -1;
    link->home = *home_take;
    link->netns_fd = fcntl(netns_fd, F_DUPFD_CLOEXEC, 0);
    if (link->netns_fd < 0)
        return refuse(why, errno, "cannot hold the network namespace: %m");
    int r = network_socket_open(netns_fd, NETLINK_ROUTE, &link->inside, why);
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
    int r = network_request_move(host, ifindex, link->netns_fd, name);
    return r < 0 ? refuse_move(-r, home_name(link), name, why) : 0;
}

/*
 * Whether it arrived, and under its new name. The kernel moves first and renames then, so that one
 * whose name was taken meanwhile is inside though the request failed; and a phy takes its interface
 * along as it was called. What was said inside before is of others that had its number.
 */
static int arrive(struct network_link *link, const struct network_watch *host_watch,
                  const char *name, int error, struct refusal *why)
{
    (void)network_watch_read(link->watch);
    link->ifindex = host_watch->arrived ? host_watch->arrived : host_watch->ifindex;
    link->watch->ifindex = link->ifindex;
    if (link->phy >= 0 && error == 0)
        error = network_request_move(link->inside, link->ifindex, -1, name);
    return error == 0 ? 0 : refuse_move(-error, home_name(link), name, why);
}

int network_link_move(int ifindex, const char *name, int netns_fd,
                      int (*on_home)(void *userdata, json_t *home_take, struct refusal *why),
                      void *userdata, struct network_link **ret, struct refusal *why)
{
    struct network_home home;
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
        r = network_facts_check_phy(host, &facts, why);
    if (r == 0)
        r = network_home_read(host, ifindex, &home, why);
    if (r == 0)
        r = link_new(&home, netns_fd, &link, why);
    if (r == 0)
        r = on_home(userdata, network_home_save(&link->home), why);
    if (r == 0)
        r = network_watch_open(-1, ifindex, &watch, why);
    if (r < 0)
        return r;
    link->phy = facts.phy;
    r = leave(link, host, ifindex, name, why);
    (void)network_watch_read(watch);
    if (r < 0 && network_home_find(&link->home) > 0)
        return r;
    r = arrive(link, watch, name, r, why);
    *ret = TAKE_PTR(link);
    return r;
}

int network_link_resume(const json_t *home, int ifindex, int netns_fd, struct network_link **ret,
                        struct refusal *why)
{
    struct network_home loaded;
    int r = network_home_load(home, &loaded);
    if (r < 0)
        return refuse(why, -r, "what was noted of an interface cannot be used: %s", strerror(-r));
    if (ifindex == 0)
        ifindex = rtnl_link_get_ifindex(loaded.was);
    r = link_new(&loaded, netns_fd, ret, why);
    if (r < 0)
        return r;
    (*ret)->ifindex = (*ret)->watch->ifindex = ifindex;
    return 0;
}

/*
 * Root inside may plant an alternative name that somebody at home has, and do so again; each try
 * takes all of them away. Those that it had are given back at home.
 */
#define TRIES 3

static int return_alone(struct network_link *link, struct network_socket *host,
                        struct rtnl_link *now, int home_fd, struct refusal *why)
{
    int r = -EEXIST;
    (void)network_altnames_keep_only(link->inside, link->ifindex, &link->home.altnames);
    for (int i = 0; i < TRIES && r == -EEXIST; i++) {
        if (i > 0)
            (void)network_altnames_keep_only(link->inside, link->ifindex, NULL);
        bool taken = network_facts_is_name_taken(host, home_name(link));
        r = network_home_bring(&link->home, link->inside, now, home_fd,
                               taken ? NETWORK_HOME_FREE_NAME : home_name(link));
        if (r == 0 || network_link_lost(link)) /* what failed, failed after the move */
            return 0;
    }
    return refuse(why, -r, "%s does not come home: %s", home_name(link), strerror(-r));
}

/*
 * Whether what has its number inside may be it: where its departure was not heard, root inside may
 * have given the number to another. Nobody inside makes one of a physical interface's kind, which
 * is none. Returns 1 and *ret, 0, or a negative errno.
 */
static int find_inside(struct network_link *link, struct rtnl_link **ret)
{
    _cleanup_(rtnl_link_putp) struct rtnl_link *now = NULL;
    int r = network_facts_read_link(link->inside, link->ifindex, &now);
    if (r < 0)
        return r == -ENODEV ? 0 : r;
    if (!streq_null(rtnl_link_get_type(now), rtnl_link_get_type(link->home.was)))
        return 0;
    *ret = TAKE_PTR(now);
    return 1;
}

/* Asks the kernel for it. Returns 0 where it is not inside any more. */
static int bring(struct network_link *link, struct network_socket *host, struct refusal *why)
{
    _cleanup_(rtnl_link_putp) struct rtnl_link *now = NULL;
    _cleanup_close_ int home_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    int r = home_fd < 0 ? -errno : find_inside(link, &now);
    if (r == 0)
        return 0;
    if (r < 0)
        return refuse(why, -r, "cannot look for %s inside: %s", home_name(link), strerror(-r));
    return link->phy < 0 ? return_alone(link, host, now, home_fd, why)
                         : network_phy_move(link->phy, link->netns_fd, home_fd, why);
}

static void remark_loss(const struct network_link *link, struct refusal *remark)
{
    if (link->watch->moved)
        refuse(remark, ENODEV, "%s was moved on by the container, to another network namespace",
               home_name(link));
}

enum network_return network_link_return(struct network_link *link, struct refusal *remark,
                                        struct refusal *why)
{
    _cleanup_network_socket_ struct network_socket *host = NULL;
    int r = network_socket_open(-1, NETLINK_ROUTE, &host, why);
    bool lost = network_link_lost(link);
    if (r == 0 && !lost && network_home_find(&link->home) == 0)
        r = bring(link, host, why);
    if (r < 0)
        return NETWORK_RETURN_FAILED;
    int ifindex = network_home_find(&link->home);
    if (ifindex > 0) {
        network_home_settle(&link->home, host, ifindex, remark);
        return NETWORK_RETURN_HOME;
    }
    if (lost)
        remark_loss(link, remark);
    return NETWORK_RETURN_LOST;
}

int network_link_ifindex(const struct network_link *link)
{
    return link->ifindex;
}

int network_link_fd(const struct network_link *link)
{
    return nl_socket_get_fd(network_socket_nl(link->watch->socket));
}

bool network_link_lost(struct network_link *link)
{
    _cleanup_(rtnl_link_putp) struct rtnl_link *now = NULL;
    if (network_watch_read(link->watch) < 0 && !link->watch->departed)
        link->watch->departed = find_inside(link, &now) == 0;
    return link->watch->departed;
}

void network_link_free(struct network_link *link)
{
    if (!link)
        return;
    network_watch_close(link->watch);
    network_socket_close(link->inside);
    network_home_done(&link->home);
    fd_close(link->netns_fd);
    free(link);
}
