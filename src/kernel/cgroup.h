/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where the cgroups of a process are: cgroups(7), /proc/PID/cgroup and /proc/self/mountinfo. */

#include <sys/types.h>

#include "base/refusal.h"
#include "base/util.h"

struct cgroup_paths {
    char *v1_devices; /* absolute host path of the group in the v1 `devices` hierarchy, or NULL */
    char *v1_mount;   /* where that hierarchy is mounted, or NULL */
    char *v2;         /* absolute host path of the group in the unified hierarchy, or NULL */
    char *v2_mount;   /* where it is mounted, or NULL */
};

/*
 * Finds both groups of `pid`; either may be missing (not mounted here). The caller checks by pidfd
 * that the process still lives. Returns 0 or a negative errno.
 */
int cgroup_paths_find(pid_t pid, struct cgroup_paths *ret, struct refusal *why);

void cgroup_paths_done(struct cgroup_paths *paths);

/*
 * Whether the group (absolute path) and everything below it hold only processes of the container
 * whose init is `init_pid`: processes of its pid namespace or one below (or, where that is the
 * host's, of its mount namespace). The hierarchy's root never qualifies. Returns 1, 0, or a
 * negative errno. A process that dies while we look does not count.
 */
int cgroup_holds_only(const char *group, const char *mount, pid_t init_pid);
