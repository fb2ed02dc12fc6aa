/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/udev_listener.h"

#include <errno.h>

#include "base/log.h"
#include "kernel/device_monitor.h"
#include "kernel/udev_database.h"

#define CATCH_UP_US 150000u        /* the first look into udev's notes, */
#define CATCH_UP_LAST_US 10000000u /* and how rare they get while udevd is busy */

static int on_catch_up(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct udev_listener *listener = userdata;
    (void)source;
    (void)usec;

    listener->catch_up_timer = sd_event_source_disable_unref(listener->catch_up_timer);
    if (world_describe_all(listener->world, listener->lost) > 0) {
        listener->catch_up_us *= listener->catch_up_us < CATCH_UP_LAST_US ? 2 : 1;
        udev_listener_catch_up(listener, false);
    } else {
        listener->catch_up_us = CATCH_UP_US;
        listener->lost = false;
    }
    return 0;
}

void udev_listener_catch_up(struct udev_listener *listener, bool lost)
{
    listener->lost |= lost;
    if (listener->catch_up_timer || !listener->monitor)
        return;
    if (listener->catch_up_us == 0)
        listener->catch_up_us = CATCH_UP_US;
    int r = sd_event_add_time_relative(listener->event, &listener->catch_up_timer, CLOCK_MONOTONIC,
                                       listener->catch_up_us, 1, on_catch_up, listener);
    if (r < 0)
        log_line(LOG_ERR, "cannot schedule a look into udev's notes: %s", strerror(-r));
}

/* A report says that its event is done; of `remove` the kernel has told already. */
static void take_in(struct udev_listener *listener, struct udev_report *report)
{
    listener->reports++;
    if (report->action != UEVENT_REMOVE &&
        !world_describe(listener->world, report->devpath, report->seqnum, &report->view))
        udev_listener_catch_up(listener, false);
}

/*
 * One report at a time: then the kernel's events, whose source goes first, are asked for again. In
 * this order a device is known when udev's word on it is read.
 */
static int on_readable(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct udev_listener *listener = userdata;
    struct udev_report report;
    (void)source;
    (void)fd;
    (void)events;

    int arrival = device_monitor_receive(listener->monitor, &report);
    if (arrival < 0) {
        log_line(LOG_ERR, "listening to udev failed: %s", strerror(-arrival));
        udev_listener_end(listener); /* it begins anew at the next uevent */
    } else if (arrival == DEVICE_MONITOR_OVERRUN) {
        listener->overruns++;
        udev_listener_catch_up(listener, true);
    } else if (arrival == DEVICE_MONITOR_REPORT) {
        take_in(listener, &report);
        udev_report_done(&report);
    }
    return 0;
}

bool udev_listener_begin(struct udev_listener *listener)
{
    struct refusal why;
    if (listener->monitor || !udev_database_is_served())
        return false;
    int r = device_monitor_open(listener->receive_buffer, &listener->monitor, &why);
    if (r == 0)
        r = sd_event_add_io(listener->event, &listener->source,
                            device_monitor_fd(listener->monitor), EPOLLIN, on_readable, listener);
    if (r >= 0)
        r = sd_event_source_set_priority(listener->source, SD_EVENT_PRIORITY_NORMAL + 1);
    if (r >= 0) {
        udev_listener_catch_up(listener, true);
        return true;
    }
    log_line(LOG_WARNING, "%s", listener->monitor ? strerror(-r) : why.text);
    udev_listener_end(listener);
    return false;
}

void udev_listener_end(struct udev_listener *listener)
{
    listener->source = sd_event_source_disable_unref(listener->source);
    listener->catch_up_timer = sd_event_source_disable_unref(listener->catch_up_timer);
    device_monitor_close(TAKE_PTR(listener->monitor));
}

bool udev_listener_has_udev(void *userdata)
{
    const struct udev_listener *listener = userdata;
    return listener->monitor && udev_database_is_served();
}

/*
 * Of a device without a record udev has nothing to say, if only it has heard of it. While it has
 * something to do, a record may be that of the device's predecessor, too.
 */
int udev_listener_read(void *userdata, const struct device *device, struct udev_view *ret)
{
    if (!udev_listener_has_udev(userdata))
        return 0;
    if (!udev_database_is_settled())
        return -EAGAIN;
    int r = udev_database_read(device, ret);
    return r < 0 ? r : 1;
}
