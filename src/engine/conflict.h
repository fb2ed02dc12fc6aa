/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Two that want one thing. A node's path stays with who has it, and the other is refused; so is who
 * wants a device that is another container's alone (exclusive.h).
 *
 * A link is one of several names: of all deliveries of a container that want it the best has it,
 * and the others have everything else and *yield* it (grant.h). At its path a node goes before any
 * link; then the higher link_priority is better, then who has it already, then who came first.
 *
 * Two never have one link at once. So who loses it is relinked before who gets it; and where that,
 * or to take it back, failed, everybody yields until it is gone.
 */

#include "engine/container.h"

/*
 * Whether the grant, which has no delivery yet, can begin: 0, or what `status` says, with -EBUSY
 * where another delivery is in its way and -EINVAL for an interface that is where it should go.
 */
int conflict_check(const struct container *container, const struct grant *grant,
                   struct refusal *why);

/* The same, of what the container itself has: whether its node's path is free. */
int conflict_check_place(const struct container *container, const struct grant *grant,
                         struct refusal *why);

/*
 * Whether a delivery that was refused is still refused, as others still have what it wants; its
 * `why` says what they have now. (Nobody need be told again.)
 */
bool conflict_lasts(const struct container *container, struct delivery *delivery,
                    const struct grant *desired);

/*
 * Which delivery keeps the grant from its link `index`: it has that, or should have. `self` is the
 * grant's delivery, or NULL for one that is yet to come. Borrowed; NULL: none.
 */
const struct delivery *conflict_find_rival(const struct container *container,
                                           const struct grant *grant, size_t index,
                                           const struct delivery *self);

/* What the grant has to yield now: for grant.yielded. */
uint32_t conflict_yielded(const struct container *container, const struct grant *grant,
                          const struct delivery *self);

/* The same, supposing that whoever is to yield to the grant did so. */
uint32_t conflict_yielded_at_last(const struct container *container, const struct grant *grant,
                                  const struct delivery *self);

/*
 * Whose links are to change first, that the grant comes to its own: those of `self`, or of another
 * delivery that has a link which the grant is to have, or which lies at its node. Returns it,
 * borrowed, and in *ret_yielded what it will yield; NULL: all is as it should be, or has to wait.
 */
struct delivery *conflict_find_unsettled(const struct container *container,
                                         const struct grant *grant, struct delivery *self,
                                         uint32_t *ret_yielded);

/* Whether a delivery yields a link that `other` wants, or a link at its node. */
bool conflict_yields_to(const struct delivery *delivery, const struct grant *other);
