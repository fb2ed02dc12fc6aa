/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#define RUNTIME_DIR "/run/devolve"
#define SOCKET_NAME "io.devolve"
#define RECEIVE_STEP (64u * 1024)
/* the longest reply that varlink_reply_parse() accepts, and its NUL */
#define RECEIVE_MAX (VARLINK_MESSAGE_MAX * 16 + 1)

struct client {
    int fd;
    int wake_fd;    /* borrowed; -1: none */
    char *received; /* bytes behind the last reply that was handed out */
    size_t count, room;
    size_t searched; /* so many of them are known to hold no NUL */
};

static int make_address(const char *directory, struct sockaddr_un *ret, struct refusal *why)
{
    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    int length = snprintf(ret->sun_path, sizeof(ret->sun_path), "%s/%s", directory, SOCKET_NAME);
    if (length < 0 || (size_t)length >= sizeof(ret->sun_path))
        return refuse(why, ENAMETOOLONG,
                      "the runtime directory (DEVOLVE_RUNTIME_DIR) is too long: %zu bytes are the "
                      "most for a socket",
                      sizeof(ret->sun_path) - sizeof(SOCKET_NAME) - 1);
    return 0;
}

static int refuse_connection(int error, const char *path, struct refusal *why)
{
    static const char advice[] =
        "start it with \"systemctl start devolved\", or set "
        "DEVOLVE_RUNTIME_DIR to the runtime directory of a daemon that runs";
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return refuse(why, error, "devolved is not running (there is no %s): %s", path, advice);
    case ECONNREFUSED:
        return refuse(why, error, "devolved is not running (nobody listens on %s): %s", path,
                      advice);
    case EACCES:
    case EPERM:
        return refuse(why, error,
                      "%s may not be used by you: become root, or a member of the group devolve",
                      path);
    case EAGAIN:
        return refuse(why, error, "devolved does not take the connection to %s", path);
    default:
        return refuse(why, error, "cannot connect to %s: %s", path, strerror(error));
    }
}

int client_open(struct client **ret, struct refusal *why)
{
    const char *directory = getenv("DEVOLVE_RUNTIME_DIR");
    return client_open_at(directory && *directory ? directory : RUNTIME_DIR, 0, ret, why);
}

/* Of connect(2) too, which waits where the queue of the listener is full. */
static int limit_sending(int fd, unsigned limit_ms, struct refusal *why)
{
    const struct timeval limit = {.tv_sec = limit_ms / 1000,
                                  .tv_usec = (suseconds_t)(limit_ms % 1000) * 1000};
    if (limit_ms > 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
        return refuse(why, errno, "cannot limit a socket: %s", strerror(errno));
    return 0;
}

int client_open_at(const char *directory, unsigned limit_ms, struct client **ret,
                   struct refusal *why)
{
    struct sockaddr_un address;
    int r = make_address(directory, &address, why);
    if (r < 0)
        return r;

    _cleanup_client_ struct client *client = calloc(1, sizeof(*client));
    if (!client)
        return refuse(why, ENOMEM, "memory is short");
    client->wake_fd = -1;
    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        return refuse(why, errno, "cannot make a socket: %s", strerror(errno));
    r = limit_sending(client->fd, limit_ms, why);
    if (r < 0)
        return r;
    if (connect(client->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return refuse_connection(errno, address.sun_path, why);
    *ret = TAKE_PTR(client);
    return 0;
}

void client_free(struct client *client)
{
    if (!client)
        return;
    fd_close(client->fd);
    free(client->received);
    free(client);
}

void client_wake_by(struct client *client, int fd)
{
    client->wake_fd = fd;
}

int client_send(struct client *client, const char *method, const json_t *parameters, bool more,
                struct refusal *why)
{
    size_t size;
    _cleanup_free_ char *message = varlink_call_format(method, parameters, more, &size);
    if (!message)
        return refuse(why, ENOMEM, "memory is short for the call of %s", method);
    if (size - 1 > VARLINK_MESSAGE_MAX)
        return refuse(why, EMSGSIZE, "the call of %s has %zu bytes, %u are the most", method,
                      size - 1, VARLINK_MESSAGE_MAX);

    for (size_t sent = 0; sent < size;) {
        ssize_t n = send(client->fd, message + sent, size - sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return refuse(why, errno, "cannot call devolved: %s", strerror(errno));
        sent += n < 0 ? 0 : (size_t)n;
    }
    return 0;
}

/* Takes the first complete reply out of what was received. Returns 1 and *ret, 0: there is none. */
static int take_reply(struct client *client, struct varlink_reply *ret, struct refusal *why)
{
    size_t unsearched = client->count - client->searched;
    const char *end =
        unsearched ? memchr(client->received + client->searched, '\0', unsearched) : NULL;
    client->searched = client->count;
    if (!end)
        return 0;

    size_t size = (size_t)(end - client->received);
    int r = varlink_reply_parse(client->received, size, ret, why);
    client->count -= size + 1;
    client->searched = 0;
    memmove(client->received, end + 1, client->count);
    if (r < 0)
        refusal_prefix(why, "devolved answered with what is no reply");
    return r < 0 ? r : 1;
}

static int wait_readable(const struct client *client, struct refusal *why)
{
    struct pollfd fds[] = {{.fd = client->fd, .events = POLLIN},
                           {.fd = client->wake_fd, .events = POLLIN}};
    while (poll(fds, ARRAY_SIZE(fds), -1) < 0)
        if (errno != EINTR)
            return refuse(why, errno, "cannot wait for devolved: %s", strerror(errno));
    return fds[1].revents ? -EINTR : 0;
}

static int make_room(struct client *client, struct refusal *why)
{
    if (client->count > RECEIVE_MAX)
        return refuse(why, EBADMSG, "devolved's reply has no end within %u bytes", RECEIVE_MAX);
    if (client->room - client->count >= RECEIVE_STEP)
        return 0;
    size_t room = client->count * 2 + RECEIVE_STEP;
    char *grown = realloc(client->received, room);
    if (!grown)
        return refuse(why, ENOMEM, "memory is short for devolved's reply");
    client->received = grown;
    client->room = room;
    return 0;
}

static int receive_more(struct client *client, struct refusal *why)
{
    int r = wait_readable(client, why);
    if (r < 0)
        return r;
    r = make_room(client, why);
    if (r < 0)
        return r;

    ssize_t n = recv(client->fd, client->received + client->count, client->room - client->count, 0);
    if (n < 0 && errno == EINTR)
        return 0;
    if (n == 0 || (n < 0 && errno == ECONNRESET))
        return refuse(why, ECONNRESET, "devolved closed the connection%s",
                      client->count ? " in the middle of a reply" : "");
    if (n < 0)
        return refuse(why, errno, "cannot read from devolved: %s", strerror(errno));
    client->count += (size_t)n;
    return 0;
}

int client_receive(struct client *client, struct varlink_reply *ret, struct refusal *why)
{
    for (;;) {
        int r = take_reply(client, ret, why);
        if (r != 0)
            return r < 0 ? r : 0;
        r = receive_more(client, why);
        if (r < 0)
            return r;
    }
}

int client_call(struct client *client, const char *method, const json_t *parameters,
                struct varlink_reply *ret, struct refusal *why)
{
    int r = client_send(client, method, parameters, false, why);
    return r < 0 ? r : client_receive(client, ret, why);
}
