/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/network_socket.h"

/*
 * Root inside a container's namespace may write to any netlink socket there, so ours believe the
 * kernel only. A connected socket takes unicast from its peer alone (netlink_getsockbyportid() in
 * linux/net/netlink/af_netlink.c); what came between bind and connect has the wrong sender or
 * sequence number and is passed over. The kernel answers before send() returns, so that nothing has
 * to be waited for: a socket that is empty before the end of the answer has lost it.
 */

#include <errno.h>
#include <sys/socket.h>

#include "kernel/network_visit.h"

struct network_socket {
    struct nl_sock *nl;
    uint32_t sequence; /* of the request that is being answered */
    bool ended;        /* its answer did */
    int error;         /* as the kernel said it: libnl's errors are fewer */
    network_answer_fn on_answer;
    void *userdata;
};

static int on_sequence(struct nl_msg *message, void *userdata)
{
    const struct network_socket *socket = userdata;
    bool ours =
        nlmsg_get_src(message)->nl_pid == 0 && nlmsg_hdr(message)->nlmsg_seq == socket->sequence;
    return ours ? NL_OK : NL_SKIP;
}

static int on_valid(struct nl_msg *message, void *userdata)
{
    const struct network_socket *socket = userdata;
    if (socket->on_answer)
        socket->on_answer(message, socket->userdata);
    return NL_OK;
}

static int on_end(struct nl_msg *message, void *userdata)
{
    struct network_socket *socket = userdata;
    (void)message;
    socket->ended = true;
    return NL_STOP;
}

static int on_error(struct sockaddr_nl *sender, struct nlmsgerr *answer, void *userdata)
{
    struct network_socket *socket = userdata;
    (void)sender;
    socket->ended = true;
    socket->error = answer->error;
    return NL_STOP;
}

struct connection {
    struct nl_sock *nl;
    int protocol;
    int error; /* libnl's */
};

static int connect_here(void *userdata, struct refusal *why)
{
    (void)why; /* libnl's errors are no errno */
    struct connection *connection = userdata;
    connection->error = nl_connect(connection->nl, connection->protocol);
    return 0;
}

/* Returns libnl's error. */
static int connect_inside(struct nl_sock *nl, int netns_fd, int protocol)
{
    struct connection connection = {.nl = nl, .protocol = protocol};
    int r = network_visit(netns_fd, connect_here, &connection, NULL);
    return r < 0 ? -nl_syserr2nlerr(-r) : connection.error;
}

static int hear_kernel_only(struct nl_sock *nl)
{
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    if (connect(nl_socket_get_fd(nl), (const struct sockaddr *)&kernel, sizeof(kernel)) < 0)
        return -nl_syserr2nlerr(errno);
    return nl_socket_set_nonblocking(nl);
}

static int set_callbacks(struct network_socket *socket)
{
    static const struct {
        enum nl_cb_type type;
        nl_recvmsg_msg_cb_t fn;
    } callbacks[] = {{NL_CB_SEQ_CHECK, on_sequence},
                     {NL_CB_VALID, on_valid},
                     {NL_CB_ACK, on_end},
                     {NL_CB_FINISH, on_end}};
    int r = nl_socket_modify_err_cb(socket->nl, NL_CB_CUSTOM, on_error, socket);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(callbacks); i++)
        r = nl_socket_modify_cb(socket->nl, callbacks[i].type, NL_CB_CUSTOM, callbacks[i].fn,
                                socket);
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
        r = hear_kernel_only(socket->nl);
    if (r == 0)
        r = set_callbacks(socket);
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

/* Of libnl's errors most say more about it than about the request. */
static int error_of(const struct network_socket *socket, int nl_error)
{
    if (socket->error)
        return socket->error;
    return nl_error == -NLE_NOMEM ? -ENOMEM : -EIO;
}

int network_socket_ask(struct network_socket *socket, struct nl_msg *message_take,
                       network_answer_fn on_answer, void *userdata)
{
    _cleanup_(nlmsg_freep) struct nl_msg *message = message_take;
    socket->ended = false;
    socket->error = 0;
    socket->on_answer = on_answer;
    socket->userdata = userdata;
    int r = nl_send_auto(socket->nl, message);
    socket->sequence = nlmsg_hdr(message)->nlmsg_seq;
    while (r >= 0 && !socket->ended)
        r = nl_recvmsgs_default(socket->nl);
    return r < 0 ? error_of(socket, r) : 0;
}

int network_socket_request(struct network_socket *socket, struct nl_msg *message_take)
{
    return network_socket_ask(socket, message_take, NULL, NULL);
}
