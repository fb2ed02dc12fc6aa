/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/overrun.h"

#include <errno.h>

#include "engine/delegation_state.h"

#define CATCH_UP_FIRST_US 10000u
#define CATCH_UP_LAST_US 1000000u

static void wait_for_readers(struct container *container);

static void end(struct container *container)
{
    container->behind = false;
    if (container->note.error == ENOBUFS)
        container->note.error = 0;
    delegation_report(container->delegation, ACTIVITY_CONTAINER, container, NULL, "caught up",
                      NULL);
}

/*
 * What is told again is what was true when all that those who listen had to hear was told: nothing
 * is told again while something is on its way to them, of whichever container of their network
 * namespace; nor while what was taken from one opens no more, and that could not be told.
 */
static bool is_quiet(const struct delegation *delegation)
{
    const struct door *door = delegation->door;
    for (const struct container *c = delegation->containers; c; c = c->next) {
        if (!door->place_is_behind(door->userdata, c->place))
            continue;
        if (c->stalled || !container_settled(c))
            return false;
        for (const struct delivery *d = c->deliveries; d; d = d->next)
            if (d->cut && d->state != DELIVERY_REFUSED)
                return false;
    }
    return true;
}

static void on_timer(void *userdata)
{
    struct container *container = userdata;
    struct delegation *delegation = container->delegation;
    const struct door *door = delegation->door;
    uint64_t told = 0;
    container->behind_timer = NULL;
    if (is_quiet(delegation) && door->place_catch_up(door->userdata, container->place, &told) > 0)
        end(container);
    delegation->counters.told_again += told;
    if (told > 0)
        container->behind_delay_us = CATCH_UP_FIRST_US;
    if (container->behind)
        wait_for_readers(container);
}

static void wait_for_readers(struct container *container)
{
    const struct door *door = container->delegation->door;
    uint64_t delay_us = container->behind_delay_us;
    container->behind_delay_us = 2 * delay_us < CATCH_UP_LAST_US ? 2 * delay_us : CATCH_UP_LAST_US;
    if (door->timer_start(door->userdata, delay_us, on_timer, container, &container->behind_timer) <
        0) {
        container->behind_timer = NULL;
        container->behind = false; /* the next event begins anew */
    }
}

void overrun_begin(void *userdata, struct container *container)
{
    struct delegation *delegation = container->delegation;
    struct refusal why;
    (void)userdata; /* the container knows its delegation */
    if (container->behind)
        return;
    container->behind = true;
    container->behind_delay_us = CATCH_UP_FIRST_US;
    delegation->counters.overruns_inside++;
    refuse(&why, ENOBUFS,
           "a program inside listens to device events and does not read them; it is told what it "
           "missed when it does");
    delegation_note(container, "overrun", &why);
    wait_for_readers(container);
}

void overrun_pass_on(struct delegation *delegation)
{
    const struct door *door = delegation->door;
    for (struct container *container = delegation->containers; container;
         container = container->next)
        if (!container->behind && door->place_is_behind(door->userdata, container->place))
            overrun_begin(NULL, container);
}
