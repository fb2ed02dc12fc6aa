/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Devices from sysfs, through libudev where it enumerates and by plain reads where incarnations
 * matter: sysfs is the truth, events are hints about where to look.
 */

#include "base/refusal.h"
#include "model/device.h"

/*
 * Reads one device. `source` goes into it. Returns 1 and *ret; 0 when there is no such device (any
 * more); a negative errno.
 */
int sysfs_read_device(const char *devpath, const struct device_source *source, struct device **ret);

/*
 * Calls `on_devpath` once for each device of sysfs, parents before children; also for those without
 * a subsystem that stand above another ("/devices/pci0000:00"): the kernel sends no uevents for
 * them, but rules ask for them as parents. A negative return ends it.
 */
int sysfs_enumerate(int (*on_devpath)(void *userdata, const char *devpath), void *userdata);

/* The read_attribute of a device_source whose devices lie in /sys. userdata is not used. */
int sysfs_read_attribute(void *userdata, const struct device *device, const char *name, char **ret);

/*
 * The devpath that a person means: a /dev path (links followed), a /sys path (likewise),
 * "SUBSYSTEM:SYSNAME", `usb:VID:PID[:SERIAL]`, or a devpath itself. Returns 0 and *ret (caller
 * frees), or a negative errno and the reason; -ENOTUNIQ where several USB devices answer to it.
 */
int sysfs_find_device(const char *name, char **ret, struct refusal *why);

/*
 * A descriptor on the device's `dev` attribute: reading it gives ENODEV for ever once this
 * incarnation is unplugged. -ENOENT for a device without number.
 */
int sysfs_lock_incarnation(const struct device *device);

/* Whether the incarnation behind such a descriptor is still there: 1 or 0. */
int sysfs_incarnation_alive(int lock_fd);
