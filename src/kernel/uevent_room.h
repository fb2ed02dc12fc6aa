/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Whether those who listen to uevents have room for more. The kernel acknowledges an event also
 * where a listener's receive buffer is full and it is lost to him, so who does not want to lose it
 * asks before.
 */

#include <stddef.h>

/* As a mask: what the kernel sends, and what udev does (MONITOR_GROUP_KERNEL and MONITOR_GROUP_UDEV
 * of systemd's device-monitor.c). */
#define UEVENT_GROUP_KERNEL 1u
#define UEVENT_GROUP_UDEV 2u

/*
 * How many messages of up to `size` bytes every listener of `group` in the namespace behind
 * `netns_fd` has room for; UINT_MAX where nobody listens. A listener that lost some before takes
 * none until it has read everything it has. Returns 0 and *ret, or a negative errno where it cannot
 * be known.
 */
int uevent_room(int netns_fd, unsigned group, size_t size, unsigned *ret);
