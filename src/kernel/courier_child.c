/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/courier.h"

/* The child's loop: one request, one reply, until devolved closes its end. */

#include <errno.h>
#include <sys/socket.h>

#include "kernel/courier_verbs.h"

/* Takes the mount out of a message, where there is one. Returns it or -1. */
static int take_tree(struct msghdr *message)
{
    int fd = -1;
    struct cmsghdr *part = CMSG_FIRSTHDR(message);
    if (part && part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS &&
        part->cmsg_len == CMSG_LEN(sizeof(fd)))
        memcpy(&fd, CMSG_DATA(part), sizeof(fd));
    return fd;
}

/* Waits for a request. Returns 1, 0 at the end of the conversation, or a negative errno. */
static int receive(int socket_fd, struct courier_request *ret, int *ret_tree_fd)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec bytes = {.iov_base = ret, .iov_len = sizeof(*ret)};
    struct msghdr message = {
        .msg_iov = &bytes,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    ssize_t size;
    do
        size = recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC);
    while (size < 0 && errno == EINTR);
    if (size < 0)
        return -errno;
    *ret_tree_fd = take_tree(&message);
    if (size == 0)
        return 0;
    return size == sizeof(*ret) ? 1 : -EPROTO;
}

static bool is_terminated(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

static int run(const struct courier_world *world, const struct courier_request *request,
               int tree_fd, struct courier_reply *reply, struct refusal *why)
{
    if (!is_terminated(request->path, sizeof(request->path)) ||
        !is_terminated(request->target, sizeof(request->target)) ||
        !is_terminated(request->owner, sizeof(request->owner)) ||
        !is_terminated(request->group, sizeof(request->group)) ||
        !is_terminated(request->text, sizeof(request->text)))
        return refuse(why, EINVAL, "a name in the request has no end");
    switch (request->verb) {
    case COURIER_ATTACH:
        return courier_attach(world, request, tree_fd, reply, why);
    case COURIER_DETACH:
        return courier_detach(world, request, reply, why);
    case COURIER_LINK:
        return courier_link(world, request, reply, why);
    case COURIER_UNLINK:
        return courier_unlink(world, request, why);
    case COURIER_IDENTIFY:
        return courier_identify(world, request, reply, why);
    case COURIER_RECORD_WRITE:
        return courier_record_write(world, request, reply, why);
    case COURIER_RECORD_REMOVE:
        return courier_record_remove(world, request, reply, why);
    case COURIER_MARKER_MAKE:
        return courier_marker_make(world, request->first, reply, why);
    case COURIER_MARKER_REMOVE:
        return courier_marker_remove(world, request, reply, why);
    case COURIER_DIRECTORIES_MAKE:
        return courier_directories_make(world, request, reply, why);
    case COURIER_DIRECTORIES_REMOVE:
        return courier_directories_remove(world, request, why);
    case COURIER_LOOK:
        return courier_look(world, request, reply, why);
    }
    return refuse(why, EINVAL, "the courier has no verb %d", (int)request->verb);
}

static int answer(int socket_fd, int error, const struct refusal *why, struct courier_reply *reply)
{
    ssize_t size;
    reply->error = error;
    memcpy(reply->text, why->text, sizeof(reply->text));
    do
        size = send(socket_fd, reply, sizeof(*reply), MSG_NOSIGNAL);
    while (size < 0 && errno == EINTR);
    return size < 0 ? -errno : 0;
}

_Noreturn void courier_serve(int socket_fd, const struct namespaces *namespaces)
{
    struct courier_request request;
    struct courier_world world;
    struct refusal setup = {0};
    int ready = courier_confine(socket_fd, namespaces, &world, &setup);

    for (;;) {
        _cleanup_close_ int tree_fd = -1;
        if (receive(world.socket_fd, &request, &tree_fd) <= 0)
            break;
        struct courier_reply reply = {0};
        struct refusal why = setup;
        int r = ready < 0 ? ready : run(&world, &request, tree_fd, &reply, &why);
        if (answer(world.socket_fd, r, &why, &reply) < 0 || ready < 0)
            break;
    }
    _exit(ready < 0 ? 1 : 0);
}
