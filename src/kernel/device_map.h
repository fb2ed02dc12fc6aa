/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a container may use: a table of ours, and the BPF hash map that our programs ask
 * (device_filter.h). The table is the truth; a map lives only as long as a program uses it, and is
 * made anew from the table.
 */

#include "model/device_filter.h"

#define DEVICE_MAP_NAME "devolve_dev" /* as `bpftool map` shows it */
#define DEVICE_MAP_MAX 4096           /* devices of one container */

struct device_map_entry {
    struct device_filter_key key;
    uint32_t bits; /* BPF_DEVCG_ACC_*, not 0 */
};

struct device_map {
    uint32_t id; /* of the BPF map; 0: none yet */
    struct device_map_entry *entries;
    size_t count;
};

/* The bits of a device in the table, 0 where it has none. */
uint32_t device_map_bits(const struct device_map *map, const struct device_filter_key *key);

/* Sets them in the table; 0 takes the device out. Returns 0, -ENOSPC above the limit, or -ENOMEM.
 */
int device_map_set(struct device_map *map, const struct device_filter_key *key, uint32_t bits);

/* Writes what the table says of one device into the BPF map. Returns 0 also where there is no map.
 */
int device_map_write(const struct device_map *map, const struct device_filter_key *key);

/* A descriptor of the BPF map, -ENOENT where none lives, or another negative errno. */
int device_map_open(const struct device_map *map);

/* A new BPF map with all that is in the table. Returns its descriptor, or a negative errno. */
int device_map_new(struct device_map *map);

/* Takes what is in a BPF map into the table. Returns 0 or a negative errno. */
int device_map_load(struct device_map *map, int map_fd);

/* Takes everything out of a BPF map; the table stays as it is. */
int device_map_empty(int map_fd);

void device_map_done(struct device_map *map);
