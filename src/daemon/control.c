/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The listening socket. What clients say is connection.c's. */
#include "daemon/control.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "daemon/connection.h"

#define REST_US 100000u               /* between two tries to accept where no descriptor is free */
#define STARVED_INTERVAL_US 60000000u /* between two complaints about that */

struct control {
    struct service *service;
    int fd;
    sd_event_source *io, *rest_timer;
    struct connection_list connections;
    uint64_t starved_us; /* when it was last said that no descriptor is free */
    char *path;          /* to unlink; NULL for a socket that was passed */
};

/* Without a descriptor the loop would be told of the same client for ever: one that is idle makes
 * room, or all wait a little. */
static int rest(struct control *control, int error)
{
    if (control->starved_us == 0 || now_us() - control->starved_us > STARVED_INTERVAL_US) {
        control->starved_us = now_us();
        log_line(LOG_WARNING, "no descriptor is left for a client: %s", strerror(error));
    }
    if (connection_list_evict(&control->connections))
        return 0;
    int r = sd_event_source_set_time_relative(control->rest_timer, REST_US);
    if (r >= 0)
        r = sd_event_source_set_enabled(control->rest_timer, SD_EVENT_ONESHOT);
    return r < 0 ? r : sd_event_source_set_enabled(control->io, SD_EVENT_OFF);
}

static int on_rested(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct control *control = userdata;
    (void)source;
    (void)usec;
    return sd_event_source_set_enabled(control->io, SD_EVENT_ON);
}

static int on_listen(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct control *control = userdata;
    (void)source;
    (void)events;
    _cleanup_close_ int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0)
        return errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS
                   ? rest(control, errno)
                   : 0;
    connection_list_add(&control->connections, TAKE_FD(client));
    return 0;
}

/* What is there was left by a predecessor: the runtime directory is ours alone (main.c). */
static int bind_socket(struct control *control, struct refusal *why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(control->path) >= sizeof(address.sun_path))
        return refuse(why, ENAMETOOLONG, "the socket's path is too long: %s", control->path);
    memcpy(address.sun_path, control->path, strlen(control->path) + 1);
    (void)unlink(control->path);

    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t before = umask(0117);
    int r = fd < 0 ? -1 : bind(fd, (const struct sockaddr *)&address, sizeof(address));
    int error = errno;
    umask(before);
    if (r < 0 || listen(fd, SOMAXCONN) < 0)
        return refuse(why, r < 0 ? error : errno, "cannot serve %s: %s", control->path,
                      strerror(r < 0 ? error : errno));
    struct group *group = getgrnam("devolve");
    if (group && chown(control->path, 0, group->gr_gid) < 0)
        log_line(LOG_WARNING, "cannot give %s to the group devolve: %s", control->path,
                 strerror(errno));
    control->fd = TAKE_FD(fd);
    return 0;
}

/* A blocking one would keep the loop in accept(2) when a client changes its mind. */
static int take_passed_socket(struct control *control, struct refusal *why)
{
    int fd = SD_LISTEN_FDS_START;
    if (control->service->options->passed_sockets > 1 ||
        sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) <= 0)
        return refuse(why, EINVAL, "what the service manager passed is not one listening socket");
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return refuse(why, errno, "cannot use the socket that was passed: %s", strerror(errno));
    control->fd = fd;
    return 0;
}

static int open_socket(struct control *control, struct refusal *why)
{
    const struct service_options *options = control->service->options;
    if (options->passed_sockets > 0)
        return take_passed_socket(control, why);
    if (asprintf(&control->path, "%s/io.devolve", options->runtime_directory) < 0) {
        control->path = NULL;
        return refuse(why, ENOMEM, "no memory");
    }
    return bind_socket(control, why);
}

int control_open(struct service *service, struct control **ret, struct refusal *why)
{
    struct control *control = calloc(1, sizeof(*control));
    if (!control)
        return refuse(why, ENOMEM, "no memory");
    control->service = service;
    control->connections.service = service;
    control->fd = -1;
    int r = open_socket(control, why);
    if (r == 0) {
        r = sd_event_add_io(service->event, &control->io, control->fd, EPOLLIN, on_listen, control);
        if (r >= 0)
            r = sd_event_add_time_relative(service->event, &control->rest_timer, CLOCK_MONOTONIC, 0,
                                           1000, on_rested, control);
        r = r < 0 ? refuse(why, -r, "cannot watch for clients: %s", strerror(-r)) : 0;
    }
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
    connection_list_close(&control->connections);
    sd_event_source_disable_unref(control->io);
    sd_event_source_disable_unref(control->rest_timer);
    if (control->path && control->fd >= 0)
        (void)unlink(control->path);
    fd_close(control->fd);
    free(control->path);
    free(control);
}
