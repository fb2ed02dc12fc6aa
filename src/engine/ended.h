/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a real `remove` ended a moment ago. The kernel sends `remove` before the sysfs directory is
 * gone (device_del() in drivers/base/core.c), so that whoever looks right then meets a directory
 * that is about to go; it must not be taken for a device.
 */

#include "model/device.h"

#define ENDED_MAX 256

struct ended {
    struct {
        uint64_t devpath_hash; /* 0: nothing; a false hit costs another look, no more */
        uint64_t inode;        /* 0: we never knew the device */
        uint64_t time_us;
    } items[ENDED_MAX];
    size_t next;
};

void ended_remember(struct ended *ended, const char *devpath, uint64_t inode);

/* A real `add` was sent after the `remove`: what is there now is another device. */
void ended_forget(struct ended *ended, const char *devpath);

/* Whether what was read is that device, about to go. */
bool ended_has(const struct ended *ended, const struct device *device);
