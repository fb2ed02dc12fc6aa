/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/network_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>

#include "base/log.h"

struct network_socket {
    struct nl_sock *nl;
    int error; /* of the newest refusal, as the kernel said it: libnl's errors are fewer */
};

static int on_error(struct sockaddr_nl *sender, struct nlmsgerr *answer, void *userdata)
{
    struct network_socket *socket = userdata;
    (void)sender;
    socket->error = answer->error;
    return NL_STOP;
}

/* The thread changes over and comes back. Returns libnl's error. */
static int connect_inside(struct nl_sock *nl, int netns_fd, int protocol)
{
    _cleanup_close_ int home_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (home_fd < 0 || setns(netns_fd, CLONE_NEWNET) < 0)
        return -nl_syserr2nlerr(errno);
    int r = nl_connect(nl, protocol);
    if (setns(home_fd, CLONE_NEWNET) < 0) {
        log_line(LOG_CRIT, "cannot leave a container's network namespace: %m");
        abort();
    }
    return r;
}

int network_socket_open(int netns_fd, int protocol, struct network_socket **ret,
                        struct refusal *why)
{
    _cleanup_network_socket_ struct network_socket *socket = calloc(1, sizeof(*socket));
    if (socket)
        socket->nl = nl_socket_alloc();
    if (!socket || !socket->nl)
        return refuse(why, ENOMEM, "no memory for a netlink socket");
    int r = netns_fd < 0 ? nl_connect(socket->nl, protocol)
                         : connect_inside(socket->nl, netns_fd, protocol);
    if (r == 0)
        r = nl_socket_modify_err_cb(socket->nl, NL_CB_CUSTOM, on_error, socket);
    if (r < 0)
        return refuse(why, EIO, "cannot open a netlink socket: %s", nl_geterror(r));
    *ret = TAKE_PTR(socket);
    return 0;
}

void network_socket_close(struct network_socket *socket)
{
    if (!socket)
        return;
    nl_socket_free(socket->nl);
    free(socket);
}

struct nl_sock *network_socket_nl(const struct network_socket *socket)
{
    return socket->nl;
}

int network_socket_error(struct network_socket *socket, int nl_error)
{
    int error = socket->error;
    socket->error = 0;
    if (error)
        return error;
    switch (-nl_error) {
    case NLE_NODEV:
    case NLE_OBJ_NOTFOUND:
        return -ENODEV;
    case NLE_NOMEM:
        return -ENOMEM;
    default: /* libnl's own, which say more about it than about the request */
        return -EIO;
    }
}

int network_socket_request(struct network_socket *socket, struct nl_msg *message_take)
{
    int r = nl_send_sync(socket->nl, message_take);
    return r < 0 ? network_socket_error(socket, r) : 0;
}
