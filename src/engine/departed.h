/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The containers that went last, for who asks where one is. */

#include <sys/types.h>

#include "engine/container.h"

#define DEPARTED_MAX 64

struct departure {
    char name[CONTAINER_NAME_MAX]; /* "": nobody yet */
    pid_t pid;
    const char *how; /* "died", "unregistered"; static */
    uint64_t time_us;
};

struct departed {
    struct departure items[DEPARTED_MAX];
    size_t next;
};

void departed_remember(struct departed *departed, const struct container *container,
                       const char *how);

/* The newest of this name, or NULL. */
const struct departure *departed_find(const struct departed *departed, const char *name);
