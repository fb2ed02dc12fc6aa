/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a predecessor noted of one container, as it was read. */

#include <jansson.h>
#include <sys/types.h>

#include "base/util.h"

struct saved_item {
    uint64_t id;
    json_t *engine; /* delegation_restore() knows it */
    json_t *door;   /* door->item_resume() does */
};

struct saved_place {
    const char *name;
    pid_t pid;
    uint64_t start_time;
    const char *root; /* where it is still as it was registered; NULL: the process' own */
    const json_t *engine;
    const json_t *door; /* door->place_admit() */
    struct saved_item *items;
    size_t item_count;
};
