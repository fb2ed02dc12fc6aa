/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One line of /proc/PID/mountinfo: proc_pid_mountinfo(5). */

#include "base/util.h"

/* All strings are borrowed from the line. */
struct mount_line {
    uint64_t id;
    const char *root;    /* what of the file system is seen there */
    const char *point;   /* where, below the reader's root */
    bool has_peers;      /* there are optional fields: a peer, a master, or something newer */
    const char *type;    /* of the file system */
    const char *options; /* of the superblock, with commas between */
};

/* Takes a line apart, in place; a newline at its end may be there. Returns 0, or -EBADMSG for what
 * is none: *ret is undefined then. */
int mount_line_parse(char *line, struct mount_line *ret);

/* Whether a list with commas between has the word. */
bool comma_list_has(const char *list, const char *word);
