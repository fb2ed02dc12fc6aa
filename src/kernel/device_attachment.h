/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The device programs on a cgroup v2: which there are, and one exchanged for another without a gap.
 */

#include "base/util.h"

#define DEVICE_ATTACHMENTS_MAX                                                                     \
    256 /* 64 a group, and those of its ancestors where they count too                             \
         */

struct device_attachments {
    uint32_t ids[DEVICE_ATTACHMENTS_MAX];
    size_t count;
    uint32_t flags; /* BPF_F_ALLOW_OVERRIDE, BPF_F_ALLOW_MULTI or 0; of a group's own only */
};

/*
 * The programs of a group's own, or all that judge its processes (`effective`: its ancestors' too).
 * Returns 0; -ENOENT where the group was removed; or another negative errno.
 */
int device_attachments_query(int group_fd, bool effective, struct device_attachments *ret);

bool device_attachments_have(const struct device_attachments *attachments, uint32_t id);

/*
 * Puts program `new_fd` in the place of `old_fd` (whose id is `old_id`), at which no moment is
 * without either. Returns 0, -ENOENT where the old one is not there any more, or another negative
 * errno.
 */
int device_attachments_exchange(int group_fd, int old_fd, uint32_t old_id, int new_fd);

/*
 * Takes a program away, under BPF_F_ALLOW_MULTI and only where another one, `other_id`, stays.
 * Returns 0 or a negative errno.
 */
int device_attachments_drop(int group_fd, int old_fd, uint32_t old_id, uint32_t other_id);
