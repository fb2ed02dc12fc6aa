/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/udev_record.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "model/path.h"

#define DATA_DIRECTORY "/run/udev/data/"
#define TAGS_DIRECTORY "/run/udev/tags/"

void udev_record_done(struct udev_record *record)
{
    name_list_done(&record->links);
    property_list_done(&record->properties);
    name_list_done(&record->tags);
    name_list_done(&record->current_tags);
    *record = (struct udev_record){0};
}

int udev_record_id(const struct device *device, char out[static UDEV_RECORD_ID_MAX])
{
    if (!*device->subsystem || streq(device->subsystem, "drivers"))
        return -EINVAL;
    if (device->number.kind != NODE_NONE && device->number.major > 0) {
        snprintf(out, UDEV_RECORD_ID_MAX, "%c%u:%u", device->number.kind == NODE_BLOCK ? 'b' : 'c',
                 device->number.major, device->number.minor);
        return 0;
    }
    if (device->ifindex > 0) {
        snprintf(out, UDEV_RECORD_ID_MAX, "n%d", device->ifindex);
        return 0;
    }

    /* not `sysname`, which shows '!' as '/' */
    const char *name = strrchr(device->devpath, '/') + 1;
    int length = snprintf(out, UDEV_RECORD_ID_MAX, "+%s:%s", device->subsystem, name);
    return length < UDEV_RECORD_ID_MAX ? 0 : -ENAMETOOLONG;
}

bool udev_record_tag_is_valid(const char *tag, size_t length)
{
    if (length == 0 || length > NAME_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = tag[i];
        bool word = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!word && c != '_' && c != '-')
            return false;
    }
    return true;
}

static bool is_tag(const char *tag)
{
    return udev_record_tag_is_valid(tag, strlen(tag));
}

static bool is_id(const char *id)
{
    size_t length = strlen(id);
    return length > 1 && length < UDEV_RECORD_ID_MAX && strchr("bcn+", *id) && !strchr(id, '/') &&
           text_is_clean(id, length);
}

int udev_record_path(const char *id, char out[static UDEV_RECORD_PATH_MAX])
{
    if (!is_id(id))
        return -EINVAL;
    snprintf(out, UDEV_RECORD_PATH_MAX, DATA_DIRECTORY "%s", id);
    return 0;
}

int udev_record_tag_path(const char *tag, const char *id, char out[static UDEV_RECORD_PATH_MAX])
{
    if (!is_tag(tag) || !is_id(id))
        return -EINVAL;
    snprintf(out, UDEV_RECORD_PATH_MAX, TAGS_DIRECTORY "%s/%s", tag, id);
    return 0;
}

static bool is_link_below_dev(const char *below)
{
    return path_is_plain(below) && text_is_clean(below, strlen(below));
}

static bool is_property(const char *key, size_t key_length, const char *value)
{
    return property_key_is_valid(key, key_length) && text_is_clean(value, strlen(value));
}

/* A text in the making; after the first error nothing more is written. */
struct writer {
    char *out;
    size_t size, used;
    int error; /* 0 or a negative errno */
};

static void write_line(struct writer *writer, bool is_sound, const char *format, ...)
    _printf_(3, 4);

static void write_line(struct writer *writer, bool is_sound, const char *format, ...)
{
    if (!is_sound && writer->error == 0)
        writer->error = -EINVAL;
    if (writer->error < 0)
        return;

    va_list arguments;
    va_start(arguments, format);
    size_t left = writer->size - writer->used;
    int length = vsnprintf(writer->out + writer->used, left, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= left)
        writer->error = -EMSGSIZE;
    else
        writer->used += (size_t)length;
}

static void write_links(struct writer *writer, const struct udev_record *record)
{
    for (size_t i = 0; i < record->links.count; i++) {
        const char *below = after_prefix(record->links.items[i], "/dev/");
        write_line(writer, below && is_link_below_dev(below), "S:%s\n", below ? below : "");
    }
    if (record->link_priority != 0)
        write_line(writer, true, "L:%d\n", record->link_priority);
}

static void write_properties(struct writer *writer, const struct property_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct property *property = &list->items[i];
        write_line(writer, is_property(property->key, strlen(property->key), property->value),
                   "E:%s=%s\n", property->key, property->value);
    }
}

static void write_tags(struct writer *writer, char mark, const struct name_list *tags)
{
    for (size_t i = 0; i < tags->count; i++)
        write_line(writer, is_tag(tags->items[i]), "%c:%s\n", mark, tags->items[i]);
}

int udev_record_print(const struct udev_record *record, char *out, size_t size)
{
    struct writer writer = {.out = out, .size = size};

    write_line(&writer, true, "%s", ""); /* a record of nothing is an empty text, if that fits */
    write_links(&writer, record);
    if (record->usec_initialised > 0)
        write_line(&writer, true, "I:%llu\n", (unsigned long long)record->usec_initialised);
    write_properties(&writer, &record->properties);
    write_tags(&writer, 'G', &record->tags);
    write_tags(&writer, 'Q', &record->current_tags);
    if (record->version > 0)
        write_line(&writer, true, "V:%u\n", record->version);
    return writer.error < 0 ? writer.error : (int)writer.used;
}

static int take_link(struct udev_record *record, const char *below)
{
    _cleanup_free_ char *link = NULL;
    if (!is_link_below_dev(below))
        return 0;
    if (asprintf(&link, "/dev/%s", below) < 0) {
        link = NULL; /* its content is undefined then */
        return -ENOMEM;
    }
    return name_list_add(&record->links, link);
}

static int take_property(struct udev_record *record, const char *text)
{
    const char *equals = strchr(text, '=');
    if (!equals || !is_property(text, (size_t)(equals - text), equals + 1))
        return 0;
    _cleanup_free_ char *key = strndup(text, (size_t)(equals - text));
    return key ? property_set(&record->properties, key, equals + 1) : -ENOMEM;
}

static void take_priority(struct udev_record *record, const char *text)
{
    uint64_t number;
    const char *digits = after_prefix(text, "-");
    if (text_to_number(digits ? digits : text, INT_MAX, &number) > 0)
        record->link_priority = digits ? -(int)number : (int)number;
}

static void take_version(struct udev_record *record, const char *text)
{
    uint64_t number;
    if (text_to_number(text, UINT32_MAX, &number) > 0)
        record->version = (uint32_t)number;
}

/* One line without its newline. Returns 0, also for what makes no sense, or -ENOMEM. */
static int take_line(struct udev_record *record, const char *line)
{
    if (!line[0] || line[1] != ':')
        return 0;
    const char *value = line + 2;
    switch (line[0]) {
    case 'S':
        return take_link(record, value);
    case 'L':
        take_priority(record, value);
        return 0;
    case 'I':
        (void)text_to_number(value, UINT64_MAX, &record->usec_initialised);
        return 0;
    case 'E':
        return take_property(record, value);
    case 'G':
        return is_tag(value) ? name_list_add(&record->tags, value) : 0;
    case 'Q':
        return is_tag(value) ? name_list_add(&record->current_tags, value) : 0;
    case 'V':
        take_version(record, value);
        return 0;
    default: /* 'W', the watch handle of udev before 248, and what is yet to come */
        return 0;
    }
}

int udev_record_parse(const char *text, size_t size, struct udev_record *ret)
{
    _cleanup_(udev_record_done) struct udev_record record = {0};

    while (size > 0) {
        const char *newline = memchr(text, '\n', size);
        size_t length = newline ? (size_t)(newline - text) : size;
        _cleanup_free_ char *line = strndup(text, length);
        if (!line)
            return -ENOMEM;
        int r = strlen(line) == length ? take_line(&record, line) : 0; /* no NUL in it */
        if (r < 0)
            return r;
        size -= length + (newline != NULL);
        text += length + (newline != NULL);
    }
    *ret = record;
    record = (struct udev_record){0};
    return 0;
}
