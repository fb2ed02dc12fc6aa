/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/device_places.h"

#include <errno.h>

#include "model/json_field.h"

int device_places_init(struct device_places *places, const char *directory)
{
    *places = (struct device_places){.directory = directory ? strdup(directory) : NULL};
    return directory && !places->directory ? -ENOMEM : 0;
}

struct device_place *device_places_find(const struct device_places *places, uint64_t group_id,
                                        uint32_t id)
{
    for (size_t i = 0; i < places->count; i++) {
        struct device_place *place = &places->items[i];
        if (place->id == id && (group_id == 0 || place->group_id == group_id))
            return place;
    }
    return NULL;
}

static void drop(struct device_places *places, size_t i)
{
    struct device_place *items = places->items;
    places->changes++;
    device_place_done(&items[i]);
    memmove(&items[i], &items[i + 1], (places->count - i - 1) * sizeof(*items));
    places->count--;
}

static void drop_superseded(struct device_places *places, uint64_t group_id, uint32_t newest_id)
{
    const struct device_place *newest = device_places_find(places, group_id, newest_id);
    for (size_t i = places->count; newest && i-- > 0;) {
        const struct device_place *place = &places->items[i];
        if (place == newest || place->group_id != group_id ||
            !device_place_is_superseded(place, &newest->original) ||
            device_place_drop(place, newest, places->directory) < 0)
            continue;
        drop(places, i);
        newest = device_places_find(places, group_id, newest_id);
    }
}

int device_places_take(struct device_places *places, const char *group, int group_fd,
                       uint32_t program_id, int map_fd, struct refusal *why)
{
    struct device_place *place = array_add(&places->items, &places->count, sizeof(*place));
    if (!place)
        return -ENOMEM;
    place->original_fd = -1;
    int r = device_place_take(group, group_fd, program_id, map_fd, places->directory, place, why);
    if (r < 0) {
        places->count--;
        return r;
    }
    places->changes++;
    drop_superseded(places, place->group_id, place->id);
    return 0;
}

int device_places_adopt(struct device_places *places, const char *group, int group_fd,
                        const struct device_program *program)
{
    struct device_place *place = array_add(&places->items, &places->count, sizeof(*place));
    int r =
        place ? device_place_adopt(group, group_fd, program, places->directory, place) : -ENOMEM;
    if (r < 0 && place)
        places->count--;
    return r;
}

void device_places_forget_lost(struct device_places *places, uint64_t group_id,
                               const struct device_attachments *now)
{
    for (size_t i = places->count; i-- > 0;) {
        const struct device_place *place = &places->items[i];
        if (place->group_id != group_id || device_attachments_have(now, place->id))
            continue;
        device_place_forget(place, places->directory);
        drop(places, i);
    }
}

void device_places_restore(struct device_places *places)
{
    for (size_t i = places->count; i-- > 0;) {
        device_place_restore(&places->items[i], places->directory);
        drop(places, i);
    }
}

void device_places_leave(struct device_places *places)
{
    while (places->count > 0)
        drop(places, places->count - 1);
}

void device_places_done(struct device_places *places)
{
    free(TAKE_PTR(places->items));
    free(TAKE_PTR(places->directory));
}

json_t *device_places_save(const struct device_places *places)
{
    json_t *array = json_array();
    for (size_t i = 0; i < places->count; i++) {
        struct json_writer writer = json_writer_new();
        json_write_text(&writer, "group", places->items[i].group);
        json_write_number(&writer, "group_id", places->items[i].group_id);
        json_append_take(&array, json_writer_take(&writer));
    }
    return array;
}
