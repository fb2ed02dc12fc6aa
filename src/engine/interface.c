/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/interface.h"

#include "engine/delegation_state.h"

/* An interface left the container without us: it ended, or somebody inside moved it on. */
void interface_lost(void *userdata)
{
    struct delivery *delivery = userdata;
    struct world *world = delivery->container->delegation->world;
    delegation_cut(delivery->container, delivery);
    world_sweep(world);
}

void interface_note(void *userdata, struct delivery *delivery, enum step_kind kind,
                    const struct step_result *result)
{
    struct delegation *delegation = userdata;
    const struct grant *grant = delivery->grant;
    if (result->why.error || result->remark.error)
        delegation_report(delegation, ACTIVITY_CONTAINER, delivery->container, grant->devpath,
                          result->why.error ? "an interface does not come home"
                                            : "an interface came home changed",
                          result->why.error ? &result->why : &result->remark);
    if (result->why.error)
        return;
    if (kind == STEP_INTERFACE_MOVE) {
        delivery->ifindex = result->ifindex;
        world_interface_left(delegation->world, grant->devpath, grant->inode);
    } else if (result->returned) {
        world_interface_returned(delegation->world, grant->inode);
    } else if (result->lost) {
        world_interface_lost(delegation->world, grant->inode);
    }
}
