/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/property.h"

#include <errno.h>

bool property_key_is_valid(const char *key, size_t length)
{
    if (length == 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = key[i];
        bool word = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!word && c != '_' && c != '.' && c != ':' && c != '-')
            return false;
    }
    return true;
}

void property_list_done(struct property_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].key);
        free(list->items[i].value);
    }
    free(list->items);
    *list = (struct property_list){0};
}

static struct property *find(const struct property_list *list, const char *key)
{
    for (size_t i = 0; i < list->count; i++)
        if (streq(list->items[i].key, key))
            return &list->items[i];
    return NULL;
}

const char *property_get(const struct property_list *list, const char *key)
{
    const struct property *property = find(list, key);
    return property ? property->value : NULL;
}

int property_set(struct property_list *list, const char *key, const char *value)
{
    _cleanup_free_ char *new_value = strdup(value);
    if (!new_value)
        return -ENOMEM;

    struct property *property = find(list, key);
    if (!property) {
        _cleanup_free_ char *new_key = strdup(key);
        if (!new_key)
            return -ENOMEM;
        property = array_add(&list->items, &list->count, sizeof(*property));
        if (!property)
            return -ENOMEM;
        property->key = TAKE_PTR(new_key);
    }
    free(property->value);
    property->value = TAKE_PTR(new_value);
    return 0;
}

int property_merge(struct property_list *list, const struct property_list *from)
{
    for (size_t i = 0; i < from->count; i++) {
        int r = property_set(list, from->items[i].key, from->items[i].value);
        if (r < 0)
            return r;
    }
    return 0;
}

bool property_list_equal(const struct property_list *a, const struct property_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!streq(a->items[i].key, b->items[i].key) ||
            !streq(a->items[i].value, b->items[i].value))
            return false;
    return true;
}
