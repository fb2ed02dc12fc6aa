/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Groups of a hierarchy as things to edit: held by id, and only those that hold one container
 * alone. */

#include <sys/types.h>

#include "base/util.h"

struct cgroup_groups {
    char **paths; /* absolute; the container's own first, then its parent, ... */
    size_t count;
};

void cgroup_groups_done(struct cgroup_groups *groups);

/*
 * The groups from `group` upwards that hold the container of `init_pid` alone; none where its own
 * is already shared. Returns 0 and *ret, -ESRCH where the process of `pid_fd` is dead (its number
 * may then be somebody else's), or another negative errno.
 */
int cgroup_groups_find(struct cgroup_groups *ret, const char *group, const char *mount,
                       pid_t init_pid, int pid_fd);

/* The path of the group above; the caller frees. NULL when memory is short. */
char *cgroup_group_parent(const char *group);

/*
 * Opens a group's directory. `id` is cgroup_group_id() of the group that is meant, 0 for whichever
 * is there. Returns an O_RDONLY descriptor, -ENOENT where it is gone or is another one by now, or
 * another negative errno.
 */
int cgroup_group_open(const char *group, uint64_t id);

/* What identifies a group for ever: its inode number, which is the cgroup id of BPF. 0 on failure.
 */
uint64_t cgroup_group_id(int fd);
