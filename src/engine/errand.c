/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/errand.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>

struct errands {
    sd_event *event;
    const struct namespaces *namespaces;
    struct courier *courier;
    sd_event_source *io;
    sd_event_source *timer; /* the deadline while an errand is under way, else the idle time */
    int lingering_fd;       /* pidfd of the courier that was abandoned, or -1 */
    errand_hired_fn hired;  /* may be NULL */
    void *hired_userdata;
    errand_done_fn done; /* set while an errand is under way */
    void *userdata;
};

struct errands *errands_new(sd_event *event, const struct namespaces *namespaces,
                            errand_hired_fn hired, void *hired_userdata)
{
    struct errands *errands = calloc(1, sizeof(*errands));
    if (!errands)
        return NULL;
    errands->event = event;
    errands->namespaces = namespaces;
    errands->lingering_fd = -1;
    errands->hired = hired;
    errands->hired_userdata = hired_userdata;
    return errands;
}

void errands_inherit(struct errands *errands, int pid_fd_take, uint64_t until_us)
{
    struct pollfd ended = {.fd = pid_fd_take, .events = POLLIN};
    uint64_t now = now_us();
    if (pid_fd_take < 0)
        return;
    (void)syscall(SYS_pidfd_send_signal, pid_fd_take, SIGKILL, NULL, 0u);
    (void)poll(&ended, 1, until_us > now ? (int)((until_us - now) / 1000) : 0);
    errands->lingering_fd = pid_fd_take;
}

/* Ends the courier. One that was `hanging` in an errand is remembered until it is really gone. */
static void dismiss(struct errands *errands, bool hanging)
{
    if (!errands->courier)
        return;
    if (hanging) {
        fd_close(errands->lingering_fd);
        errands->lingering_fd = (int)syscall(SYS_pidfd_open, courier_pid(errands->courier), 0u);
    }
    errands->io = sd_event_source_disable_unref(errands->io);
    errands->timer = sd_event_source_disable_unref(errands->timer);
    courier_abandon(TAKE_PTR(errands->courier));
    (void)courier_reap();
}

void errands_free(struct errands *errands)
{
    if (!errands)
        return;
    dismiss(errands, false);
    fd_close(errands->lingering_fd);
    free(errands);
}

/* Whether the courier that was abandoned last is still there. */
static bool lingers(struct errands *errands)
{
    struct pollfd ended = {.fd = errands->lingering_fd, .events = POLLIN};
    (void)courier_reap();
    if (errands->lingering_fd < 0)
        return false;
    if (poll(&ended, 1, 0) == 0)
        return true;
    errands->lingering_fd = fd_close(errands->lingering_fd);
    return false;
}

static void finish(struct errands *errands, const struct courier_reply *reply)
{
    errand_done_fn done = errands->done;
    errands->done = NULL;
    if (done)
        done(errands->userdata, reply);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata);

static int set_timer(struct errands *errands, uint64_t delay_us)
{
    errands->timer = sd_event_source_disable_unref(errands->timer);
    return sd_event_add_time_relative(errands->event, &errands->timer, CLOCK_MONOTONIC, delay_us, 1,
                                      on_timer, errands);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct errands *errands = userdata;
    (void)source;
    (void)usec;
    dismiss(errands, errands->done != NULL);
    finish(errands, NULL);
    return 0;
}

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct errands *errands = userdata;
    struct courier_reply reply = {.error = 0};
    (void)source;
    (void)fd;
    (void)events;

    int r = courier_receive(errands->courier, &reply);
    if (r == 0)
        return 0;
    if (r < 0) {
        struct refusal why;
        refuse(&why, EPIPE, "the courier died (%s)", strerror(-r));
        dismiss(errands, false);
        reply.error = -EPIPE;
        memcpy(reply.text, why.text, sizeof(reply.text));
    } else {
        (void)set_timer(errands, ERRAND_IDLE_US);
    }
    finish(errands, &reply);
    return 0;
}

static int hire(struct errands *errands, struct refusal *why)
{
    if (lingers(errands))
        return refuse(why, EAGAIN, "an earlier courier still hangs in the container's file system");
    int r = courier_spawn(errands->namespaces, &errands->courier, why);
    if (r < 0)
        return r;
    r = sd_event_add_io(errands->event, &errands->io, courier_fd(errands->courier), EPOLLIN,
                        on_readable, errands);
    if (r < 0) {
        dismiss(errands, false);
        return refuse(why, -r, "cannot watch the courier: %s", strerror(-r));
    }
    if (errands->hired)
        errands->hired(errands->hired_userdata, courier_pid(errands->courier));
    return 0;
}

int errands_send(struct errands *errands, const struct courier_request *request, int tree_fd,
                 errand_done_fn done, void *userdata, struct refusal *why)
{
    int r = 0;
    for (int attempt = 0; attempt < 2; attempt++) { /* an idle courier may have died meanwhile */
        if (!errands->courier)
            r = hire(errands, why);
        if (r < 0)
            return r;
        r = courier_send(errands->courier, request, tree_fd);
        if (r == 0)
            break;
        dismiss(errands, false);
    }
    if (r < 0)
        return refuse(why, -r, "cannot send the courier: %s", strerror(-r));
    r = set_timer(errands, ERRAND_DEADLINE_US);
    if (r < 0) {
        dismiss(errands, false);
        return refuse(why, -r, "cannot set the courier's deadline: %s", strerror(-r));
    }
    errands->done = done;
    errands->userdata = userdata;
    return 0;
}
