/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One device of sysfs with all above it, for who has no world of devices. */

#include "model/device.h"

struct device_chain {
    struct device_source source; /* of all of them: a chain is not to be moved */
    struct device **devices;     /* the one that was asked for, then its parents, upwards */
    size_t count;
};

/*
 * Reads the device of this devpath and those above it. Returns 1 and *chain (device_chain_done()
 * it); 0 when there is no such device; a negative errno.
 */
int device_chain_read(struct device_chain *chain, const char *devpath);

void device_chain_done(struct device_chain *chain);
