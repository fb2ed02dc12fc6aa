/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Devices that hand the whole host over. No container gets one unless a rule says so in as many
 * words: OPTIONS+="dangerous".
 */

#include "model/device.h"

/*
 * Why a device must not be delegated without that word, or NULL. Static text. `root_disks` are the
 * numbers of the disk that holds the host's root file system, and of its partitions' parents.
 */
const char *danger_of(const struct device *device, const struct devnum *root_disks, size_t count);

/* Whether only udev can tell, and has not yet: whether an input device belongs to the host's seat.
 */
bool danger_waits(const struct device *device);
