/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/udev_database.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libudev.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "model/udev_record.h"

#define RECORD_TEXT_MAX 65536 /* bytes; no record that udevd could tell of comes near */

bool udev_database_is_served(void)
{
    return access("/run/udev/control", F_OK) == 0;
}

bool udev_database_is_settled(void)
{
    return access("/run/udev/queue", F_OK) < 0;
}

/* What belongs to one event and not to the device; its record does not have it either. */
static bool is_of_event(const char *key)
{
    static const char *const keys[] = {"ACTION", "SEQNUM", "DEVPATH_OLD", "SYNTH_UUID"};
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (streq(key, keys[i]))
            return true;
    return after_prefix(key, "SYNTH_ARG_");
}

static int copy_properties(struct udev_list_entry *first, struct property_list *list)
{
    struct udev_list_entry *entry;
    int r = 0;
    udev_list_entry_foreach(entry, first)
    {
        const char *key = udev_list_entry_get_name(entry);
        const char *value = udev_list_entry_get_value(entry);
        if (r == 0 && value && property_key_is_valid(key, strlen(key)) && !is_of_event(key))
            r = property_set(list, key, value);
    }
    return r;
}

static int copy_names(struct udev_list_entry *first, struct name_list *list)
{
    struct udev_list_entry *entry;
    int r = 0;
    udev_list_entry_foreach(entry, first)
    {
        if (r == 0)
            r = name_list_add(list, udev_list_entry_get_name(entry));
    }
    return r;
}

int udev_database_view(struct udev_device *said, struct udev_view *ret)
{
    *ret = (struct udev_view){0};
    int r = copy_properties(udev_device_get_properties_list_entry(said), &ret->properties);
    if (r == 0)
        r = copy_names(udev_device_get_current_tags_list_entry(said), &ret->tags);
    if (r == 0)
        r = copy_names(udev_device_get_devlinks_list_entry(said), &ret->links);
    if (r < 0)
        udev_view_done(ret);
    return r;
}

/* "PREFIX name SEPARATOR name ... SUFFIX" as a property, where there are names. */
static int set_names(struct property_list *list, const char *key, const char *around,
                     const char *between, const struct name_list *names)
{
    _cleanup_free_ char *value = strdup(around);
    for (size_t i = 0; i < names->count && value; i++) {
        char *longer;
        if (asprintf(&longer, "%s%s%s", value, i ? between : "", names->items[i]) < 0)
            longer = NULL;
        free(value);
        value = longer;
    }
    if (!value || names->count == 0)
        return value ? 0 : -ENOMEM;
    _cleanup_free_ char *whole = NULL;
    if (asprintf(&whole, "%s%s", value, around) < 0)
        return -ENOMEM;
    return property_set(list, key, whole);
}

/* What libudev makes properties of, beside the record's own. */
static int add_made_properties(const struct udev_record *record, struct property_list *list)
{
    char number[24];
    (void)snprintf(number, sizeof(number), "%" PRIu64, record->usec_initialised);
    int r = record->usec_initialised ? property_set(list, "USEC_INITIALIZED", number) : 0;
    if (r == 0)
        r = set_names(list, "DEVLINKS", "", " ", &record->links);
    if (r == 0)
        r = set_names(list, "TAGS", ":", ":", &record->tags);
    return r < 0 ? r : set_names(list, "CURRENT_TAGS", ":", ":", &record->current_tags);
}

/* Before udev 247 a tag was one for ever. */
static struct name_list *tags_of(struct udev_record *record)
{
    return record->version > 0 ? &record->current_tags : &record->tags;
}

static int view_of(struct udev_record *record, struct udev_view *ret)
{
    int r = add_made_properties(record, &record->properties);
    if (r < 0)
        return r;
    struct name_list *tags = tags_of(record);
    *ret =
        (struct udev_view){.properties = record->properties, .tags = *tags, .links = record->links};
    record->properties = (struct property_list){0};
    *tags = record->links = (struct name_list){0};
    return 0;
}

int udev_database_read(const struct device *device, struct udev_view *ret)
{
    char id[UDEV_RECORD_ID_MAX], path[UDEV_RECORD_PATH_MAX], text[RECORD_TEXT_MAX];
    _cleanup_(udev_record_done) struct udev_record record = {0};
    *ret = (struct udev_view){0};

    if (udev_record_id(device, id) < 0 || udev_record_path(id, path) < 0)
        return 0; /* udev has none of it either */
    ssize_t length = file_read_at(AT_FDCWD, path, text, sizeof(text));
    if (length < 0)
        return length == -ENOENT ? 0 : (int)length;
    int r = udev_record_parse(text, (size_t)length, &record);
    if (r == 0)
        r = view_of(&record, ret);
    return r < 0 ? r : 1;
}
