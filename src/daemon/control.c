/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A connection is read message by message; the next call is looked at when the last was answered,
 * so that answers come in the order of the calls (varlink.org, "Pipelining"). A message that is no
 * call gets an error, and the connection is closed once that error is out.
 */
#include "daemon/control.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "daemon/dispatch.h"
#include "daemon/methods.h"

#define READ_SIZE 16384

struct connection {
    struct connection *next;
    struct control *control;
    int fd;
    sd_event_source *io;
    char *input, *output;
    size_t input_size, output_size, output_sent;
    struct control_call *call; /* under way, or NULL */
    uint64_t last_used_us;
    bool closing; /* as soon as the output is out */
};

struct control {
    struct service *service;
    int fd;
    sd_event_source *io;
    struct connection *connections;
    size_t count;
    char *path; /* to unlink; NULL for a socket that was passed */
};

static void process_input(struct connection *connection);

static void call_free(struct control_call *call)
{
    if (call->connection)
        call->connection->call = NULL;
    varlink_call_done(&call->message);
    free(call->container);
    free(call->devpath);
    free(call);
}

static void connection_close(struct connection *connection)
{
    struct control *control = connection->control;
    for (struct connection **at = &control->connections; *at; at = &(*at)->next)
        if (*at == connection) {
            *at = connection->next;
            control->count--;
            break;
        }
    if (connection->call) {
        struct control_call *call = connection->call;
        bool streams = call->streams;
        method_forget(call);
        call->connection = NULL;
        if (streams)
            call_free(call);
    }
    sd_event_source_disable_unref(connection->io);
    fd_close(connection->fd);
    free(connection->input);
    free(connection->output);
    free(connection);
}

/* Sends what it can. Returns 0, or a negative errno: the client has gone. */
static int flush(struct connection *connection)
{
    while (connection->output_sent < connection->output_size) {
        ssize_t n =
            send(connection->fd, connection->output + connection->output_sent,
                 connection->output_size - connection->output_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0)
            return -errno;
        connection->output_sent += (size_t)n;
    }
    if (connection->output_sent == connection->output_size)
        connection->output_sent = connection->output_size = 0;
    unsigned wanted = connection->output_size ? EPOLLOUT : 0;
    if (!connection->closing)
        wanted |= EPOLLIN;
    return sd_event_source_set_io_events(connection->io, wanted);
}

/* Queues a message (taken) and sends what goes. Returns 0, or a negative errno: close the
 * connection. */
static int send_message(struct connection *connection, char *message_take, size_t size)
{
    _cleanup_free_ char *message = message_take;
    size_t left = connection->output_size - connection->output_sent;
    if (!message)
        return -ENOMEM;
    if (left + size > CONTROL_OUTPUT_MAX)
        return -ENOBUFS;
    char *grown = malloc(left + size);
    if (!grown)
        return -ENOMEM;
    if (left)
        memcpy(grown, connection->output + connection->output_sent, left);
    memcpy(grown + left, message, size);
    free(connection->output);
    connection->output = grown;
    connection->output_size = left + size;
    connection->output_sent = 0;
    connection->last_used_us = now_us();
    return flush(connection);
}

/* Sends an answer and frees the call; then the connection's next call may come. */
static void answer(struct control_call *call, char *message_take, size_t size)
{
    struct connection *connection = call->connection;
    bool quiet = call->message.oneway;
    call_free(call);
    if (!connection || quiet) {
        free(message_take);
        return;
    }
    if (send_message(connection, message_take, size) < 0) {
        connection->closing = true;
        connection->output_size = connection->output_sent = 0;
        (void)shutdown(connection->fd, SHUT_RDWR); /* the loop closes it */
    }
}

void control_reply(struct control_call *call, json_t *parameters_take)
{
    size_t size = 0;
    char *message = varlink_reply_format(parameters_take, false, &size);
    json_decref(parameters_take);
    answer(call, message, size);
}

void control_error(struct control_call *call, const char *error, json_t *parameters_take)
{
    size_t size = 0;
    char *message = varlink_error_format(error, parameters_take, &size);
    json_decref(parameters_take);
    answer(call, message, size);
}

int control_stream(struct control_call *call, const json_t *parameters)
{
    size_t size = 0;
    struct connection *connection = call->connection;
    char *message = varlink_reply_format(parameters, true, &size);
    int r = send_message(connection, message, size);
    if (r == 0)
        return 0;
    log_line(LOG_NOTICE, "a monitor does not read its events: connection closed");
    connection->closing = true;
    connection->output_size = connection->output_sent = 0;
    (void)shutdown(connection->fd, SHUT_RDWR);
    call_free(call);
    return -EPIPE;
}

/* An error that belongs to no call; the connection ends with it. */
static void reject(struct connection *connection, const char *text)
{
    size_t size = 0;
    _cleanup_json_ json_t *parameters = json_pack("{s:s}", "text", text);
    char *message = varlink_error_format("io.devolve.MalformedMessage", parameters, &size);
    connection->closing = true;
    connection->input_size = 0;
    if (send_message(connection, message, size) < 0)
        (void)shutdown(connection->fd, SHUT_RDWR);
}

static void take_call(struct connection *connection, size_t size)
{
    struct control_call *call = calloc(1, sizeof(*call));
    struct refusal why = {.error = 0};
    if (!call || varlink_call_parse(connection->input, size, &call->message, &why) < 0) {
        free(call);
        reject(connection, why.error ? why.text : "no memory");
        return;
    }
    call->service = connection->control->service;
    call->connection = connection;
    call->parameters = call->message.parameters;
    call->more = call->message.more;
    connection->call = call;
    dispatch_call(call, call->message.method);
}

static void process_input(struct connection *connection)
{
    while (!connection->call && !connection->closing) {
        char *end =
            connection->input_size ? memchr(connection->input, '\0', connection->input_size) : NULL;
        if (!end) {
            if (connection->input_size > VARLINK_MESSAGE_MAX)
                reject(connection, "the message is too long");
            return;
        }
        size_t size = (size_t)(end - connection->input);
        take_call(connection, size);
        if (connection->closing)
            return;
        connection->input_size -= size + 1;
        memmove(connection->input, end + 1, connection->input_size);
    }
}

/* Reads a bite. Returns 1 when something came, 0 at the end, or a negative errno. */
static int read_input(struct connection *connection)
{
    char *grown = realloc(connection->input, connection->input_size + READ_SIZE);
    if (!grown)
        return -ENOMEM;
    connection->input = grown;
    ssize_t n = recv(connection->fd, grown + connection->input_size, READ_SIZE, MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN ? 1 : -errno;
    connection->input_size += (size_t)n;
    return n > 0;
}

static int on_connection(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct connection *connection = userdata;
    int r = 1;
    (void)source;
    (void)fd;

    /* while a call is under way its client may only be heard leaving */
    bool full = connection->call && connection->input_size > VARLINK_MESSAGE_MAX;
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR) && !connection->closing && !full)
        r = read_input(connection);
    if (r > 0 && !connection->closing)
        process_input(connection);
    if (r > 0)
        r = flush(connection) < 0 ? -EPIPE : 1;
    bool finished = connection->closing && connection->output_size == 0;
    if (r <= 0 || finished || full || (connection->closing && (events & (EPOLLHUP | EPOLLERR))))
        connection_close(connection);
    return 0;
}

/* The one that nobody has used for longest and that waits for nothing. */
static void evict(struct control *control)
{
    struct connection *oldest = NULL;
    for (struct connection *c = control->connections; c; c = c->next)
        if (!c->call && (!oldest || c->last_used_us < oldest->last_used_us))
            oldest = c;
    if (oldest)
        connection_close(oldest);
}

static int on_listen(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct control *control = userdata;
    (void)source;
    (void)events;
    _cleanup_close_ int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0)
        return 0;
    if (control->count >= CONTROL_CONNECTIONS_MAX)
        evict(control);
    struct connection *connection =
        control->count < CONTROL_CONNECTIONS_MAX ? calloc(1, sizeof(*connection)) : NULL;
    if (!connection)
        return 0;
    connection->control = control;
    connection->last_used_us = now_us();
    if (sd_event_add_io(control->service->event, &connection->io, client, EPOLLIN, on_connection,
                        connection) < 0) {
        free(connection);
        return 0;
    }
    /* a plug is more urgent than a question */
    (void)sd_event_source_set_priority(connection->io, SD_EVENT_PRIORITY_NORMAL + 10);
    connection->fd = TAKE_FD(client);
    connection->next = control->connections;
    control->connections = connection;
    control->count++;
    return 0;
}

/* Whether somebody answers there already: then the directory is another daemon's. */
static bool somebody_listens(const struct sockaddr_un *address)
{
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;
}

static int bind_socket(struct control *control, struct refusal *why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(control->path) >= sizeof(address.sun_path))
        return refuse(why, ENAMETOOLONG, "the socket's path is too long: %s", control->path);
    memcpy(address.sun_path, control->path, strlen(control->path) + 1);
    if (somebody_listens(&address))
        return refuse(why, EADDRINUSE, "another devolved serves %s", control->path);
    (void)unlink(control->path);

    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t before = umask(0117);
    int r = fd < 0 ? -1 : bind(fd, (const struct sockaddr *)&address, sizeof(address));
    int error = errno;
    umask(before);
    if (r < 0 || listen(fd, 128) < 0)
        return refuse(why, r < 0 ? error : errno, "cannot serve %s: %s", control->path,
                      strerror(r < 0 ? error : errno));
    struct group *group = getgrnam("devolve");
    if (group && chown(control->path, 0, group->gr_gid) < 0)
        log_line(LOG_WARNING, "cannot give %s to the group devolve: %s", control->path,
                 strerror(errno));
    control->fd = TAKE_FD(fd);
    return 0;
}

int control_open(struct service *service, struct control **ret, struct refusal *why)
{
    struct control *control = calloc(1, sizeof(*control));
    if (!control)
        return refuse(why, ENOMEM, "no memory");
    control->service = service;
    control->fd = -1;
    int r = 0;
    if (sd_listen_fds(1) > 0)
        control->fd = SD_LISTEN_FDS_START;
    else if (asprintf(&control->path, "%s/io.devolve", service->options->runtime_directory) < 0)
        r = refuse(why, ENOMEM, "no memory");
    else
        r = bind_socket(control, why);
    if (r == 0)
        r = sd_event_add_io(service->event, &control->io, control->fd, EPOLLIN, on_listen, control);
    if (r < 0) {
        control_close(control);
        return r;
    }
    *ret = control;
    return 0;
}

void control_close(struct control *control)
{
    if (!control)
        return;
    while (control->connections) {
        (void)flush(control->connections);
        connection_close(control->connections);
    }
    sd_event_source_disable_unref(control->io);
    if (control->path && control->fd >= 0)
        (void)unlink(control->path);
    fd_close(control->fd);
    free(control->path);
    free(control);
}
