/* SPDX-License-Identifier: LGPL-2.1-or-later */
//
// varlink SOCKET REQUEST...: a Varlink client that shares nothing with devolve's own. It is a
// program of its own because tests that wait ask again and again.
//
//     call METHOD [PARAMETERS]  one call of io.devolve; prints the parameters of the reply
//     grants NAME [STATE]       "NODE STATE" of each grant of a container, sorted
//     reason NAME NODE          why a grant is as it is, if there is anything to say
//     container NAME FIELD      a member of a registered container, or labels.LABEL; null where
//     there is none metric NAME               a counter, 0 where there is none of that name
//     exchange                  sends standard input as it is; prints each reply on a line, then
//     "closed"
//                               where the other side hung up, "open" where it did not
//
// An error that the daemon answers is printed to standard error, and the status is 1.

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CALL_SECONDS 30
#define QUIET_SECONDS                                                                              \
    3 // without a word and without a hang-up for so long: the connection stays open

static const char *socket_path;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "varlink: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int connected(int seconds)
{
    const struct timeval limit = {.tv_sec = seconds};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection < 0 ||
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
        setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
        die("socket");
    if (strlen(socket_path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        die(socket_path);
    }
    strcpy(address.sun_path, socket_path);
    if (connect(connection, (struct sockaddr *)&address, sizeof(address)) < 0)
        die(socket_path);
    return connection;
}

// False where the other side hung up.
static bool send_all(int connection, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(connection, data, size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR && errno != EPIPE && errno != ECONNRESET)
            die("send");
        if (sent < 0 && errno != EINTR)
            return false;
        if (sent > 0) {
            data += sent;
            size -= (size_t)sent;
        }
    }
    return true;
}

static json_t *parsed(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);
    if (!json) {
        fprintf(stderr, "varlink: %s: %s\n", error.text, text);
        exit(1);
    }
    return json;
}

// The parameters of the reply. Those of the call are given away.
static json_t *call(const char *method, json_t *parameters)
{
    json_t *request = json_pack("{s: o, s: o}", "method", json_sprintf("io.devolve.%s", method),
                                "parameters", parameters);
    char *text = json_dumps(request, 0), *reply = NULL;
    size_t size = 0;
    int connection = connected(CALL_SECONDS);
    if (!send_all(connection, text, strlen(text) + 1)) // with the NUL, which ends a message
        die("send");
    FILE *stream = fdopen(connection, "r");
    if (getdelim(&reply, &size, '\0', stream) < 1 || feof(stream)) {
        fprintf(stderr, "varlink: the daemon hung up\n");
        exit(1);
    }
    json_t *answer = parsed(reply);
    const char *error = json_string_value(json_object_get(answer, "error"));
    parameters = json_object_get(answer, "parameters");
    if (error) {
        char *details = json_dumps(parameters, 0);
        fprintf(stderr, "%s %s\n", error, details ? details : "{}");
        exit(1);
    }
    return parameters ? parameters : json_object();
}

static void print(const json_t *value)
{
    char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);
    puts(text ? text : json_is_string(value) ? json_string_value(value) : "null");
    free(text);
}

static json_t *grants_of(const char *container)
{
    return json_object_get(call("ListGrants", json_pack("{s: s}", "container", container)),
                           "grants");
}

static const char *member(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "null";
}

static int compare(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

static void print_grants(const char *container, const char *state)
{
    const json_t *grants = grants_of(container), *grant;
    size_t index, count = 0;
    char **lines = calloc(json_array_size(grants) + 1, sizeof(*lines));
    if (!lines)
        die("calloc");
    json_array_foreach(grants, index, grant)
    {
        if (state && strcmp(state, member(grant, "state")) != 0)
            continue;
        if (asprintf(&lines[count++], "%s %s", member(grant, "node"), member(grant, "state")) < 0)
            die("asprintf");
    }
    qsort(lines, count, sizeof(*lines), compare);
    for (index = 0; index < count; index++)
        puts(lines[index]);
}

static void print_reason(const char *container, const char *node)
{
    const json_t *grants = grants_of(container), *grant;
    size_t index;
    json_array_foreach(grants, index, grant)
    {
        if (strcmp(member(grant, "node"), node) == 0) {
            const char *reason = json_string_value(json_object_get(grant, "reason"));
            puts(reason ? reason : "");
        }
    }
}

static void print_container(const char *name, const char *field)
{
    static const char labels[] = "labels.";
    const json_t *container = json_array_get(
        json_object_get(call("ListContainers", json_pack("{s: s}", "name", name)), "containers"),
        0);
    if (strncmp(field, labels, strlen(labels)) == 0)
        print(json_object_get(json_object_get(container, "labels"), field + strlen(labels)));
    else
        print(json_object_get(container, field));
}

static void print_metric(const char *name)
{
    const json_t *metrics = json_object_get(call("GetMetrics", json_object()), "metrics");
    const json_t *value = json_object_get(metrics, name);
    if (value)
        print(value);
    else
        puts("0");
}

static void exchange(void)
{
    char buffer[1 << 16];
    ssize_t size;
    int connection = connected(QUIET_SECONDS);
    bool open = true, line = false;
    while (open && (size = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0)
        open = send_all(connection, buffer, (size_t)size);
    // What was answered before the other side hung up may still be read.
    while ((size = recv(connection, buffer, sizeof(buffer), 0)) > 0) {
        for (ssize_t index = 0; index < size; index++) {
            if (buffer[index] != '\0' || line)
                putchar(buffer[index] ? buffer[index] : '\n');
            line = buffer[index] != '\0';
        }
    }
    if (size < 0 && errno != EAGAIN && errno != ECONNRESET)
        die("recv");
    if (size == 0 || errno == ECONNRESET)
        open = false;
    if (line)
        putchar('\n');
    puts(open ? "open" : "closed");
}

static bool is(const char *word, const char *request, int count, int least, int most)
{
    return strcmp(word, request) == 0 && count >= least && count <= most;
}

int main(int argc, char **argv)
{
    const char *const *words = (const char *const *)argv + 2;
    int count = argc - 3; // behind the request
    signal(SIGPIPE, SIG_IGN);
    if (count < 0)
        goto usage;
    socket_path = argv[1];
    if (is(words[0], "call", count, 1, 2))
        print(call(words[1], count > 1 ? parsed(words[2]) : json_object()));
    else if (is(words[0], "grants", count, 1, 2))
        print_grants(words[1], count > 1 ? words[2] : NULL);
    else if (is(words[0], "reason", count, 2, 2))
        print_reason(words[1], words[2]);
    else if (is(words[0], "container", count, 2, 2))
        print_container(words[1], words[2]);
    else if (is(words[0], "metric", count, 1, 1))
        print_metric(words[1]);
    else if (is(words[0], "exchange", count, 0, 0))
        exchange();
    else
        goto usage;
    return fflush(stdout) == 0 ? 0 : 1;

usage:
    fprintf(stderr, "usage: varlink SOCKET REQUEST...\n");
    return 2;
}
