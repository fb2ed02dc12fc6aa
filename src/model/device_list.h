/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The text of `devices.list` of a cgroup v1 `devices` group: lines "TYPE MAJOR:MINOR ACCESS", as
 * linux/Documentation/admin-guide/cgroup-v1/devices.rst has them. Read, never written: rules that
 * are written back are made by device_list_entry().
 */

#include "base/util.h"
#include "model/device.h"

#define DEVICE_LIST_ENTRY_MAX 40 /* of one line, with the NUL */

struct device_list_verdict {
    bool allows_all;  /* "a *:* rwm": exceptions from it, if there are any, are not shown */
    unsigned own;     /* access bits of the entry for exactly this number */
    unsigned missing; /* bits of the asked access that this entry would need; 0 where one entry,
                       * whichever, has all that is asked */
};

/*
 * Judges what a list says of one number (kind not NODE_NONE) and an access (enum share_access). An
 * open for reading and writing must be covered by *one* entry, two halves do not make a whole.
 * Lines that are not understood allow nothing.
 */
struct device_list_verdict device_list_judge(const char *text, const struct devnum *number,
                                             unsigned access);

/* "c 188:0 rw" as devices.allow and devices.deny take it. Returns out. */
const char *device_list_entry(const struct devnum *number, unsigned access,
                              char out[static DEVICE_LIST_ENTRY_MAX]);
