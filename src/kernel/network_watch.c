/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/network_watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

/* A bridge that lets a member go says RTM_DELLINK too, of the family AF_BRIDGE. */
static bool is_departure(struct nlmsghdr *header, int ifindex)
{
    const struct ifinfomsg *info = nlmsg_data(header);
    return header->nlmsg_type == RTM_DELLINK && nlmsg_valid_hdr(header, sizeof(*info)) &&
           info->ifi_family == AF_UNSPEC && info->ifi_index == ifindex;
}

/* Who moves tells its new number and namespace; who is deleted has none. Since Linux 4.16. */
static void look_at(struct network_watch *watch, struct nlmsghdr *header)
{
    if (watch->departed || !is_departure(header, watch->ifindex))
        return;
    struct nlattr *number = nlmsg_find_attr(header, sizeof(struct ifinfomsg), IFLA_NEW_IFINDEX);
    watch->departed = true;
    watch->arrived = number ? (int)nla_get_u32(number) : 0;
    watch->moved = number || nlmsg_find_attr(header, sizeof(struct ifinfomsg), IFLA_NEW_NETNSID);
}

/*
 * Only what we ask for wakes us up: root inside can change its interfaces many times a second, but
 * not delete them so fast. The type is loaded as if it were big-endian.
 */
static int hear_departures_only(struct nl_sock *nl)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELLINK), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const struct sock_fprog program = {.len = ARRAY_SIZE(code), .filter = code};
    return setsockopt(nl_socket_get_fd(nl), SOL_SOCKET, SO_ATTACH_FILTER, &program,
                      sizeof(program)) < 0
               ? -nl_syserr2nlerr(errno)
               : 0;
}

static int listen_to_links(struct network_watch *watch)
{
    struct nl_sock *nl = network_socket_nl(watch->socket);
    int r = hear_departures_only(nl);
    return r == 0 ? nl_socket_add_memberships(nl, RTNLGRP_LINK, 0) : r;
}

int network_watch_open(int netns_fd, int ifindex, struct network_watch **ret, struct refusal *why)
{
    _cleanup_(network_watch_closep) struct network_watch *watch = calloc(1, sizeof(*watch));
    if (!watch)
        return refuse(why, ENOMEM, "no memory to watch an interface");
    watch->ifindex = ifindex;
    int r = network_socket_open(netns_fd, NETLINK_ROUTE, &watch->socket, why);
    if (r < 0)
        return r;
    r = listen_to_links(watch);
    if (r < 0)
        return refuse(why, EIO, "cannot watch interfaces: %s", nl_geterror(r));
    *ret = TAKE_PTR(watch);
    return 0;
}

void network_watch_close(struct network_watch *watch)
{
    if (!watch)
        return;
    network_socket_close(watch->socket);
    free(watch);
}

/*
 * Reads one message. The group takes what root inside sends, under any name; only the kernel has
 * the port number 0. Read by hand, as libnl goes on for as long as messages say that more follow.
 * Returns 1, 0: there is none, or -ENOBUFS.
 */
static int read_one(struct network_watch *watch)
{
    union {
        struct nlmsghdr header;
        char bytes[32768];
    } message;
    struct sockaddr_nl sender = {.nl_pid = UINT32_MAX};
    socklen_t sender_size = sizeof(sender);
    ssize_t size =
        recvfrom(nl_socket_get_fd(network_socket_nl(watch->socket)), &message, sizeof(message),
                 MSG_DONTWAIT, (struct sockaddr *)&sender, &sender_size);
    if (size < 0) /* an error is taken from the socket by reading it */
        return errno == EAGAIN ? 0 : -ENOBUFS;
    if (sender.nl_pid == 0 && nlmsg_ok(&message.header, (int)size))
        look_at(watch, &message.header);
    return 1;
}

/* Who floods the group from inside keeps us no longer than this; then there may be more. */
#define READ_MAX 256

int network_watch_read(struct network_watch *watch)
{
    bool lost = false;
    for (int i = 0; i < READ_MAX; i++) {
        int r = read_one(watch);
        if (r == 0)
            return lost ? -ENOBUFS : 0;
        lost |= r < 0;
    }
    return -ENOBUFS;
}
