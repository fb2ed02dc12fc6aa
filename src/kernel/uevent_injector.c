/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/uevent_injector.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "kernel/network_visit.h"
#include "model/uevent.h"

/*
 * One sendmsg(2) and one recvmsg(2) an event. The kernel handles the message within the send, so
 * its answer is in the receive queue when the send returns: nothing here waits.
 *
 * The kernel wants CAP_SYS_ADMIN over the user namespace that owns the network namespace, of the
 * socket's opener and of the sender alike; both are us, on the host. The message goes out as it is
 * but for the SEQNUM behind it: padded or unterminated it would run into that.
 *
 * The socket is connected to the kernel. Root of the container may unicast to any port in its
 * network namespace, forged acknowledgements included; to a connected socket that is ECONNREFUSED.
 */

#define UDEV_GROUP 2 /* MONITOR_GROUP_UDEV of systemd's device-monitor.c, as a mask */

struct uevent_injector {
    struct mnl_socket *socket;
    uint32_t root_uid;
    uint32_t root_gid;
    uint32_t sequence;
};

DEFINE_CLEANUP(struct mnl_socket *, mnl_socket_close)
DEFINE_CLEANUP(struct uevent_injector *, uevent_injector_close)

static const struct sockaddr_nl the_kernel = {.nl_family = AF_NETLINK};

static int refuse_socket(struct refusal *why)
{
    return refuse(why, errno, "cannot open a uevent socket in the container's namespace: %m");
}

/* In the current namespace. */
static int open_socket(void *userdata, struct refusal *why)
{
    struct mnl_socket **ret = userdata;
    _cleanup_(mnl_socket_closep) struct mnl_socket *nl =
        mnl_socket_open2(NETLINK_KOBJECT_UEVENT, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
        return refuse_socket(why);
    if (connect(mnl_socket_get_fd(nl), (const struct sockaddr *)&the_kernel, sizeof(the_kernel)) <
        0)
        return refuse_socket(why);

    /* A refusal need not carry our whole message back. */
    int yes = 1;
    if (mnl_socket_setsockopt(nl, NETLINK_CAP_ACK, &yes, sizeof(yes)) < 0)
        return refuse_socket(why);
    *ret = TAKE_PTR(nl);
    return 0;
}

int uevent_injector_open(int netns_fd, uint32_t root_uid, uint32_t root_gid,
                         struct uevent_injector **ret, struct refusal *why)
{
    _cleanup_(uevent_injector_closep) struct uevent_injector *injector =
        calloc(1, sizeof(*injector));
    if (!injector)
        return refuse(why, ENOMEM, "no memory for a uevent socket");

    injector->root_uid = root_uid;
    injector->root_gid = root_gid;
    int r = network_visit(netns_fd, open_socket, &injector->socket, why);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(injector);
    return 0;
}

void uevent_injector_close(struct uevent_injector *injector)
{
    if (!injector)
        return;
    if (injector->socket)
        mnl_socket_close(injector->socket);
    free(injector);
}

/* The host's ids of the container's root, which only the host's root may claim. */
static void put_credentials(struct msghdr *header, const struct uevent_injector *injector)
{
    struct ucred credentials = {
        .pid = getpid(),
        .uid = injector->root_uid,
        .gid = injector->root_gid,
    };
    struct cmsghdr *control = CMSG_FIRSTHDR(header);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_CREDENTIALS;
    control->cmsg_len = CMSG_LEN(sizeof(credentials));
    memcpy(CMSG_DATA(control), &credentials, sizeof(credentials));
}

static int send_parts(const struct uevent_injector *injector, const struct sockaddr_nl *to,
                      struct iovec *parts, size_t count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } control = {0};
    struct msghdr header = {
        .msg_name = (void *)(uintptr_t)to,
        .msg_namelen = sizeof(*to),
        .msg_iov = parts,
        .msg_iovlen = count,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    put_credentials(&header, injector);
    return sendmsg(mnl_socket_get_fd(injector->socket), &header, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int send_message(struct uevent_injector *injector, const char *message, size_t size)
{
    struct nlmsghdr netlink = {
        .nlmsg_len = (uint32_t)(sizeof(netlink) + size),
        .nlmsg_type = NLMSG_MIN_TYPE, /* lower ones are netlink's own and ignored */
        .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
        .nlmsg_seq = ++injector->sequence,
    };
    struct iovec parts[] = {
        {.iov_base = &netlink, .iov_len = sizeof(netlink)},
        {.iov_base = (void *)(uintptr_t)message, .iov_len = size},
    };
    return send_parts(injector, &the_kernel, parts, ARRAY_SIZE(parts));
}

/* An answer to an earlier message is one whose reading failed then: passed over. */
static int receive_ack(struct uevent_injector *injector)
{
    union {
        struct nlmsghdr header;
        char bytes[256];
    } answer;

    do {
        ssize_t size = mnl_socket_recvfrom(injector->socket, &answer, sizeof(answer));
        if (size < 0)
            return -errno;
        if (!mnl_nlmsg_ok(&answer.header, (int)size))
            return -EBADMSG;
        if (answer.header.nlmsg_seq == injector->sequence)
            return mnl_cb_run(&answer, (size_t)size, injector->sequence,
                              mnl_socket_get_portid(injector->socket), NULL, NULL) < 0
                       ? -errno
                       : 0;
    } while (true);
}

int uevent_injector_send(struct uevent_injector *injector, const char *message, size_t size,
                         struct refusal *why)
{
    if (size == 0 || message[size - 1] != '\0')
        return refuse(why, EINVAL, "a uevent for a container must end in NUL");
    if (size > UEVENT_INJECT_MAX)
        return refuse(why, EMSGSIZE, "a uevent of %zu bytes is too long for a container: %d fit",
                      size, UEVENT_INJECT_MAX);

    int r = send_message(injector, message, size);
    if (r < 0)
        return refuse(why, -r, "cannot send a uevent to the container: %s", strerror(-r));
    r = receive_ack(injector);
    if (r < 0)
        return refuse(why, -r, "the kernel refused the container's uevent: %s", strerror(-r));
    return 0;
}

int uevent_injector_send_udev(struct uevent_injector *injector, const void *message, size_t size,
                              struct refusal *why)
{
    static const struct sockaddr_nl listeners = {.nl_family = AF_NETLINK, .nl_groups = UDEV_GROUP};
    struct iovec part = {.iov_base = (void *)(uintptr_t)message, .iov_len = size};
    int r = send_parts(injector, &listeners, &part, 1);
    if (r < 0 && r != -ECONNREFUSED)
        return refuse(why, -r, "cannot send udev's event to the container: %s", strerror(-r));
    return 0;
}
