/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What udev found out about a device: the record that systemd-udevd keeps in /run/udev/data. It is
 * read as it stands there: libudev adds the lines of the device's `uevent` file in sysfs, and a
 * device with a newline in its serial number could write lines of its own that pass for udev's
 * (model/device.c). A record may be older than the device: it stays until udevd has done the
 * `remove`, and the next device with that name or number may be there by then. Of a device that was
 * just plugged in only udevd's own event tells (device_monitor.h).
 */

#include "model/device.h"

struct udev_device;

/* Whether a udevd runs on this host: libudev's own question, /run/udev/control. */
bool udev_database_is_served(void);

/* Whether udevd has done all that it heard of. Between hearing and noting that it has something to
 * do there is a moment. */
bool udev_database_is_settled(void);

/*
 * Reads the record. Returns 1 and *ret (udev_view_done() it), without the kernel's properties; 0
 * where there is none: udevd is not done with the device, or has nothing to say of one without
 * node; or a negative errno. *ret is empty where it does not return 1.
 */
int udev_database_read(const struct device *device, struct udev_view *ret);

/* What a message of udevd's says of a device, without what belongs to one event alone. Returns 0
 * and *ret, or -ENOMEM. */
int udev_database_view(struct udev_device *said, struct udev_view *ret);
