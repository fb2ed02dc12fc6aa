/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A connection is read message by message; the next call is looked at when the last was answered
 * and the answer is out, so that answers come in the order of the calls (varlink.org,
 * "Pipelining") and a client that does not read is not served on. One call a turn of the loop:
 * connections and uevents have the same priority and take turns, so that neither a storm nor a
 * client keeps the others waiting. A message that is no call gets an error, and the connection is
 * closed once that error is out.
 */
#include "daemon/connection.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/log.h"
#include "daemon/dispatch.h"
#include "daemon/drop_in.h"
#include "daemon/methods.h"

#define READ_SIZE 16384

struct connection {
    struct connection *next;
    struct connection_list *list;
    int fd;
    uid_t uid; /* whose it is */
    sd_event_source *io;
    char *input, *output;
    size_t input_size, output_size, output_sent, output_room;
    struct control_call *call; /* under way, or NULL */
    uint64_t last_used_us;
    bool ended;   /* the client sends nothing more; it may still read */
    bool closing; /* as soon as the output is out */
};

static void call_free(struct control_call *call)
{
    if (call->connection)
        call->connection->call = NULL;
    varlink_call_done(&call->message);
    free(call->container);
    free(call->devpath);
    drop_in_free(call->drop_in);
    free(call);
}

static void connection_close(struct connection *connection)
{
    struct connection_list *list = connection->list;
    for (struct connection **at = &list->first; *at; at = &(*at)->next)
        if (*at == connection) {
            *at = connection->next;
            list->count--;
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

/* The end of the first message that is complete, or NULL. */
static char *message_end(const struct connection *connection)
{
    return connection->input_size ? memchr(connection->input, '\0', connection->input_size) : NULL;
}

/* A call that waits is looked at when there is room for its answer. */
static unsigned wanted_events(const struct connection *connection)
{
    if (connection->closing)
        return connection->output_size ? EPOLLOUT : 0;
    bool reads = !connection->ended && connection->input_size <= VARLINK_MESSAGE_MAX;
    bool serves = !connection->call && message_end(connection);
    return (reads ? EPOLLIN : 0) | (serves || connection->output_size ? EPOLLOUT : 0);
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
        if (n < 0 && errno != EINTR)
            return -errno;
        connection->output_sent += n > 0 ? (size_t)n : 0;
    }
    if (connection->output_sent == connection->output_size) {
        free(TAKE_PTR(connection->output));
        connection->output_sent = connection->output_size = connection->output_room = 0;
    }
    return sd_event_source_set_io_events(connection->io, wanted_events(connection));
}

/* Twice what is needed: a slow reader must not cost a copy of all it has not read for each event.
 */
static int make_output_room(struct connection *connection, size_t size)
{
    size_t left = connection->output_size - connection->output_sent;
    if (left + size > CONTROL_OUTPUT_MAX)
        return -ENOBUFS;
    if (connection->output_size + size <= connection->output_room)
        return 0;
    char *grown = malloc(2 * (left + size));
    if (!grown)
        return -ENOMEM;
    if (left)
        memcpy(grown, connection->output + connection->output_sent, left);
    free(connection->output);
    connection->output = grown;
    connection->output_room = 2 * (left + size);
    connection->output_size = left;
    connection->output_sent = 0;
    return 0;
}

/* Queues a message (NULL: there was no memory for it) and sends what goes. Returns 0, or a negative
 * errno: close the connection. */
static int send_message(struct connection *connection, const char *message, size_t size)
{
    int r = message ? make_output_room(connection, size) : -ENOMEM;
    if (r < 0)
        return r;
    memcpy(connection->output + connection->output_size, message, size);
    connection->output_size += size;
    connection->last_used_us = now_us();
    return flush(connection);
}

/* Ends a connection that is in use further up the stack: the loop hears the hang-up and closes it.
 */
static void hang_up(struct connection *connection)
{
    connection->closing = true;
    connection->output_size = connection->output_sent = 0;
    (void)shutdown(connection->fd, SHUT_RDWR);
}

/* Sends an answer and frees the call; then the connection's next call may come. */
static void answer(struct control_call *call, char *message_take, size_t size)
{
    _cleanup_free_ char *message = message_take;
    struct connection *connection = call->connection;
    bool quiet = call->message.oneway;
    call_free(call);
    if (connection && (quiet ? flush(connection) : send_message(connection, message, size)) < 0)
        hang_up(connection);
}

void control_reply(struct control_call *call, json_t *parameters_take)
{
    size_t size = 0;
    char *message = varlink_reply_format(parameters_take, false, &size);
    json_decref(parameters_take);
    if (message)
        answer(call, message, size);
    else
        control_error(call, "io.devolve.Refused",
                      json_pack("{s:s}", "text", "the answer is too long, or memory is short"));
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
    _cleanup_free_ char *message = varlink_reply_format(parameters, true, &size);
    int r = send_message(connection, message, size);
    if (r == 0)
        return 0;
    if (r == -ENOBUFS)
        log_line(LOG_NOTICE, "a monitor does not read its events: connection closed");
    hang_up(connection);
    call_free(call);
    return -EPIPE;
}

/* An error that belongs to no call; the connection ends with it. */
static void reject(struct connection *connection, const char *text)
{
    size_t size = 0;
    _cleanup_json_ json_t *parameters = json_pack("{s:s}", "text", text);
    _cleanup_free_ char *message =
        varlink_error_format("io.devolve.MalformedMessage", parameters, &size);
    connection->closing = true;
    connection->input_size = 0;
    if (send_message(connection, message, size) < 0)
        hang_up(connection);
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
    call->service = connection->list->service;
    call->connection = connection;
    call->parameters = call->message.parameters;
    call->more = call->message.more;
    connection->call = call;
    dispatch_call(call, call->message.method);
}

/* Looks at the next call, where the last is done with. */
static void process_input(struct connection *connection)
{
    if (connection->call || connection->closing || connection->output_size)
        return;
    char *end = message_end(connection);
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
    if (connection->input_size == 0)
        free(TAKE_PTR(connection->input));
}

/* Reads a bite. Returns 0 or a negative errno. */
static int read_input(struct connection *connection)
{
    char bite[READ_SIZE];
    ssize_t n = recv(connection->fd, bite, sizeof(bite), MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    if (n == 0) {
        connection->ended = true;
        return 0;
    }
    char *grown = realloc(connection->input, connection->input_size + (size_t)n);
    if (!grown)
        return -ENOMEM;
    memcpy(grown + connection->input_size, bite, (size_t)n);
    connection->input = grown;
    connection->input_size += (size_t)n;
    return 0;
}

/* Whether nothing more can come of it; `gone`: the client cannot even read any more. */
static bool is_over(const struct connection *connection, bool gone)
{
    if (connection->closing)
        return gone || connection->output_size == 0;
    if (connection->call)
        return gone;
    return connection->ended && connection->output_size == 0 && !message_end(connection);
}

static int on_connection(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct connection *connection = userdata;
    bool gone = events & (EPOLLHUP | EPOLLERR);
    int r = 0;
    (void)source;
    (void)fd;

    if ((wanted_events(connection) & EPOLLIN) && (events & ~(unsigned)EPOLLOUT))
        r = read_input(connection);
    if (r >= 0)
        r = flush(connection);
    if (r >= 0) {
        process_input(connection);
        r = flush(connection);
    }
    if (r < 0 || is_over(connection, gone))
        connection_close(connection);
    return 0;
}

/* Who has the most connections. Few users share the socket, so that they are counted one by one. */
static uid_t greediest(const struct connection_list *list)
{
    struct {
        uid_t uid;
        size_t count;
    } users[CONTROL_CONNECTIONS_MAX];
    size_t count = 0, most = 0;
    for (const struct connection *c = list->first; c; c = c->next) {
        size_t i = 0;
        while (i < count && users[i].uid != c->uid)
            i++;
        if (i == count) {
            users[i].uid = c->uid;
            users[i].count = 0;
            count++;
        }
        if (++users[i].count > users[most].count)
            most = i;
    }
    return count ? users[most].uid : (uid_t)-1;
}

static struct connection *find_idlest(const struct connection_list *list, const uid_t *uid)
{
    struct connection *oldest = NULL;
    for (struct connection *c = list->first; c; c = c->next)
        if (!c->call && (!uid || c->uid == *uid) &&
            (!oldest || c->last_used_us < oldest->last_used_us))
            oldest = c;
    return oldest;
}

bool connection_list_evict(struct connection_list *list)
{
    uid_t uid = greediest(list);
    struct connection *idlest = find_idlest(list, &uid);
    if (!idlest)
        idlest = find_idlest(list, NULL);
    if (idlest)
        connection_close(idlest);
    return idlest != NULL;
}

/* Of a socket that has no other end any more nobody is asked. */
static uid_t owner_of(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 ? (uid_t)-1 : peer.uid;
}

void connection_list_add(struct connection_list *list, int fd_take)
{
    _cleanup_close_ int fd = fd_take;
    if (list->count >= CONTROL_CONNECTIONS_MAX)
        (void)connection_list_evict(list);
    struct connection *connection =
        list->count < CONTROL_CONNECTIONS_MAX ? calloc(1, sizeof(*connection)) : NULL;
    if (!connection)
        return;
    connection->list = list;
    connection->last_used_us = now_us();
    connection->uid = owner_of(fd);
    if (sd_event_add_io(list->service->event, &connection->io, fd, EPOLLIN, on_connection,
                        connection) < 0) {
        free(connection);
        return;
    }
    connection->fd = TAKE_FD(fd);
    connection->next = list->first;
    list->first = connection;
    list->count++;
}

void connection_list_close(struct connection_list *list)
{
    while (list->first) {
        (void)flush(list->first);
        connection_close(list->first);
    }
}
