/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/udev_listener.h"

#include <errno.h>

#include "base/log.h"
#include "kernel/device_monitor.h"
#include "kernel/udev_database.h"

#define REPORTS_PER_TURN 64 /* then others have their turn */

/* A report says that its event is done; of `remove` the kernel has told already. */
static void take_in(struct udev_listener *listener, struct udev_report *report)
{
    listener->reports++;
    if (report->action != UEVENT_REMOVE)
        world_describe(listener->world, report->devpath, report->seqnum, &report->view);
}

/* Reports were lost: udev's notes say what was in them. */
static void catch_up(struct udev_listener *listener)
{
    listener->overruns++;
    if (world_describe_all(listener->world) > 0)
        listener->on_behind(listener->userdata);
}

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct udev_listener *listener = userdata;
    (void)source;
    (void)fd;
    (void)events;

    for (int i = 0; i < REPORTS_PER_TURN; i++) {
        struct udev_report report;
        int arrival = device_monitor_receive(listener->monitor, &report);
        if (arrival == DEVICE_MONITOR_NOTHING)
            return 0;
        if (arrival < 0) {
            log_line(LOG_ERR, "listening to udev failed: %s", strerror(-arrival));
            udev_listener_end(listener); /* it begins anew at the next uevent */
            return 0;
        }
        if (arrival == DEVICE_MONITOR_OVERRUN)
            catch_up(listener);
        if (arrival != DEVICE_MONITOR_REPORT)
            continue;
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
    /* the kernel's own events first: a device is known before udev's word on it is heard */
    if (r >= 0)
        r = sd_event_source_set_priority(listener->source, SD_EVENT_PRIORITY_NORMAL + 1);
    if (r >= 0)
        return true;
    log_line(LOG_WARNING, "%s", listener->monitor ? strerror(-r) : why.text);
    udev_listener_end(listener);
    return false;
}

void udev_listener_end(struct udev_listener *listener)
{
    listener->source = sd_event_source_disable_unref(listener->source);
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
