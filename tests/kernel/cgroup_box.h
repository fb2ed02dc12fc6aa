/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Cgroups of a test's own, and boxes: the least that is a container to a device cgroup. A box is
 * one process in a pid and a mount namespace of its own, in the groups it was given, that tries out
 * on demand which device numbers it may use.
 *
 * Groups are made below "devolve-test-PID" of each hierarchy, never the root. Needs root.
 */

#include <sys/types.h>

#include "kernel/namespace.h"
#include "model/device.h"

/* NULL where this machine has what the tests need of a hierarchy, else why not. */
const char *cgroup_box_missing_v1(void);
const char *cgroup_box_missing_v2(void);

/* The v1 group that the test itself is in, and a box that was given none. */
const char *cgroup_box_own_v1(void);

/* Where the hierarchies are mounted, or NULL. */
const char *cgroup_box_mount_v1(void);
const char *cgroup_box_mount_v2(void);

/*
 * Makes the group `name` ("a", "a/b") and those above it below the test's own. Writes its absolute
 * path to `out`. Returns 0 or a negative errno.
 */
int cgroup_box_make_v1(const char *name, char *out, size_t size);
int cgroup_box_make_v2(const char *name, char *out, size_t size);

/* Removes all groups of the test; nobody may be in them any more. Returns how many stayed. */
int cgroup_box_remove_all(void);

struct cgroup_box {
    pid_t pid;
    int request_fd;
    struct namespaces namespaces; /* pid and pid_fd only */
};

/* Starts one; either group may be NULL: the test's own group. Returns 0 or a negative errno. */
int cgroup_box_start(const char *v1, const char *v2, struct cgroup_box *ret);

/* Kills it and waits. A box that was not started is left alone. */
void cgroup_box_stop(struct cgroup_box *box);

/*
 * What open(2) of such a node says inside: 0 or a negative errno, -EPERM where a device cgroup
 * denies. `flags` are O_RDONLY, O_WRONLY or O_RDWR.
 */
int cgroup_box_open(const struct cgroup_box *box, const struct devnum *number, int flags);

/* What mknod(2) says inside. */
int cgroup_box_mknod(const struct cgroup_box *box, const struct devnum *number);
