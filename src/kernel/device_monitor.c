/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/device_monitor.h"

#include <errno.h>
#include <libudev.h>
#include <limits.h>

#include "kernel/udev_database.h"

struct device_monitor {
    struct udev *udev;
    struct udev_monitor *monitor;
};

DEFINE_CLEANUP(struct device_monitor *, device_monitor_close)
DEFINE_CLEANUP(struct udev_device *, udev_device_unref)

void udev_report_done(struct udev_report *report)
{
    free(report->devpath);
    udev_view_done(&report->view);
    *report = (struct udev_report){0};
}

void device_monitor_close(struct device_monitor *monitor)
{
    if (!monitor)
        return;
    udev_monitor_unref(monitor->monitor);
    udev_unref(monitor->udev);
    free(monitor);
}

int device_monitor_open(size_t buffer_size, struct device_monitor **ret, struct refusal *why)
{
    _cleanup_(device_monitor_closep) struct device_monitor *monitor = calloc(1, sizeof(*monitor));
    if (!monitor)
        return refuse(why, ENOMEM, "no memory");
    monitor->udev = udev_new();
    if (monitor->udev)
        monitor->monitor = udev_monitor_new_from_netlink(monitor->udev, "udev");
    if (!monitor->monitor)
        return refuse(why, errno, "cannot open a monitor of udev: %s", strerror(errno));
    /* a smaller buffer is overrun sooner, and an overrun is made good */
    (void)udev_monitor_set_receive_buffer_size(monitor->monitor,
                                               buffer_size < INT_MAX ? (int)buffer_size : INT_MAX);
    int r = udev_monitor_enable_receiving(monitor->monitor);
    if (r < 0)
        return refuse(why, -r, "cannot listen to udev: %s", strerror(-r));
    *ret = TAKE_PTR(monitor);
    return 0;
}

int device_monitor_fd(const struct device_monitor *monitor)
{
    return udev_monitor_get_fd(monitor->monitor);
}

/* Returns 1, 0 for what is no report of a device, or -ENOMEM. */
static int read_report(struct udev_device *said, struct udev_report *ret)
{
    const char *devpath = udev_device_get_devpath(said), *action = udev_device_get_action(said);
    if (!devpath || !action || !uevent_action_parse(action, &ret->action))
        return 0;
    ret->seqnum = udev_device_get_seqnum(said);
    ret->devpath = strdup(devpath);
    if (!ret->devpath)
        return -ENOMEM;
    int r = udev_database_view(said, &ret->view);
    return r < 0 ? r : 1;
}

int device_monitor_receive(struct device_monitor *monitor, struct udev_report *ret)
{
    errno = 0;
    _cleanup_(udev_device_unrefp) struct udev_device *said =
        udev_monitor_receive_device(monitor->monitor);
    if (!said && (errno == EAGAIN || errno == 0))
        return DEVICE_MONITOR_NOTHING;
    if (!said && errno == ENOBUFS)
        return DEVICE_MONITOR_OVERRUN;
    if (!said)
        return errno == EBADF || errno == ENOMEM ? -errno : DEVICE_MONITOR_IGNORED;

    *ret = (struct udev_report){0};
    int r = read_report(said, ret);
    if (r > 0)
        return DEVICE_MONITOR_REPORT;
    udev_report_done(ret);
    return r < 0 ? DEVICE_MONITOR_OVERRUN : DEVICE_MONITOR_IGNORED; /* lost for want of memory */
}
