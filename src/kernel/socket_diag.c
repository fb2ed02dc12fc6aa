/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/socket_diag.h"

/*
 * A new socket for each question: an answer that is not read to its end would be in the way of the
 * next one. It is connected to the kernel, so that nobody inside can send to it, and the kernel
 * makes the next part of its answer while we read the one before: nothing here waits.
 */

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include "kernel/network_visit.h"

#define REQUEST_MAX 128 /* that of every family has less */
#define PART_MAX 32768  /* of an answer: netlink_dump() in linux/net/netlink/af_netlink.c */

DEFINE_CLEANUP(struct mnl_socket *, mnl_socket_close)

struct search {
    socket_diag_fn is_it;
    void *userdata;
    size_t count;
    bool found;
};

/* For these there is no such module. The kernel would run modprobe(8) for each question. */
static bool unknown[UINT8_MAX + 1];

/* In the current namespace. */
static int open_socket(void *userdata, struct refusal *why)
{
    static const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    struct mnl_socket **ret = userdata;
    (void)why; /* an errno says it all */
    _cleanup_(mnl_socket_closep) struct mnl_socket *nl =
        mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 ||
        connect(mnl_socket_get_fd(nl), (const struct sockaddr *)&kernel, sizeof(kernel)) < 0)
        return -errno;
    *ret = TAKE_PTR(nl);
    return 0;
}

static int send_request(struct mnl_socket *nl, const void *request, size_t size)
{
    char buffer[REQUEST_MAX];
    if (size > sizeof(buffer) - sizeof(struct nlmsghdr))
        return -EMSGSIZE;
    struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
    header->nlmsg_type = SOCK_DIAG_BY_FAMILY;
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    memcpy(mnl_nlmsg_put_extra_header(header, size), request, size);
    return mnl_socket_sendto(nl, header, header->nlmsg_len) < 0 ? -errno : 0;
}

static int on_message(const struct nlmsghdr *header, void *userdata)
{
    struct search *search = userdata;
    if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY)
        return MNL_CB_OK;
    if (search->count++ == SOCKET_DIAG_MAX) {
        errno = E2BIG;
        return MNL_CB_ERROR;
    }
    search->found = search->is_it(header, search->userdata);
    return search->found ? MNL_CB_STOP : MNL_CB_OK;
}

/* Empty before its end: the kernel had no memory for the rest. */
static int receive_answer(struct mnl_socket *nl, struct search *search)
{
    char buffer[PART_MAX];
    int r = MNL_CB_OK;
    while (r > MNL_CB_STOP) {
        ssize_t size = mnl_socket_recvfrom(nl, buffer, sizeof(buffer));
        if (size < 0)
            return errno == EAGAIN ? -ENOMEM : -errno;
        r = mnl_cb_run(buffer, (size_t)size, 0, mnl_socket_get_portid(nl), on_message, search);
    }
    return r < 0 ? -errno : search->found;
}

int socket_diag_find(int netns_fd, const void *request, size_t size, socket_diag_fn is_it,
                     void *userdata)
{
    uint8_t family = *(const uint8_t *)request;
    _cleanup_(mnl_socket_closep) struct mnl_socket *nl = NULL;
    struct search search = {.is_it = is_it, .userdata = userdata};

    if (unknown[family])
        return -EOPNOTSUPP;
    int r = network_visit(netns_fd, open_socket, &nl, NULL);
    if (r == 0)
        r = send_request(nl, request, size);
    if (r == 0)
        r = receive_answer(nl, &search);
    if (r != -ENOENT && r != -EPROTONOSUPPORT)
        return r;
    unknown[family] = true;
    return -EOPNOTSUPP;
}
