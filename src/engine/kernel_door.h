/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The real door: each step of a plan goes to the mechanism of the kernel floor that does it. */

#include <systemd/sd-event.h>

#include "engine/door.h"
#include "engine/saved_place.h"
#include "kernel/node_store.h"

struct kernel_door;

/*
 * Opens the node store, a bpffs (a host without does without) and the notes of a predecessor below
 * the runtime directory. `event` is borrowed for life. Returns 0 and *ret, or a negative errno and
 * the reason.
 */
int kernel_door_open(sd_event *event, const char *directory, struct kernel_door **ret,
                     struct refusal *why);

/* All places must be closed. Unmounts what was mounted, or (`leave`) leaves it to a successor. NULL
 * accepted. */
void kernel_door_close(struct kernel_door *door, bool leave);

/*
 * Calls for each container of whose place a predecessor left a note and which still lives. What it
 * is given is borrowed for the call; it returns 0 where the container was taken over. What was
 * allowed to others in their device cgroups is denied, and their notes are removed; so are damaged
 * ones.
 */
void kernel_door_each_saved(struct kernel_door *door,
                            int (*fn)(void *userdata, const struct saved_place *saved,
                                      struct refusal *why),
                            void *userdata);

/* When all that was saved was restored, and nothing was given yet: the predecessor's other nodes
 * are revoked and removed. How many there were. */
size_t kernel_door_sweep(struct kernel_door *door);

/* The table of functions, valid as long as the door. */
const struct door *kernel_door_interface(struct kernel_door *door);

/* How many nodes the store holds. */
size_t kernel_door_node_count(const struct kernel_door *door);
