/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What was added to the device lists of v1 groups: the only bits that may be taken back from them.
 * Order is that of adding, and stays over saving and loading.
 */

#include <jansson.h>

#include "base/util.h"
#include "model/device.h"

struct cgroup_addition {
    struct devnum number;
    char *group;       /* its path; owned */
    uint64_t group_id; /* cgroup_group_id() */
    unsigned access;   /* of enum access_bits */
};

/* Zeroed before its first use. */
struct cgroup_additions {
    struct cgroup_addition *items;
    size_t count;
};

/* That of a number in a group, or a new one without any bits: borrowed until the next call. Returns
 * 0 and *ret, or -ENOMEM. */
int cgroup_additions_add(struct cgroup_additions *additions, const struct devnum *number,
                         const char *group, uint64_t group_id, struct cgroup_addition **ret);

/* The bits that any group was given for a number. */
unsigned cgroup_additions_access(const struct cgroup_additions *additions,
                                 const struct devnum *number);

/* Those without any bits go. */
void cgroup_additions_drop_empty(struct cgroup_additions *additions);

/* All are forgotten. */
void cgroup_additions_done(struct cgroup_additions *additions);

/* For a successor. NULL when memory is short. */
json_t *cgroup_additions_save(const struct cgroup_additions *additions);

/* Takes over what was saved, to none. Returns 0, -EBADMSG or -ENOMEM; there is nothing then. */
int cgroup_additions_load(struct cgroup_additions *additions, const json_t *saved);
