/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Whether a device number may be used from within a cgroup, found out by trying and without opening
 * anything (an open resets an Arduino and arms a watchdog): a child of ours, born in the group,
 * asks faccessat2(2) of a node on a tmpfs that is mounted nowhere.
 */

#include "kernel/cgroup.h"
#include "model/device.h"

/*
 * `v2_group` and `v1_group` are absolute paths; NULL: our own. `access` is of enum share_access.
 * Returns 1 or 0, or a negative errno where the trial cannot be held: -ETIMEDOUT for a frozen
 * group.
 */
int cgroup_probe(const char *v2_group, const char *v1_group, const struct devnum *number,
                 unsigned access);
