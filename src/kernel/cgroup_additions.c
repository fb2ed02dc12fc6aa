/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/cgroup_additions.h"

#include <errno.h>

#include "model/saved_grant.h"
#include "model/share.h"

int cgroup_additions_add(struct cgroup_additions *additions, const struct devnum *number,
                         const char *group, uint64_t group_id, struct cgroup_addition **ret)
{
    for (size_t i = 0; i < additions->count; i++) {
        *ret = &additions->items[i];
        if ((*ret)->group_id == group_id && devnum_equal(&(*ret)->number, number))
            return 0;
    }
    _cleanup_free_ char *copy = strdup(group);
    *ret = copy ? array_add(&additions->items, &additions->count, sizeof(**ret)) : NULL;
    if (!*ret)
        return -ENOMEM;
    **ret =
        (struct cgroup_addition){.number = *number, .group = TAKE_PTR(copy), .group_id = group_id};
    return 0;
}

unsigned cgroup_additions_access(const struct cgroup_additions *additions,
                                 const struct devnum *number)
{
    unsigned access = 0;
    for (size_t i = 0; i < additions->count; i++)
        if (devnum_equal(&additions->items[i].number, number))
            access |= additions->items[i].access;
    return access;
}

static void forget(struct cgroup_additions *additions, size_t i)
{
    struct cgroup_addition *items = additions->items;
    free(items[i].group);
    memmove(&items[i], &items[i + 1], (additions->count - i - 1) * sizeof(*items));
    additions->count--;
}

void cgroup_additions_drop_empty(struct cgroup_additions *additions)
{
    for (size_t i = additions->count; i-- > 0;)
        if (additions->items[i].access == 0)
            forget(additions, i);
}

void cgroup_additions_done(struct cgroup_additions *additions)
{
    while (additions->count > 0)
        forget(additions, additions->count - 1);
    free(TAKE_PTR(additions->items));
}

static json_t *save(const struct cgroup_addition *addition)
{
    struct json_writer writer = json_writer_new();
    json_write_text(&writer, "group", addition->group);
    json_write_number(&writer, "group_id", addition->group_id);
    saved_number_write(&writer, &addition->number);
    json_write_number(&writer, "access", addition->access);
    return json_writer_take(&writer);
}

json_t *cgroup_additions_save(const struct cgroup_additions *additions)
{
    json_t *array = json_array();
    for (size_t i = 0; i < additions->count; i++)
        json_append_take(&array, save(&additions->items[i]));
    return array;
}

static int load(struct cgroup_additions *additions, const json_t *saved)
{
    struct json_reader reader = json_reader_of(saved);
    _cleanup_free_ char *group = json_read_text(&reader, "group");
    struct cgroup_addition addition = {
        .number = saved_number_read(&reader),
        .group_id = json_read_number(&reader, "group_id", INT64_MAX),
        .access = (unsigned)json_read_number(&reader, "access",
                                             ACCESS_READ | ACCESS_WRITE | ACCESS_MKNOD),
    };
    if (reader.error)
        return reader.error;
    /* only of a group that is known by its id, nothing else is ever written to */
    if (!group || addition.group_id == 0)
        return -EBADMSG;
    struct cgroup_addition *added = array_add(&additions->items, &additions->count, sizeof(*added));
    if (!added)
        return -ENOMEM;
    *added = addition;
    added->group = TAKE_PTR(group);
    return 0;
}

int cgroup_additions_load(struct cgroup_additions *additions, const json_t *saved)
{
    int r = json_is_array(saved) ? 0 : -EBADMSG;
    for (size_t i = 0; r == 0 && i < json_array_size(saved); i++)
        r = load(additions, json_array_get(saved, i));
    if (r < 0)
        cgroup_additions_done(additions);
    return r;
}
