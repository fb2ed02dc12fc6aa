/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The uid or gid map of a user namespace: user_namespaces(7), /proc/PID/uid_map. "Inside" is the
 * first column, "host" the second, as read by a process in the initial user namespace.
 */

#include "base/refusal.h"
#include "base/util.h"

#define IDMAP_EXTENTS_MAX 340 /* UID_GID_MAP_MAX_EXTENTS of linux/user_namespace.h */
#define IDMAP_OVERFLOW_ID                                                                          \
    65534u /* what unmapped ids are shown as: never a valid answer of ours                         \
            */

struct idmap_extent {
    uint32_t inside;
    uint32_t host;
    uint32_t count; /* > 0; inside + count and host + count do not overflow */
};

struct idmap {
    size_t count;                   /* 0: nothing is mapped */
    struct idmap_extent *by_inside; /* sorted by inside; one allocation holds both orders */
    struct idmap_extent *by_host;   /* sorted by host */
};

/*
 * Parses the text of a map file: lines of three decimal numbers. Refused with line number
 * (-EINVAL): other text, a count of 0, overflow of start + count, overlapping extents, more than
 * IDMAP_EXTENTS_MAX. An empty text is an empty map. On failure *ret is untouched.
 */
int idmap_parse(struct idmap *ret, const char *text, struct refusal *why);

/* The identity over all ids but (uid_t)-1: the map of the initial user namespace. 0 or -ENOMEM. */
int idmap_identity(struct idmap *ret);

void idmap_done(struct idmap *map);

/*
 * The host's id of an id inside, by bisection. Returns 1 and *ret, or 0 when it is not mapped.
 * The overflow id 65534 is translated when the map names it; -1 never is.
 */
int idmap_to_host(const struct idmap *map, uint32_t inside, uint32_t *ret);

/* The other direction. */
int idmap_to_inside(const struct idmap *map, uint32_t host, uint32_t *ret);

/*
 * The ids inside that are mapped, for a person: "0-65535, 100000", the rest as "and N extents more"
 * where it does not fit in `size` bytes; "none". Returns `text`.
 */
const char *idmap_describe(const struct idmap *map, char *text, size_t size);
