/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What udevd multicasts when it is done with an event (netlink group 2), through libudev, which
 * believes root only. A monitor that is opened while no udevd runs stays deaf for ever, by
 * libudev's own rule: ask udev_database_is_served() first.
 */

#include "base/refusal.h"
#include "model/device.h"
#include "model/uevent.h"

struct device_monitor;

enum device_monitor_arrival {
    DEVICE_MONITOR_NOTHING, /* the socket is empty */
    DEVICE_MONITOR_REPORT,  /* a report */
    DEVICE_MONITOR_OVERRUN, /* the kernel dropped messages of udev's: its notes have what they said
                             */
    DEVICE_MONITOR_IGNORED, /* not udev's, or no message of a device */
};

/* udevd is done with one event of one device. */
struct udev_report {
    char *devpath;
    enum uevent_action action;
    uint64_t seqnum; /* of the kernel's event that it is about */
    struct udev_view view;
};

void udev_report_done(struct udev_report *report);

/* Opens one, with a receive buffer of `buffer_size` bytes where we may. Returns 0 or a negative
 * errno and the reason. */
int device_monitor_open(size_t buffer_size, struct device_monitor **ret, struct refusal *why);

/* NULL accepted. */
void device_monitor_close(struct device_monitor *monitor);

/* To be polled for input; the monitor's own. */
int device_monitor_fd(const struct device_monitor *monitor);

/* One message, without waiting. Returns an enum device_monitor_arrival, with *ret only for a report
 * (udev_report_done() it), or a negative errno: the monitor is of no use any more. */
int device_monitor_receive(struct device_monitor *monitor, struct udev_report *ret);
