/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any text as an id map: what is accepted is written and read again the same, and both ways agree.
 */

#include <stdio.h>

#include "model/idmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* One id through the extent, from inside to the host and back. */
static void check_id(const struct idmap *map, const struct idmap_extent *extent, uint32_t offset)
{
    uint32_t host, inside;

    check(idmap_to_host(map, extent->inside + offset, &host) == 1);
    check(host == extent->host + offset && host != UINT32_MAX);
    check(idmap_to_inside(map, host, &inside) == 1);
    check(inside == extent->inside + offset);
}

static bool holds_inside(const struct idmap *map, uint32_t id)
{
    for (size_t i = 0; i < map->count; i++)
        if (id >= map->by_inside[i].inside &&
            id - map->by_inside[i].inside < map->by_inside[i].count)
            return true;
    return false;
}

static bool holds_host(const struct idmap *map, uint32_t id)
{
    for (size_t i = 0; i < map->count; i++)
        if (id >= map->by_inside[i].host && id - map->by_inside[i].host < map->by_inside[i].count)
            return true;
    return false;
}

static void check_lookups(const struct idmap *map)
{
    uint32_t id = 0;

    check(idmap_to_host(map, UINT32_MAX, &id) == 0 && idmap_to_inside(map, UINT32_MAX, &id) == 0);
    for (size_t i = 0; i < map->count; i++) {
        const struct idmap_extent *extent = &map->by_inside[i];
        check_id(map, extent, 0);
        check_id(map, extent, extent->count / 2);
        check_id(map, extent, extent->count - 1);

        /* just outside: mapped only if a neighbour says so */
        const uint32_t inside[] = {extent->inside - 1, extent->inside + extent->count};
        const uint32_t host[] = {extent->host - 1, extent->host + extent->count};
        for (size_t j = 0; j < 2; j++) {
            check(idmap_to_host(map, inside[j], &id) == holds_inside(map, inside[j]));
            check(idmap_to_inside(map, host[j], &id) == holds_host(map, host[j]));
        }
    }
}

static void check_round_trip(const struct idmap *map)
{
    static char text[IDMAP_EXTENTS_MAX * 33 + 1];
    struct idmap again;
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < map->count; i++) {
        const struct idmap_extent *extent = &map->by_host[i];
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%10u %10u %10u\n",
                                 extent->inside, extent->host, extent->count);
    }
    check(idmap_parse(&again, text, NULL) == 0 && again.count == map->count);
    if (map->count > 0) {
        check(memcmp(again.by_inside, map->by_inside, map->count * sizeof(*map->by_inside)) == 0);
        check(memcmp(again.by_host, map->by_host, map->count * sizeof(*map->by_host)) == 0);
    }
    idmap_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct idmap map;
    char *text = strndup((const char *)data, size);

    check(text != NULL);
    if (idmap_parse(&map, text, NULL) == 0) {
        check(map.count <= IDMAP_EXTENTS_MAX);
        check_lookups(&map);
        check_round_trip(&map);
        idmap_done(&map);
    }
    free(text);
    return 0;
}
