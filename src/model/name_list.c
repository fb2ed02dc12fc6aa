/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/name_list.h"

#include <errno.h>

void name_list_done(struct name_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct name_list){0};
}

bool name_list_has(const struct name_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (streq(list->items[i], name))
            return true;
    return false;
}

int name_list_add(struct name_list *list, const char *name)
{
    if (name_list_has(list, name))
        return 0;
    _cleanup_free_ char *copy = strdup(name);
    char **slot = copy ? array_add(&list->items, &list->count, sizeof(*slot)) : NULL;
    if (!slot)
        return -ENOMEM;
    *slot = TAKE_PTR(copy);
    return 0;
}
