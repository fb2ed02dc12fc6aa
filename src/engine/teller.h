/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who tells a network namespace. Containers that share one hear each event once, of the kernel
 * (group 1) and of udev (group 2) alike: `add` with the first of them that is given the device,
 * `remove` with the last that had it, everything else from one of them.
 */

#include "engine/pace.h"
#include "kernel/namespace.h"
#include "kernel/uevent_injector.h"
#include "model/udev_word.h"

struct shared_injector; /* one per network namespace */

/* Who listens to what: programs to the kernel's events, libudev's to udev's. */
enum channel { CHANNEL_KERNEL, CHANNEL_UDEV, CHANNELS };

/* The injectors of all network namespaces; zeroed before its first use. */
struct injectors {
    struct shared_injector *first;
};

/*
 * The injector of a container's namespace, shared with those that have it already.
 * Returns 0 and *ret (injector_release() it), or a negative errno and the reason: its root is not
 * mapped, or another container in the namespace has another root.
 */
int injector_share(struct injectors *injectors, const struct namespaces *namespaces,
                   struct shared_injector **ret, struct refusal *why);

/* `owner`, whatever it is, tells no more. Where it `ended` the others in the namespace hear of what
 * it alone had told; a successor of ours goes on with what did not. `shared` may be NULL. */
void injector_release(struct injectors *injectors, struct shared_injector *shared,
                      const void *owner, bool ended);

/*
 * Tells of one device (its incarnation) in the name of `owner`. Returns 0, or a negative errno and
 * the reason.
 */
int injector_tell(struct shared_injector *shared, const void *owner, uint64_t inode,
                  const struct uevent *event, struct refusal *why);
int injector_tell_udev(struct shared_injector *shared, const void *owner, uint64_t inode,
                       const struct udev_word *word, struct refusal *why);

/* A predecessor told of the device in the name of `owner`, by `message`; NULL: that is not known
 * any more. Without memory others are told twice. */
void injector_resume(struct shared_injector *shared, enum channel channel, const void *owner,
                     uint64_t inode, const char *message, size_t size);

/* Before something is told: pace_look() of the channel. */
int injector_look(struct shared_injector *shared, enum channel channel);

/* Whether somebody who listens to any of the channels is behind. */
bool injector_is_behind(const struct shared_injector *shared);

/* pace_catch_up() of all channels. */
bool injector_catch_up(struct shared_injector *shared, uint64_t *told);
