/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether a container runs a udevd of its own. */

#include "kernel/namespace.h"

/*
 * Whether something listens on /run/udev/control in the container's network namespace, and
 * something to the kernel's uevents: systemd opens the two one after the other, and who is told of
 * devices in between is told in vain. Any program may open a socket of that name in a mount
 * namespace of its own, so only a socket counts that the container's root opened. Processes of one
 * namespace cannot be told apart: where containers share it, the udevd of one counts for all.
 * Returns 1 or 0, or a negative errno where it cannot be known: -ESRCH, the process is dead;
 * -E2BIG, there are more sockets than anybody should read through; ...
 */
int udevd_probe(const struct namespaces *namespaces);

/* Whether one line is of such a socket: of /proc/PID/net/unix, of /proc/PID/net/netlink. */
bool udevd_probe_control_line(const char *line);
bool udevd_probe_uevent_line(const char *line);
