/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* KEY=VALUE pairs in the order they came: a device's properties, and those that rules add. */

#include "base/util.h"

struct property {
    char *key;   /* owned by the list */
    char *value; /* owned by the list */
};

struct property_list {
    struct property *items;
    size_t count;
};

/* Whether these bytes can be a property's key: one or more of [A-Za-z0-9_.:-]. */
bool property_key_is_valid(const char *key, size_t length);

/* Frees the content; the list is empty then and can be used again. */
void property_list_done(struct property_list *list);

/* The value of `key`, borrowed, or NULL. */
const char *property_get(const struct property_list *list, const char *key);

/* Sets `key`, in place where it is there already. Returns 0 or -ENOMEM (unchanged then). */
int property_set(struct property_list *list, const char *key, const char *value);

/* Appends deep copies of all of `from`, replacing equal keys. Returns 0 or -ENOMEM. */
int property_merge(struct property_list *list, const struct property_list *from);

/* The same pairs in the same order. */
bool property_list_equal(const struct property_list *a, const struct property_list *b);
