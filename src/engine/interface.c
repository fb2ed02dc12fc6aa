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

/* It is said once, and kept for whoever asks: it is tried again and again. */
static void note_failure(struct delegation *delegation, struct delivery *delivery,
                         const struct refusal *why)
{
    if (streq(delivery->why.text, why->text))
        return;
    delivery->why = *why;
    delivery->container->note = *why;
    delegation_report(delegation, ACTIVITY_CONTAINER, delivery->container, delivery->grant->devpath,
                      "an interface does not come home", why);
}

/* What was in its way is no more. */
static void forget_failure(struct delivery *delivery)
{
    struct refusal *note = &delivery->container->note;
    if (delivery->why.error && streq(note->text, delivery->why.text))
        note->error = 0;
    delivery->why.error = 0;
}

static void note_remark(struct delegation *delegation, struct delivery *delivery,
                        const struct step_result *result)
{
    if (result->lost)
        delivery->container->note = result->remark;
    delegation_report(delegation, ACTIVITY_CONTAINER, delivery->container, delivery->grant->devpath,
                      result->lost ? "an interface is lost" : "an interface came home changed",
                      &result->remark);
}

void interface_note(void *userdata, struct delivery *delivery, enum step_kind kind,
                    const struct step_result *result)
{
    struct delegation *delegation = userdata;
    const struct grant *grant = delivery->grant;
    if (result->why.error) {
        note_failure(delegation, delivery, &result->why);
        return;
    }
    forget_failure(delivery);
    if (result->remark.error)
        note_remark(delegation, delivery, result);
    if (kind == STEP_INTERFACE_MOVE) {
        delivery->ifindex = result->ifindex;
        world_interface_left(delegation->world, grant->devpath, grant->inode);
    } else if (result->returned) {
        world_interface_returned(delegation->world, grant->inode);
    } else if (result->lost) {
        world_interface_lost(delegation->world, grant->inode);
    }
}
