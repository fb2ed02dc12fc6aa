/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The real door: each step of a plan goes to the mechanism of the kernel floor that does it. */

#include <systemd/sd-event.h>

#include "engine/door.h"
#include "kernel/node_store.h"

struct kernel_door;

/*
 * Opens the node store at `nodes` and a bpffs at `bpf` (both directories; a host without bpffs does
 * without). `event` is borrowed for life. Returns 0 and *ret, or a negative errno and the reason.
 */
int kernel_door_open(sd_event *event, const char *nodes, const char *bpf, struct kernel_door **ret,
                     struct refusal *why);

/* All places must be closed. Unmounts what was mounted. NULL accepted. */
void kernel_door_close(struct kernel_door *door);

/* The table of functions, valid as long as the door. */
const struct door *kernel_door_interface(struct kernel_door *door);

/* How many nodes the store holds. */
size_t kernel_door_node_count(const struct kernel_door *door);
