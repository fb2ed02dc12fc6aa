/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/departed.h"

#include <stdio.h>

void departed_remember(struct departed *departed, const struct container *container,
                       const char *how)
{
    struct departure *item = &departed->items[departed->next];
    departed->next = (departed->next + 1) % DEPARTED_MAX;
    *item = (struct departure){.pid = container->pid, .how = how, .time_us = now_us()};
    snprintf(item->name, sizeof(item->name), "%s", container->name);
}

const struct departure *departed_find(const struct departed *departed, const char *name)
{
    for (size_t i = 1; i <= DEPARTED_MAX; i++) {
        const struct departure *item =
            &departed->items[(departed->next + DEPARTED_MAX - i) % DEPARTED_MAX];
        if (streq(item->name, name))
            return item;
    }
    return NULL;
}
