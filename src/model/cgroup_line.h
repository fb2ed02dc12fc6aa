/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One line of /proc/PID/cgroup: cgroups(7). */

#include "base/util.h"

/* All strings are borrowed from the line. */
struct cgroup_line {
    bool unified;            /* of the v2 hierarchy, which has no controllers here */
    const char *controllers; /* of a v1 hierarchy, with commas between */
    const char *group;       /* its path as the reader sees it */
};

/* Takes a line apart, in place; a newline at its end may be there. Returns 0, or -EBADMSG for what
 * is none: *ret is undefined then. */
int cgroup_line_parse(char *line, struct cgroup_line *ret);

/*
 * The path of a group in the file system, where `point` is a mount that shows the hierarchy from
 * `root` on. Returns 1 and *ret (free() it), 0 where that mount does not show the group, or
 * -ENOMEM.
 */
int cgroup_line_path(const char *point, const char *root, const char *group, char **ret);
