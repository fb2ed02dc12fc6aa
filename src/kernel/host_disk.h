/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which block devices the host's root file system lies on. */

#include "model/device.h"

#define HOST_DISKS_MAX 32

/*
 * The numbers of the block device that is mounted at /, of the disk it is a partition of, and of
 * what it is stacked upon (sysfs `slaves`), at most HOST_DISKS_MAX. Returns how many; 0 where / has
 * no block device.
 */
size_t host_disks_find(struct devnum disks[HOST_DISKS_MAX]);
