/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/exclusive.h"

#include <errno.h>

#include "engine/conflict.h"
#include "engine/delegation_state.h"

#define WHOLE (OPTION_SUBTREE | OPTION_EXCLUSIVE)

/* The container's delivery of a device above, whose whole subtree it has. */
static const struct delivery *find_whole(const struct container *container,
                                         const struct grant *grant)
{
    struct device *above = world_find(container->delegation->world, grant->devpath);
    while (above && (above = device_parent(above))) {
        const struct delivery *whole = container_find_delivery(container, above->devpath);
        if (whole && whole->state != DELIVERY_REFUSED && (whole->grant->options & WHOLE) == WHOLE)
            return whole;
    }
    return NULL;
}

/* Whether the rules leave the device to who has the whole; what is about to go is not free yet. */
static bool extends_to(struct container *container, const struct delivery *whole,
                       const struct grant *grant)
{
    struct device *device = world_find(container->delegation->world, grant->devpath);
    _cleanup_grant_ struct grant *wanted =
        whole->cut ? NULL : delegation_desired_now(container, device, false);
    return whole->cut || wanted;
}

/* Whether no two containers can have the device; a network interface is in one place only. */
static bool excludes(const struct grant *grant)
{
    return (grant->options & OPTION_EXCLUSIVE) || grant->interface;
}

/* The container's delivery of the device, or of one above with which it has this too. */
static const struct delivery *find_hold(struct container *container, const struct grant *grant)
{
    const struct delivery *own = container_find_delivery(container, grant->devpath);
    if (own && own->state != DELIVERY_REFUSED && (excludes(own->grant) || excludes(grant)))
        return own;
    const struct delivery *whole = find_whole(container, grant);
    return whole && extends_to(container, whole, grant) ? whole : NULL;
}

static int refuse_held(const struct container *holder, const struct delivery *hold,
                       const struct grant *grant, struct refusal *why)
{
    bool itself = streq(hold->grant->devpath, grant->devpath);
    const struct grant *by = itself && (grant->options & OPTION_EXCLUSIVE) ? grant : hold->grant;
    if (!(by->options & OPTION_EXCLUSIVE))
        return refuse(why, EBUSY,
                      "container %s has it, and %s:%u gave it there: an interface is in one place "
                      "only",
                      holder->name, by->rule_file, by->rule_line);
    if (itself)
        return refuse(why, EBUSY, "container %s has it, and %s:%u says OPTIONS+=\"exclusive\"",
                      holder->name, by->rule_file, by->rule_line);
    return refuse(why, EBUSY,
                  "container %s has %s with all below it, and %s:%u says OPTIONS+=\"exclusive\"",
                  holder->name, hold->grant->devpath, by->rule_file, by->rule_line);
}

/* Attachments, then what udev's rules say, then ours in their order. */
static int rank(const struct grant *grant)
{
    if (streq(grant->rule_file, "attach"))
        return 0;
    return streq(grant->rule_file, SHARE_FROM_UDEV) ? 1 : 2;
}

static bool comes_before(const struct grant *a, const struct grant *b)
{
    if (rank(a) != rank(b))
        return rank(a) < rank(b);
    int order = strcmp(a->rule_file, b->rule_file);
    return order < 0 || (order == 0 && a->rule_line < b->rule_line);
}

/* Whether the container would have the device at once, if it were left to it. */
static bool could_have(const struct container *container, const struct grant *grant)
{
    const struct delivery *failed = container_find_delivery(container, grant->devpath);
    struct refusal why;
    return !container->stalled && !container->leaving && (!failed || failed->conflicting) &&
           conflict_check_place(container, grant, &why) == 0;
}

static bool goes_first(struct container *container, const struct grant *grant)
{
    struct device *device = world_find(container->delegation->world, grant->devpath);
    _cleanup_grant_ struct grant *other = delegation_desired_now(container, device, false);
    return other && comes_before(other, grant) && could_have(container, other);
}

int exclusive_check(const struct container *container, const struct grant *grant,
                    struct refusal *why)
{
    struct container *all = container->delegation->containers;
    for (struct container *c = all; c; c = c->next) {
        const struct delivery *hold = c == container ? NULL : find_hold(c, grant);
        if (hold)
            return refuse_held(c, hold, grant, why);
    }
    if (!excludes(grant) || find_whole(container, grant))
        return 0;
    for (struct container *c = all; c; c = c->next)
        if (c != container && goes_first(c, grant))
            return refuse(why, EBUSY, "container %s comes before it, by an earlier rule", c->name);
    return 0;
}
