/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/uevent_room.h"

/*
 * netlink_broadcast_deliver() in linux/net/netlink/af_netlink.c: a message is delivered where it
 * still fits into the receive buffer (since 6.16; before, where anything would) or that is empty.
 * Otherwise the socket counts a drop and is congested, which ends when its queue was emptied by
 * reading. The bit is not to be seen from outside, so whoever has ever dropped anything may be
 * congested while there is something in his queue.
 */

#include <limits.h>
#include <linux/netlink.h>
#include <linux/netlink_diag.h>
#include <linux/sock_diag.h>

#include "kernel/socket_diag.h"

/* What a message takes in a receive buffer, at most: linux/include/linux/skbuff.h, SKB_TRUESIZE(),
 * on memory that kmalloc() rounds up. */
#define COST(size) (2 * (size) + 1024)

struct listeners {
    unsigned group;
    size_t size;
    unsigned room; /* the least so far */
};

struct listener {
    unsigned long groups;
    uint32_t memory[SK_MEMINFO_VARS];
};

static void copy_payload(const struct nlattr *attr, void *to, size_t size)
{
    size_t length = mnl_attr_get_payload_len(attr);
    memcpy(to, mnl_attr_get_payload(attr), length < size ? length : size);
}

static int on_attribute(const struct nlattr *attr, void *userdata)
{
    struct listener *listener = userdata;
    if (mnl_attr_get_type(attr) == NETLINK_DIAG_GROUPS)
        copy_payload(attr, &listener->groups, sizeof(listener->groups));
    else if (mnl_attr_get_type(attr) == NETLINK_DIAG_MEMINFO)
        copy_payload(attr, listener->memory, sizeof(listener->memory));
    return MNL_CB_OK;
}

static unsigned room_of(const struct listener *listener, size_t size)
{
    uint32_t used = listener->memory[SK_MEMINFO_RMEM_ALLOC];
    uint32_t limit = listener->memory[SK_MEMINFO_RCVBUF];
    if (used > limit || (used > 0 && listener->memory[SK_MEMINFO_DROPS]))
        return 0;
    unsigned room = (unsigned)((limit - used) / COST(size));
    return used == 0 && room == 0 ? 1 : room;
}

/* Goes on until one without any room is found. */
static bool is_full(const struct nlmsghdr *header, void *userdata)
{
    struct listeners *listeners = userdata;
    struct listener listener = {.groups = 0};
    if (mnl_nlmsg_get_payload_len(header) < sizeof(struct netlink_diag_msg))
        return false;
    (void)mnl_attr_parse(header, sizeof(struct netlink_diag_msg), on_attribute, &listener);
    if (!(listener.groups & listeners->group))
        return false;
    unsigned room = room_of(&listener, listeners->size);
    if (room < listeners->room)
        listeners->room = room;
    return room == 0;
}

int uevent_room(int netns_fd, unsigned group, size_t size, unsigned *ret)
{
    const struct netlink_diag_req request = {.sdiag_family = AF_NETLINK,
                                             .sdiag_protocol = NETLINK_KOBJECT_UEVENT,
                                             .ndiag_show = NDIAG_SHOW_GROUPS | NDIAG_SHOW_MEMINFO};
    struct listeners listeners = {.group = group, .size = size, .room = UINT_MAX};
    int r = socket_diag_find(netns_fd, &request, sizeof(request), is_full, &listeners);
    if (r < 0)
        return r;
    *ret = listeners.room;
    return 0;
}
