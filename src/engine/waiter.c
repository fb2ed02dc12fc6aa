/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who waits until a container has what was queued: Register, Attach, Unregister. */
#include "engine/delegation_state.h"

/* Whether all that was queued when the wait began is done. */
static bool is_served(const struct container *container, const struct waiter *waiter)
{
    const struct job *job = container->job;
    if (container->stalled)
        return true;
    if (container->compare_wanted || container->marking ||
        (job && (!job->hint || job->hint->serial <= waiter->serial)))
        return false;
    return !container->hints || container->hints->serial > waiter->serial;
}

bool delegation_call_waiters(struct container *container, enum container_end end)
{
    bool all = end == CONTAINER_GONE || end == CONTAINER_HELD, called = false;
    for (struct waiter **at = &container->waiters; *at;) {
        struct waiter *waiter = *at;
        if (!all && (container->leaving || !is_served(container, waiter))) {
            at = &waiter->next;
            continue;
        }
        *at = waiter->next;
        waiter->fn(waiter->userdata, end);
        free(waiter);
        at = &container->waiters;
        called = true;
    }
    return called;
}

bool delegation_settle(struct container *container)
{
    if (container->hung && !container->stalled && container_settled(container)) {
        container->hung = false;
        container->note.error = 0;
        delegation_report(container->delegation, ACTIVITY_CONTAINER, container, NULL, "recovered",
                          NULL);
    }
    return delegation_call_waiters(container,
                                   container->stalled ? CONTAINER_STALLED : CONTAINER_SETTLED);
}

int delegation_wait(struct delegation *delegation, struct container *container, container_end_fn fn,
                    void *userdata)
{
    (void)delegation;
    int r = container_add_waiter(container, fn, userdata);
    if (r == 0)
        delegation_turn(container);
    return r;
}

void delegation_wait_cancel(struct delegation *delegation, void *userdata)
{
    for (struct container *c = delegation->containers; c; c = c->next)
        for (struct waiter **at = &c->waiters; *at;) {
            struct waiter *waiter = *at;
            if (waiter->userdata != userdata) {
                at = &waiter->next;
                continue;
            }
            *at = waiter->next;
            free(waiter);
        }
}
