/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/conflict.h"

#include <errno.h>

#include "engine/delegation_state.h"
#include "engine/exclusive.h"

/* Where the link is in the list of a grant, or its count. */
static size_t find_link(const struct grant *grant, const char *path)
{
    size_t at = 0;
    while (at < grant->symlink_count && !streq(grant->symlinks[at], path))
        at++;
    return at;
}

static bool wants_link(const struct grant *grant, const char *path)
{
    return find_link(grant, path) < grant->symlink_count;
}

static bool has_node(const struct grant *grant, const char *path)
{
    return grant->node && streq(grant->node, path);
}

/* Whether the link is inside, or may be. */
static bool has_link(const struct delivery *delivery, const char *path)
{
    size_t at = find_link(delivery->grant, path);
    return delivery->state != DELIVERY_REFUSED && at < delivery->grant->symlink_count &&
           grant_has_link(delivery->grant, at);
}

static bool has_path(const struct delivery *delivery, const char *path)
{
    return has_link(delivery, path) ||
           (delivery->state != DELIVERY_REFUSED && has_node(delivery->grant, path));
}

/* Whether what it wants counts: not where it was refused, or is being taken back. */
static bool is_in_force(const struct delivery *delivery)
{
    return !delivery->cut &&
           (delivery->state == DELIVERY_GIVING || delivery->state == DELIVERY_DELIVERED);
}

/* Whether it can be asked for its links: one that is cut too, where nobody tried to take it yet. */
static bool can_yield(const struct delivery *delivery)
{
    return delivery->state == DELIVERY_DELIVERED;
}

/* Whether `other` is better than the grant of `self` at a path that the grant wants for a link. */
static bool is_better(const struct delivery *other, bool older, const struct grant *grant,
                      const struct delivery *self, const char *path)
{
    if (!is_in_force(other))
        return false;
    if (has_node(other->grant, path))
        return true;
    if (!wants_link(other->grant, path))
        return false;
    if (other->grant->link_priority != grant->link_priority)
        return other->grant->link_priority > grant->link_priority;
    if (self && has_link(self, path))
        return false;
    return older || has_link(other, path);
}

static struct delivery *find_better(const struct container *container, const struct grant *grant,
                                    size_t index, const struct delivery *self)
{
    bool older = true;
    for (struct delivery *d = container->deliveries; d; d = d->next)
        if (d == self)
            older = false;
        else if (is_better(d, older, grant, self, grant->symlinks[index]))
            return d;
    return NULL;
}

static struct delivery *find_holder(const struct container *container, const char *path,
                                    const struct delivery *except)
{
    for (struct delivery *d = container->deliveries; d; d = d->next)
        if (d != except && has_path(d, path))
            return d;
    return NULL;
}

/* Somebody's node lies there, or a link that nobody can be asked to yield any more. */
static const struct delivery *find_obstacle(const struct container *container,
                                            const struct grant *grant)
{
    const struct delivery *holder = grant->node ? find_holder(container, grant->node, NULL) : NULL;
    return holder && (has_node(holder->grant, grant->node) || !can_yield(holder)) ? holder : NULL;
}

int conflict_check_place(const struct container *container, const struct grant *grant,
                         struct refusal *why)
{
    const struct delivery *holder = find_obstacle(container, grant);
    if (holder)
        return refuse(why, EBUSY, "%s is held by %s (%s:%u)", grant->node, holder->grant->devpath,
                      holder->grant->rule_file, holder->grant->rule_line);
    if (grant->interface && container->facts.netns == NETNS_HOST)
        return refuse(why, EINVAL, "container %s has the host's network, where %s is already",
                      container->name, strrchr(grant->devpath, '/') + 1);
    return 0;
}

int conflict_check(const struct container *container, const struct grant *grant,
                   struct refusal *why)
{
    int r = conflict_check_place(container, grant, why);
    return r < 0 ? r : exclusive_check(container, grant, why);
}

bool conflict_lasts(const struct container *container, struct delivery *delivery,
                    const struct grant *desired)
{
    struct refusal why = {.error = 0};
    if (!delivery->conflicting || !grant_equal(delivery->grant, desired) ||
        conflict_check(container, desired, &why) == 0)
        return false;
    delivery->why = why;
    return true;
}

const struct delivery *conflict_find_rival(const struct container *container,
                                           const struct grant *grant, size_t index,
                                           const struct delivery *self)
{
    const struct delivery *holder = find_holder(container, grant->symlinks[index], self);
    return holder ? holder : find_better(container, grant, index, self);
}

uint32_t conflict_yielded(const struct container *container, const struct grant *grant,
                          const struct delivery *self)
{
    uint32_t yielded = 0;
    for (size_t i = 0; i < grant->symlink_count; i++)
        if (conflict_find_rival(container, grant, i, self))
            yielded |= UINT32_C(1) << i;
    return yielded;
}

uint32_t conflict_yielded_at_last(const struct container *container, const struct grant *grant,
                                  const struct delivery *self)
{
    uint32_t yielded = 0;
    for (size_t i = 0; i < grant->symlink_count; i++)
        if (find_better(container, grant, i, self))
            yielded |= UINT32_C(1) << i;
    return yielded;
}

/* Who has a link at the path and has to yield it to the grant. */
static struct delivery *find_loser_at(const struct container *container, const char *path,
                                      const struct delivery *self, uint32_t *ret_yielded)
{
    struct delivery *holder = find_holder(container, path, self);
    if (!holder || !can_yield(holder) || !has_link(holder, path))
        return NULL;
    *ret_yielded = holder->grant->yielded | UINT32_C(1) << find_link(holder->grant, path);
    return holder;
}

struct delivery *conflict_find_unsettled(const struct container *container,
                                         const struct grant *grant, struct delivery *self,
                                         uint32_t *ret_yielded)
{
    uint32_t yielded = conflict_yielded(container, grant, self);
    if (self && yielded != grant->yielded) {
        *ret_yielded = yielded;
        return self;
    }
    struct delivery *loser =
        grant->node ? find_loser_at(container, grant->node, self, ret_yielded) : NULL;
    for (size_t i = 0; !loser && i < grant->symlink_count; i++)
        if (!find_better(container, grant, i, self))
            loser = find_loser_at(container, grant->symlinks[i], self, ret_yielded);
    return loser;
}

bool conflict_yields_to(const struct delivery *delivery, const struct grant *other)
{
    const struct grant *grant = delivery->grant;
    for (size_t i = 0; i < grant->symlink_count; i++)
        if (!grant_has_link(grant, i) &&
            (wants_link(other, grant->symlinks[i]) || has_node(other, grant->symlinks[i])))
            return true;
    return false;
}
