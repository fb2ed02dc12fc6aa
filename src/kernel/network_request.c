/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/network_request.h"

#include <errno.h>
#include <linux/rtnetlink.h>

struct nl_msg *network_request_new(int ifindex)
{
    struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_index = ifindex};
    _cleanup_(nlmsg_freep) struct nl_msg *message = nlmsg_alloc_simple(RTM_SETLINK, 0);
    if (!message || nlmsg_append(message, &info, sizeof(info), NLMSG_ALIGNTO) < 0)
        return NULL;
    return TAKE_PTR(message);
}

struct nl_msg *network_request_new_move(int ifindex, int netns_fd, const char *name)
{
    _cleanup_(nlmsg_freep) struct nl_msg *message = network_request_new(ifindex);
    if (!message || nla_put_string(message, IFLA_IFNAME, name) < 0 ||
        (netns_fd >= 0 && nla_put_u32(message, IFLA_NET_NS_FD, (uint32_t)netns_fd) < 0))
        return NULL;
    return TAKE_PTR(message);
}

int network_request_move(struct network_socket *socket, int ifindex, int netns_fd, const char *name)
{
    struct nl_msg *message = network_request_new_move(ifindex, netns_fd, name);
    return message ? network_socket_request(socket, message) : -ENOMEM;
}
