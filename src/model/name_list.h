/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names in the order they came, each once: tags, links. */

#include "base/util.h"

struct name_list {
    char **items; /* owned, and so is each of them */
    size_t count;
};

/* Frees the content; the list is empty then and can be used again. */
void name_list_done(struct name_list *list);

bool name_list_has(const struct name_list *list, const char *name);

/* Adds a copy of `name`, unless it is there. Returns 0 or -ENOMEM (unchanged then). */
int name_list_add(struct name_list *list, const char *name);
