/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/courier.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "kernel/courier_filter.h"

struct courier {
    pid_t pid;
    int fd;
    bool busy; /* a request is under way */
    struct courier *next_lingering;
};

/* Abandoned and not collected yet. A child's number is not given anew before it is waited for. */
static struct courier *lingering;

int courier_spawn(const struct namespaces *namespaces, struct courier **ret, struct refusal *why)
{
    int ends[2];
    int r = courier_filter_prepare(why);
    if (r < 0)
        return r;
    _cleanup_free_ struct courier *courier = calloc(1, sizeof(*courier));
    if (!courier)
        return refuse(why, ENOMEM, "out of memory");
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return refuse(why, errno, "cannot make a socket for a courier: %s", strerror(errno));

    courier->fd = ends[0];
    courier->pid = fork();
    if (courier->pid == 0) {
        (void)close(ends[0]);
        courier_serve(ends[1], namespaces);
    }
    int error = errno;
    (void)close(ends[1]);
    if (courier->pid < 0) {
        (void)close(ends[0]);
        return refuse(why, error, "cannot fork a courier: %s", strerror(error));
    }
    *ret = TAKE_PTR(courier);
    return 0;
}

int courier_fd(const struct courier *courier)
{
    return courier->fd;
}

pid_t courier_pid(const struct courier *courier)
{
    return courier->pid;
}

int courier_send(struct courier *courier, const struct courier_request *request, int tree_fd)
{
    assert(!courier->busy);
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS,
                            .cmsg_len = CMSG_LEN(sizeof(int))}};
    memcpy(CMSG_DATA(&control.header), &tree_fd, sizeof(tree_fd));

    struct courier_request copy = *request;
    struct iovec bytes = {.iov_base = &copy, .iov_len = sizeof(copy)};
    struct msghdr message = {
        .msg_iov = &bytes,
        .msg_iovlen = 1,
        .msg_control = tree_fd >= 0 ? &control : NULL,
        .msg_controllen = tree_fd >= 0 ? sizeof(control) : 0,
    };
    ssize_t size;
    do
        size = sendmsg(courier->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (size < 0 && errno == EINTR);
    if (size < 0)
        return errno == ECONNRESET ? -EPIPE : -errno;
    courier->busy = true;
    return 0;
}

static bool is_bool(const void *value)
{
    return *(const unsigned char *)value <= 1;
}

static bool is_errno(int error)
{
    return error <= 0 && error >= -4095;
}

/*
 * A courier stands in the container and may have been turned: nothing it says may harm the reader.
 * The booleans are looked at as bytes, for any other value in a bool is undefined.
 */
static bool reply_is_sound(const struct courier_reply *reply)
{
    return is_errno(reply->error) && memchr(reply->text, '\0', sizeof(reply->text)) &&
           is_bool(&reply->placeholder) && is_bool(&reply->shadowed) &&
           reply->made_dirs < GRANT_PATH_MAX && reply->mount <= INT64_MAX &&
           is_errno(reply->sight.access) && is_errno(reply->sight.directory_access);
}

int courier_receive(struct courier *courier, struct courier_reply *ret)
{
    struct courier_reply reply;
    ssize_t size;
    do
        size = recv(courier->fd, &reply, sizeof(reply), MSG_DONTWAIT | MSG_TRUNC);
    while (size < 0 && errno == EINTR);
    if (size < 0 && errno == EAGAIN)
        return 0;
    if (size < 0)
        return errno == ECONNRESET ? -EPIPE : -errno;
    if (size == 0)
        return -EPIPE;
    if (size != sizeof(reply) || !reply_is_sound(&reply) || !courier->busy)
        return -EPROTO;
    struct refusal clean;
    (void)refuse(&clean, EPROTO, "%s", reply.text);
    memcpy(reply.text, clean.text, sizeof(reply.text));
    *ret = reply;
    courier->busy = false;
    return 1;
}

void courier_abandon(struct courier *courier)
{
    if (!courier)
        return;
    courier->fd = fd_close(courier->fd);
    (void)kill(courier->pid, SIGKILL);
    courier->next_lingering = lingering;
    lingering = courier;
}

size_t courier_reap(void)
{
    size_t count = 0;
    for (struct courier **at = &lingering; *at;) {
        struct courier *courier = *at;
        if (waitpid(courier->pid, NULL, WNOHANG) == 0) {
            count++;
            at = &courier->next_lingering;
            continue;
        }
        *at = courier->next_lingering;
        free(courier);
    }
    return count;
}
