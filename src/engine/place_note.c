/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the door notes of places and items, for a successor: RUNTIME_DIR/containers/NAME has a file
 * "container", and one for each item, which are {"engine": what the engine wants to find again,
 * "door": what is here}. Everything else is in the kernel: the store, mounts, programs, groups.
 */
#include "engine/place.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "base/log.h"
#include "kernel/note_directory.h"
#include "kernel/state_file.h"
#include "model/json_field.h"

#define ID_MAX 24
#define DIRECTORIES_MAX 1024 /* that are taken over */

static const char *id_text(uint64_t id, char out[static ID_MAX])
{
    snprintf(out, ID_MAX, "%" PRIu64, id);
    return out;
}

static const char *id_of(const struct door_item *item, char out[static ID_MAX])
{
    return id_text(item->id, out);
}

/* --- the place --- */

static json_t *format_directories(const struct door_place *place)
{
    json_t *array = json_array();
    for (const struct made_path *made = place->directories; made; made = made->next)
        json_append_take(&array, json_string(made->path));
    return array;
}

static json_t *format_place(const struct door_place *place)
{
    if (!*place->door->boot_id)
        return NULL;
    struct json_writer writer = json_writer_new();
    json_write_text(&writer, "boot_id", place->door->boot_id);
    json_write_number(&writer, "pid", (uint64_t)place->namespaces.pid);
    json_write_number(&writer, "start_time", place->start_time);
    json_write_text(&writer, "root", place->root);
    json_write_take(&writer, "directories", format_directories(place));
    json_write_number(&writer, "udev_directories", place->udev_directories);
    json_write_flag(&writer, "usb", place->has_usb);
    json_write_number(&writer, "courier", (uint64_t)place->courier);
    json_write_number(&writer, "courier_start_time", place->courier_start_time);
    json_write_take(&writer, "gates", cgroup_device_save(place->gates));
    return json_writer_take(&writer);
}

static int write_note(int directory_fd, const char *id, json_t *engine, json_t *door_take,
                      struct refusal *why)
{
    _cleanup_json_ json_t *file =
        engine && door_take ? json_pack("{s:O, s:O}", "engine", engine, "door", door_take) : NULL;
    json_decref(door_take);
    return state_file_put(directory_fd, id, file, why);
}

static int write_place(struct door_place *place, struct refusal *why)
{
    place->changed = false;
    return write_note(place->notes_fd, "container", place->note, format_place(place), why);
}

int place_note(void *userdata, struct door_place *place, json_t *note_take, struct refusal *why)
{
    const struct kernel_door *door = userdata;
    json_decref(place->note);
    place->note = note_take;
    if (place->notes_fd < 0 && !place->resumed)
        (void)note_directory_clear(door->notes_fd, place->name); /* of another that had the name */
    if (place->notes_fd < 0)
        place->notes_fd = note_directory_enter(door->notes_fd, place->name, true, why);
    return place->notes_fd < 0 ? place->notes_fd : write_place(place, why);
}

void place_note_changes(struct door_place *place)
{
    struct refusal why;
    if (place->changed && place->note && write_place(place, &why) < 0)
        log_about(LOG_WARNING, place->name, NULL, "cannot be noted for a restart: %s", why.text);
}

void place_note_courier(void *userdata, pid_t pid)
{
    struct door_place *place = userdata;
    place->courier = pid;
    place->courier_start_time = process_start_time(pid);
    place->changed = true;
    place_note_changes(place);
}

static int load_directories(struct door_place *place, struct json_reader *reader)
{
    _cleanup_free_ char **paths = calloc(DIRECTORIES_MAX, sizeof(*paths));
    if (!paths)
        return -ENOMEM;
    size_t count = json_read_texts(reader, "directories", paths, DIRECTORIES_MAX);
    int r = 0;
    for (size_t i = 0; i < count; i++) {
        if (r == 0 && grant_path_is_sound(paths[i]))
            r = made_path_add(&place->directories, paths[i]);
        free(paths[i]);
    }
    return r;
}

int place_load(struct door_place *place, const json_t *saved)
{
    struct json_reader reader = json_reader_of(saved);
    int r = load_directories(place, &reader);
    place->udev_directories = (unsigned)json_read_number(&reader, "udev_directories", UINT32_MAX);
    place->swept = true; /* the records that are there are known */
    bool usb = json_read_flag(&reader, "usb");
    place->courier = (pid_t)json_read_number(&reader, "courier", INT_MAX);
    place->courier_start_time = json_read_number(&reader, "courier_start_time", INT64_MAX);
    if (r < 0 || reader.error)
        return r < 0 ? r : reader.error;
    if (usb)
        place_resume_usb(place);
    return 0;
}

void place_forget(struct door_place *place)
{
    if (place->notes_fd < 0)
        return;
    int r = note_directory_clear(place->door->notes_fd, place->name);
    if (r < 0)
        log_about(LOG_WARNING, place->name, NULL, "its notes cannot be removed: %s", strerror(-r));
}

/* --- an item --- */

static json_t *format_link(const struct made_path *link)
{
    struct json_writer writer = json_writer_new();
    json_write_text(&writer, "path", link->path);
    json_write_flag(&writer, "counted", link->counted);
    return json_writer_take(&writer);
}

static json_t *format_links(const struct door_item *item)
{
    json_t *array = json_array();
    for (const struct made_path *link = item->links; link; link = link->next)
        json_append_take(&array, format_link(link));
    return array;
}

static json_t *format_item(const struct door_item *item)
{
    struct json_writer writer = json_writer_new();
    json_write_flag(&writer, "attached", item->attached);
    json_write_flag(&writer, "counted", item->counted);
    json_write_flag(&writer, "placeholder", item->placeholder);
    json_write_number(&writer, "mount", item->mount);
    json_write_take(&writer, "links", format_links(item));
    if (item->home)
        json_write_take(&writer, "home", json_incref(item->home));
    return json_writer_take(&writer);
}

int item_note_changes(struct door_item *item, struct refusal *why)
{
    char id[ID_MAX];
    return write_note(item->place->notes_fd, id_of(item, id), item->note, format_item(item), why);
}

int item_note(void *userdata, struct door_place *place, struct door_item *item, json_t *note_take,
              struct refusal *why)
{
    (void)userdata;
    (void)place;
    json_decref(item->note);
    item->note = note_take;
    return item_note_changes(item, why);
}

static int load_link(struct door_item *item, const json_t *saved)
{
    struct json_reader reader = json_reader_of(saved);
    _cleanup_free_ char *path = json_read_text(&reader, "path");
    bool counted = json_read_flag(&reader, "counted");
    if (reader.error || !path || !grant_path_is_sound(path))
        return reader.error ? reader.error : -EBADMSG;
    int r = made_path_add(&item->links, path);
    if (r < 0)
        return r;
    made_path_find(item->links, path)->counted = counted;
    if (counted)
        place_enter_directories(item->place, path, 0);
    return 0;
}

int item_load(struct door_item *item, const json_t *saved)
{
    struct json_reader reader = json_reader_of(saved);
    const json_t *links = json_read_array(&reader, "links");
    item->attached = json_read_flag(&reader, "attached");
    item->counted = json_read_flag(&reader, "counted");
    item->placeholder = json_read_flag(&reader, "placeholder");
    item->mount = json_read_number(&reader, "mount", INT64_MAX);
    item->home = json_incref((json_t *)(uintptr_t)json_read_object(&reader, "home"));
    int r = reader.error;
    for (size_t i = 0; r == 0 && i < json_array_size(links); i++)
        r = load_link(item, json_array_get(links, i));
    return r;
}

void item_drop(void *userdata, struct door_place *place, uint64_t id)
{
    char text[ID_MAX];
    (void)userdata;
    node_store_skip(place->door->store, id);
    (void)note_directory_remove(place->notes_fd, id_text(id, text));
}

void item_forget(struct door_item *item)
{
    char id[ID_MAX];
    if (item->note)
        (void)note_directory_remove(item->place->notes_fd, id_of(item, id));
}
