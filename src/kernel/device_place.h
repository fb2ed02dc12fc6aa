/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A place that a program of ours has taken in a cgroup: which group, and how the runtime's own
 * program, whose place it is, is kept until it is given back. With a directory on a bpffs it is
 * kept by a pin, "held_ID" (ID: our program's): the program itself, or for a tail call the array it
 * is called from. So it outlives us. Without one it is kept by descriptor.
 *
 * Order: load, pin, exchange; and back: exchange, unpin. Killed anywhere in between, what is left
 * is a pin too many, never a program whose array has gone.
 */

#include "base/refusal.h"
#include "kernel/device_program.h"

struct device_place {
    char *group; /* absolute path */
    uint64_t group_id;
    uint32_t id; /* of our program */
    struct device_program
        original; /* whose place it is; id 0: not known (a predecessor's, unpinned) */
    bool tail_call;
    bool pinned;
    int original_fd; /* -1 where it is pinned */
};

/*
 * Puts a program of ours in the place of `program_id` on the group. `directory` may be NULL.
 * Returns 0 and *ret; -ENOENT where that program is not there any more; another negative errno and
 * the reason, and nothing is changed.
 */
int device_place_take(const char *group, int group_fd, uint32_t program_id, int map_fd,
                      const char *directory, struct device_place *ret, struct refusal *why);

/* The place of a program of ours that a predecessor put there. Returns 0 or -ENOMEM. */
int device_place_adopt(const char *group, int group_fd, const struct device_program *program,
                       const char *directory, struct device_place *ret);

/*
 * Gives the place back to the runtime's own program, if ours is still there; where that program is
 * not known, ours stays, and with an empty map it does the same. Then forgets what is kept, unless
 * ours still needs it.
 */
void device_place_restore(const struct device_place *place, const char *directory);

/*
 * Whether `program`, new on the group, makes our program at `place` superfluous: it is the same (as
 * after systemd's daemon-reload), or systemd's next version of it, which systemd attaches before it
 * detaches the one that it no longer finds.
 */
bool device_place_is_superseded(const struct device_place *place,
                                const struct device_program *program);

/* Takes our program away where the one at `other` does its work. Returns 0 or a negative errno. */
int device_place_drop(const struct device_place *place, const struct device_place *other,
                      const char *directory);

/* Our program is not there any more: forgets what was kept for it. */
void device_place_forget(const struct device_place *place, const char *directory);

void device_place_done(struct device_place *place);

/* Removes the pins whose program no longer exists: a predecessor was killed and its groups died. */
int device_place_clean(const char *directory);
