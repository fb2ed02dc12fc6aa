/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The notes of place_note.c, read again. */
#include "engine/saved_place.h"

#include <errno.h>
#include <limits.h>

#include "base/log.h"
#include "base/text.h"
#include "engine/kernel_door.h"
#include "engine/place.h"
#include "kernel/note_directory.h"
#include "kernel/state_file.h"
#include "model/json_field.h"

struct reading {
    struct kernel_door *door;
    int (*fn)(void *userdata, const struct saved_place *saved, struct refusal *why);
    void *userdata;
    int directory_fd; /* of the container that is being read */
    struct saved_place *saved;
};

/* Both halves of a note. Returns 0, or a negative errno and the reason. */
static int read_note(int directory_fd, const char *id, json_t **ret_engine, json_t **ret_door,
                     struct refusal *why)
{
    _cleanup_json_ json_t *file = NULL;
    int r = state_file_read(directory_fd, id, &file, why);
    if (r < 0)
        return r;
    json_t *engine = json_object_get(file, "engine"), *door = json_object_get(file, "door");
    if (!engine || !door)
        return refuse(why, EBADMSG, "it is no note of ours");
    *ret_engine = json_incref(engine);
    *ret_door = json_incref(door);
    return 0;
}

static int read_item(void *userdata, const char *id)
{
    struct reading *reading = userdata;
    struct saved_place *saved = reading->saved;
    struct refusal why;
    uint64_t number;
    if (text_to_number(id, INT64_MAX, &number) <= 0) {
        if (!streq(id, "container"))
            (void)note_directory_remove(reading->directory_fd, id);
        return 0;
    }
    struct saved_item *item = array_add(&saved->items, &saved->item_count, sizeof(*item));
    if (!item)
        return -ENOMEM;
    item->id = number;
    if (read_note(reading->directory_fd, id, &item->engine, &item->door, &why) < 0) {
        log_about(LOG_WARNING, saved->name, NULL,
                  "what was noted of one of its devices cannot be used, it is taken back: %s",
                  why.text);
        saved->item_count--;
        (void)note_directory_remove(reading->directory_fd, id);
    }
    return 0;
}

static int by_id(const void *a, const void *b)
{
    uint64_t first = ((const struct saved_item *)a)->id,
             second = ((const struct saved_item *)b)->id;
    return (first > second) - (first < second);
}

static bool is_alive(const struct reading *reading, const struct saved_place *saved,
                     const char *boot_id)
{
    return boot_id && streq(boot_id, reading->door->boot_id) && saved->pid > 0 &&
           saved->start_time > 0 && process_start_time(saved->pid) == saved->start_time;
}

/* Returns what it answers. */
static int tell(struct reading *reading, struct saved_place *saved, const char *root,
                struct refusal *why)
{
    /* in the order in which they were given; the first of two that claim one thing had it */
    reading->saved = saved;
    (void)note_directory_each(reading->directory_fd, read_item, reading);
    if (saved->item_count > 1)
        qsort(saved->items, saved->item_count, sizeof(*saved->items), by_id);
    saved->root = root && process_has_our_root(saved->pid) == 1 ? root : NULL;
    int r = reading->fn(reading->userdata, saved, why);
    for (size_t i = 0; i < saved->item_count; i++) {
        json_decref(saved->items[i].engine);
        json_decref(saved->items[i].door);
    }
    free(saved->items);
    return r;
}

/* Returns 0 where it was taken over; else its notes are of no use, and what they name is taken
 * back. */
static int read_place(struct reading *reading, const char *name, struct refusal *why)
{
    _cleanup_json_ json_t *engine = NULL, *door = NULL;
    int r = read_note(reading->directory_fd, "container", &engine, &door, why);
    if (r < 0)
        return r;
    struct json_reader reader = json_reader_of(door);
    _cleanup_free_ char *boot_id = json_read_text(&reader, "boot_id");
    _cleanup_free_ char *root = json_read_text(&reader, "root");
    struct saved_place saved = {
        .name = name,
        .pid = (pid_t)json_read_number(&reader, "pid", INT_MAX),
        .start_time = json_read_number(&reader, "start_time", INT64_MAX),
        .engine = engine,
        .door = door,
    };
    if (reader.error)
        return refuse(why, EBADMSG, "it is no note of ours");
    if (!is_alive(reading, &saved, boot_id)) {
        if (boot_id && streq(boot_id, reading->door->boot_id))
            cgroup_device_take_back(json_object_get(door, "gates"), reading->door->bpf);
        return refuse(why, ESRCH, "it has ended");
    }
    r = tell(reading, &saved, root, why);
    if (r < 0)
        cgroup_device_take_back(json_object_get(door, "gates"), reading->door->bpf);
    return r;
}

static int read_container(void *userdata, const char *name)
{
    struct reading *reading = userdata;
    struct refusal why = {.error = 0};
    reading->directory_fd = note_directory_enter(reading->door->notes_fd, name, false, &why);
    int r = reading->directory_fd < 0 ? reading->directory_fd : read_place(reading, name, &why);
    reading->directory_fd = fd_close(reading->directory_fd);
    if (r == 0)
        return 0;
    log_about(r == -ESRCH ? LOG_INFO : LOG_WARNING, name, NULL,
              "was registered before devolved was started, and is not now: %s", why.text);
    (void)note_directory_clear(reading->door->notes_fd, name);
    return 0;
}

void kernel_door_each_saved(struct kernel_door *door,
                            int (*fn)(void *userdata, const struct saved_place *saved,
                                      struct refusal *why),
                            void *userdata)
{
    struct reading reading = {.door = door, .fn = fn, .userdata = userdata, .directory_fd = -1};
    int r = *door->boot_id ? 0 : -ENODATA; /* or all would be of another boot */
    if (r == 0)
        r = note_directory_each(door->notes_fd, read_container, &reading);
    if (r < 0)
        log_line(LOG_ERR, "cannot read the notes on containers: %s", strerror(-r));
}

size_t kernel_door_sweep(struct kernel_door *door)
{
    return node_store_sweep(door->store);
}
