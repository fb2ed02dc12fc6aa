/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The network interface of an item of the kernel door, while it is in the container. */

#include <systemd/sd-event.h>

#include "engine/door.h"

struct moved_interface;

/*
 * Moves the grant's interface into the namespace behind `netns_fd`; how it was at home is noted
 * with the item before. The item's on_lost is called once from the event loop when it left that
 * without us. Returns 0, *ret and its number inside in *result, or a negative errno and the reason
 * there; if *ret is set even so, it is inside and to be returned.
 */
int moved_interface_new(sd_event *event, const struct grant *grant, int netns_fd,
                        struct door_item *item, struct moved_interface **ret,
                        struct step_result *result);

/* One that a predecessor moved, to be returned. Returns 0 and *ret, or a negative errno. */
int moved_interface_resume(const json_t *home, int ifindex, int netns_fd,
                           struct moved_interface **ret);

/*
 * Brings *moved home, which is NULL then; it may be NULL already. result->why says why it could
 * not be, and it is inside still.
 */
void moved_interface_return(struct moved_interface **moved, struct step_result *result);

/* Leaves it to the kernel. NULL accepted. */
void moved_interface_free(struct moved_interface *moved);
