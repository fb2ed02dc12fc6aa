/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/uevent_socket.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <limits.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#define KERNEL_GROUP 1 /* group 2 is udevd's: libudev reads that one */

DEFINE_CLEANUP(struct mnl_socket *, mnl_socket_close)

const char *uevent_arrival_name(enum uevent_arrival arrival)
{
    switch (arrival) {
    case UEVENT_ARRIVED:
        return "arrived";
    case UEVENT_NOTHING:
        return "nothing";
    case UEVENT_OVERRUN:
        return "overrun: the kernel dropped events";
    case UEVENT_TRUNCATED:
        return "truncated: longer than any event";
    case UEVENT_SPOOF_PORT:
        return "spoofed: sender is not the kernel";
    case UEVENT_SPOOF_PID:
        return "spoofed: injected by a process";
    case UEVENT_SPOOF_UID:
        return "spoofed: sender is not root";
    case UEVENT_SPOOF_NO_SENDER:
        return "spoofed: no sender";
    }
    return "unknown";
}

static int set_option(int fd, int option, int value)
{
    return setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

/* SO_RCVBUFFORCE wants CAP_NET_ADMIN; SO_RCVBUF is silently cut at net.core.rmem_max instead. */
static int set_receive_buffer(int fd, size_t buffer)
{
    int bytes = buffer > INT_MAX / 2 ? INT_MAX / 2 : (int)buffer;
    int r = set_option(fd, SO_RCVBUFFORCE, bytes);
    return r == -EPERM ? set_option(fd, SO_RCVBUF, bytes) : r;
}

int uevent_socket_open(size_t buffer, struct refusal *why)
{
    _cleanup_(mnl_socket_closep) struct mnl_socket *nl =
        mnl_socket_open2(NETLINK_KOBJECT_UEVENT, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (!nl)
        return refuse(why, errno, "cannot open a uevent socket: %m");

    /* Before the first message can come: one that was queued without the option has no sender. */
    int fd = mnl_socket_get_fd(nl);
    int r = set_option(fd, SO_PASSCRED, 1);
    if (r < 0)
        return refuse(why, -r, "cannot ask for the senders of uevents: %s", strerror(-r));
    r = set_receive_buffer(fd, buffer);
    if (r < 0)
        return refuse(why, -r, "cannot set the receive buffer for uevents: %s", strerror(-r));
    if (mnl_socket_bind(nl, KERNEL_GROUP, MNL_SOCKET_AUTOPID) < 0)
        return refuse(why, errno, "cannot listen to uevents: %m");

    /* A plain descriptor is what an event loop takes; libmnl keeps no state that reading needs. */
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0)
        return refuse(why, errno, "cannot keep the uevent socket: %m");
    return copy;
}

/* Copied out, for CMSG_DATA() need not be aligned. */
static bool find_credentials(struct msghdr *header, struct ucred *ret)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS ||
            c->cmsg_len != CMSG_LEN(sizeof(*ret)))
            continue;
        memcpy(ret, CMSG_DATA(c), sizeof(*ret));
        return true;
    }
    return false;
}

/*
 * The sender comes before the length: what a stranger sends, however long, is never a reason to
 * scan sysfs again.
 */
static enum uevent_arrival judge(struct msghdr *header)
{
    const struct sockaddr_nl *sender = header->msg_name;
    struct ucred credentials;

    if (header->msg_namelen != sizeof(*sender) || sender->nl_family != AF_NETLINK ||
        !find_credentials(header, &credentials))
        return UEVENT_SPOOF_NO_SENDER;
    if (sender->nl_pid != 0)
        return UEVENT_SPOOF_PORT;
    if (credentials.pid != 0)
        return UEVENT_SPOOF_PID;
    if (credentials.uid != 0 || credentials.gid != 0)
        return UEVENT_SPOOF_UID;
    return header->msg_flags & MSG_TRUNC ? UEVENT_TRUNCATED : UEVENT_ARRIVED;
}

int uevent_socket_receive(int fd, char *buffer, size_t *ret_size)
{
    assert(buffer && ret_size);

    struct sockaddr_nl sender = {0};
    struct iovec data = {.iov_base = buffer, .iov_len = UEVENT_MESSAGE_MAX};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct msghdr header = {
        .msg_name = &sender,
        .msg_namelen = sizeof(sender),
        .msg_iov = &data,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };

    ssize_t size;
    do
        size = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (size < 0 && errno == EINTR);
    if (size < 0)
        return errno == EAGAIN ? UEVENT_NOTHING : errno == ENOBUFS ? UEVENT_OVERRUN : -errno;

    enum uevent_arrival arrival = judge(&header);
    if (arrival == UEVENT_ARRIVED)
        *ret_size = (size_t)size;
    return (int)arrival;
}
