/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A path below the container's /dev or /run, walked by descriptors: no symbolic link is ever
 * followed and nothing is looked up twice, so that a container that exchanges its directories
 * meanwhile leads nobody elsewhere.
 */

#include "kernel/courier_confine.h"
#include "model/udev_record.h"

#define COURIER_PLACE_DEPTH 32                /* directories above a name, /dev or /run included */
#define COURIER_PATH_MAX UDEV_RECORD_PATH_MAX /* the longest there is */

struct courier_place {
    const struct courier_world *world;
    char path[COURIER_PATH_MAX];            /* cut into its components */
    const char *names[COURIER_PLACE_DEPTH]; /* of the directories; the first is "dev" or "run" */
    int fds[COURIER_PLACE_DEPTH];           /* of those that are there, from the first on */
    size_t wanted;                          /* directories that the path has */
    size_t open;                            /* directories that are there */
    unsigned made;                          /* of these, made by us just now: the lowest ones */
    const char *name;                       /* the last component */
};

/*
 * Walks `path`; with `make`, missing directories are made, and a parent that is the host's own
 * (its devtmpfs, its /run/udev) is refused. Without, 0 is returned also where directories are
 * missing: courier_place_parent() is -1 then. -ELOOP: a symbolic link is in the way; without `make`
 * it was looked at again for some milliseconds before that is said, and likewise -ENOTDIR.
 * courier_place_close() it when 0 was returned.
 */
int courier_place_open(const struct courier_world *world, const char *path, bool make,
                       struct courier_place *ret, struct refusal *why);
void courier_place_close(struct courier_place *place);

/* The directory of the last component (borrowed), or -1 where it is not there or is the host's. */
int courier_place_parent(const struct courier_place *place);

/* Removes the lowest `made` directories as far as they are empty; /dev and /run themselves always
 * stay. */
void courier_place_remove_made(const struct courier_place *place, unsigned made);
