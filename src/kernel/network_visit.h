/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A socket belongs to the network namespace that its opener is in, so the calling thread goes there
 * for as long as it takes to open one.
 */

#include "base/refusal.h"

/* Returns 0, or a negative errno and the reason. */
typedef int (*network_visit_fn)(void *userdata, struct refusal *why);

/*
 * Calls `fn` in the namespace behind `netns_fd` and comes back. Returns what it returned, or a
 * negative errno and the reason where the namespace cannot be entered. If the way back fails the
 * process aborts: it must not go on in a container's namespace.
 */
int network_visit(int netns_fd, network_visit_fn fn, void *userdata, struct refusal *why);
