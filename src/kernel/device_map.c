/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/device_map.h"

#include <bpf/bpf.h>
#include <errno.h>

static struct device_map_entry *find(const struct device_map *map,
                                     const struct device_filter_key *key)
{
    for (size_t i = 0; i < map->count; i++)
        if (memcmp(&map->entries[i].key, key, sizeof(*key)) == 0)
            return &map->entries[i];
    return NULL;
}

uint32_t device_map_bits(const struct device_map *map, const struct device_filter_key *key)
{
    const struct device_map_entry *entry = find(map, key);
    return entry ? entry->bits : 0;
}

int device_map_set(struct device_map *map, const struct device_filter_key *key, uint32_t bits)
{
    struct device_map_entry *entry = find(map, key);
    if (entry && bits)
        entry->bits = bits;
    else if (entry)
        *entry = map->entries[--map->count];
    if (entry || !bits)
        return 0;

    if (map->count == DEVICE_MAP_MAX)
        return -ENOSPC;
    entry = array_add(&map->entries, &map->count, sizeof(*entry));
    if (!entry)
        return -ENOMEM;
    *entry = (struct device_map_entry){.key = *key, .bits = bits};
    return 0;
}

static int write_entry(const struct device_map *map, int map_fd,
                       const struct device_filter_key *key)
{
    uint32_t bits = device_map_bits(map, key);
    if (bits)
        return bpf_map_update_elem(map_fd, key, &bits, BPF_ANY);
    int r = bpf_map_delete_elem(map_fd, key);
    return r == -ENOENT ? 0 : r;
}

int device_map_write(const struct device_map *map, const struct device_filter_key *key)
{
    _cleanup_close_ int map_fd = device_map_open(map);
    if (map_fd < 0) /* -ENOENT: no program is left that could ask it */
        return map_fd == -ENOENT ? 0 : map_fd;
    return write_entry(map, map_fd, key);
}

/* Ids of maps come again after two thousand millions, and are then somebody else's: hence the name.
 */
int device_map_open(const struct device_map *map)
{
    if (map->id == 0)
        return -ENOENT;
    struct bpf_map_info info = {0};
    uint32_t length = sizeof(info);
    _cleanup_close_ int fd = bpf_map_get_fd_by_id(map->id);
    int r = fd < 0 ? fd : bpf_obj_get_info_by_fd(fd, &info, &length);
    if (r < 0)
        return r;
    return streq(info.name, DEVICE_MAP_NAME) ? TAKE_FD(fd) : -ENOENT;
}

int device_map_new(struct device_map *map)
{
    LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
    _cleanup_close_ int fd =
        bpf_map_create(BPF_MAP_TYPE_HASH, DEVICE_MAP_NAME, sizeof(struct device_filter_key),
                       sizeof(uint32_t), DEVICE_MAP_MAX, &options);
    struct bpf_map_info info = {0};
    uint32_t length = sizeof(info);
    int r = fd < 0 ? fd : bpf_obj_get_info_by_fd(fd, &info, &length);
    for (size_t i = 0; r >= 0 && i < map->count; i++)
        r = write_entry(map, fd, &map->entries[i].key);
    if (r < 0)
        return r;
    map->id = info.id;
    return TAKE_FD(fd);
}

int device_map_load(struct device_map *map, int map_fd)
{
    struct device_filter_key key, last;
    int r = bpf_map_get_next_key(map_fd, NULL, &key);
    for (; r == 0; r = bpf_map_get_next_key(map_fd, &last, &key)) {
        uint32_t bits = 0;
        r = bpf_map_lookup_elem(map_fd, &key, &bits);
        if (r == 0)
            r = device_map_set(map, &key, bits);
        if (r < 0)
            return r;
        last = key;
    }
    return r == -ENOENT ? 0 : r;
}

int device_map_empty(int map_fd)
{
    struct device_filter_key key;
    int r;
    while ((r = bpf_map_get_next_key(map_fd, NULL, &key)) == 0) {
        r = bpf_map_delete_elem(map_fd, &key);
        if (r < 0 && r != -ENOENT)
            return r;
    }
    return r == -ENOENT ? 0 : r;
}

void device_map_done(struct device_map *map)
{
    free(map->entries);
    *map = (struct device_map){0};
}
