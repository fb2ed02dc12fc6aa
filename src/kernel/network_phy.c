/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/network_phy.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/nl80211.h>
#include <netlink/genl/genl.h>

#include "kernel/network_socket.h"

static void on_family(struct nl_msg *message, void *userdata)
{
    int *family = userdata;
    struct nlattr *id = nlmsg_find_attr(nlmsg_hdr(message), GENL_HDRLEN, CTRL_ATTR_FAMILY_ID);
    if (id)
        *family = nla_get_u16(id);
}

/* Returns the number of nl80211, or a negative errno. */
static int find_family(struct network_socket *socket)
{
    int family = -ENOENT;
    struct nl_msg *message = nlmsg_alloc();
    if (!message ||
        !genlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ, GENL_ID_CTRL, 0, 0, CTRL_CMD_GETFAMILY,
                     1) ||
        nla_put_string(message, CTRL_ATTR_FAMILY_NAME, NL80211_GENL_NAME) < 0) {
        nlmsg_free(message);
        return -ENOMEM;
    }
    int r = network_socket_ask(socket, message, on_family, &family);
    return r < 0 ? r : family;
}

static int request_move(struct network_socket *socket, int family, int phy, int to_fd)
{
    struct nl_msg *message = nlmsg_alloc();
    if (!message ||
        !genlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, 0, NL80211_CMD_SET_WIPHY_NETNS,
                     0) ||
        nla_put_u32(message, NL80211_ATTR_WIPHY, (uint32_t)phy) < 0 ||
        nla_put_u32(message, NL80211_ATTR_NETNS_FD, (uint32_t)to_fd) < 0) {
        nlmsg_free(message);
        return -ENOMEM;
    }
    return network_socket_request(socket, message);
}

int network_phy_move(int phy, int from_fd, int to_fd, struct refusal *why)
{
    _cleanup_network_socket_ struct network_socket *socket = NULL;
    int r = network_socket_open(from_fd, NETLINK_GENERIC, &socket, why);
    if (r < 0)
        return r;
    int family = find_family(socket);
    if (family < 0)
        return refuse(why, EOPNOTSUPP, "the kernel has no nl80211 to move phy%d with", phy);
    r = request_move(socket, family, phy, to_fd);
    return r < 0 ? refuse(why, -r, "the kernel does not move phy%d: %s", phy, strerror(-r)) : 0;
}
