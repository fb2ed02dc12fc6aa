/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A device's strings are the attacker's: serials and names come out of descriptors and stand in the
 * middle of an otherwise honest message. So the fields that decide anything (structural_fields
 * below) are strict and refuse the message, and everything else is worth losing: it is dropped and
 * counted.
 *
 * The properties lie in `text` in the order of their offsets, without gaps. Each change keeps that.
 */

#include "model/uevent.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "model/path.h"
#include "model/property.h"

static const char *const action_names[] = {
    [UEVENT_ADD] = "add",   [UEVENT_REMOVE] = "remove", [UEVENT_CHANGE] = "change",
    [UEVENT_MOVE] = "move", [UEVENT_ONLINE] = "online", [UEVENT_OFFLINE] = "offline",
    [UEVENT_BIND] = "bind", [UEVENT_UNBIND] = "unbind",
};

const char *uevent_action_name(enum uevent_action action)
{
    assert((size_t)action < ARRAY_SIZE(action_names));
    return action_names[action];
}

int uevent_action_parse(const char *name, enum uevent_action *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(action_names); i++) {
        if (!streq(name, action_names[i]))
            continue;
        *ret = (enum uevent_action)i;
        return 1;
    }
    return 0;
}

static bool is_action(const char *value)
{
    enum uevent_action action;
    return uevent_action_parse(value, &action) > 0;
}

static bool is_subsystem(const char *value)
{
    return path_is_plain(value) && !strchr(value, '/');
}

static bool is_number(const char *value)
{
    uint64_t number;
    return text_to_number(value, UINT32_MAX, &number) > 0;
}

static bool is_long_number(const char *value)
{
    uint64_t number;
    return text_to_number(value, UINT64_MAX, &number) > 0;
}

struct structural_field {
    const char *key;
    bool (*is_valid)(const char *value);
    bool once; /* must be there, and not twice */
};

static const struct structural_field structural_fields[] = {
    {"ACTION", is_action, true},       {"DEVPATH", path_is_devpath, true},
    {"SUBSYSTEM", is_subsystem, true}, {"SEQNUM", is_long_number, false},
    {"MAJOR", is_number, false},       {"MINOR", is_number, false},
    {"DEVNAME", path_is_plain, false},
};

static bool has_key(const char *property, const char *key, size_t key_length)
{
    return strncmp(property, key, key_length) == 0 && property[key_length] == '=';
}

static const struct structural_field *find_structural(const char *property)
{
    for (size_t i = 0; i < ARRAY_SIZE(structural_fields); i++) {
        const struct structural_field *field = &structural_fields[i];
        if (has_key(property, field->key, strlen(field->key)))
            return field;
    }
    return NULL;
}

/* Length of the key of a "KEY=VALUE" that may be kept, or 0: no '=', odd key, odd bytes. */
static size_t checked_key_length(const char *property, size_t length)
{
    const char *equals = memchr(property, '=', length);
    size_t key_length = equals ? (size_t)(equals - property) : 0;
    if (!property_key_is_valid(property, key_length) || !text_is_clean(property, length))
        return 0;
    return key_length;
}

static int find_property(const struct uevent *event, const char *key, size_t key_length)
{
    for (int i = 0; i < event->property_count; i++)
        if (has_key(event->text + event->properties[i], key, key_length))
            return i;
    return -1;
}

/* Puts `size` bytes (with the NUL) behind the last property. There is room: the caller saw to it.
 */
static void append_property(struct uevent *event, const char *property, size_t size)
{
    assert(event->property_count < UEVENT_PROPERTIES_MAX);
    assert(event->length + size <= sizeof(event->text));
    memcpy(event->text + event->length, property, size);
    event->properties[event->property_count++] = event->length;
    event->length = (uint16_t)(event->length + size);
}

static void reset_event(struct uevent *event)
{
    event->action = UEVENT_ADD;
    event->synthetic = false;
    event->seqnum = 0;
    event->malformed = 0;
    event->property_count = 0;
    event->length = 0;
}

/* The fields beside the text that repeat what stands in it. */
static void update_fields(struct uevent *event)
{
    const char *action = uevent_get(event, "ACTION");
    const char *seqnum = uevent_get(event, "SEQNUM");

    if (action)
        (void)uevent_action_parse(action, &event->action);
    event->seqnum = 0;
    if (seqnum)
        (void)text_to_number(seqnum, UINT64_MAX, &event->seqnum);
    event->synthetic = uevent_get(event, "SYNTH_UUID") != NULL;
}

static int take_property(struct uevent *event, const char *property, size_t length,
                         struct refusal *why)
{
    const struct structural_field *field = find_structural(property);
    size_t key_length = checked_key_length(property, length);
    bool full = event->property_count == UEVENT_PROPERTIES_MAX;
    bool twice = key_length && find_property(event, property, key_length) >= 0;

    if (field && twice && field->once)
        return refuse(why, EBADMSG, "uevent has %s twice", field->key);
    if (field && !twice && (full || !key_length || !field->is_valid(property + key_length + 1)))
        return refuse(why, EBADMSG, "uevent has an impossible %s: %s", field->key, property);
    if (full || twice || !key_length) {
        event->malformed++;
        return 0;
    }
    append_property(event, property, length + 1);
    return 0;
}

/* All that must be there is there, and the header says the same. */
static int check_structure(const struct uevent *event, const char *header, struct refusal *why)
{
    for (size_t i = 0; i < ARRAY_SIZE(structural_fields); i++) {
        const struct structural_field *field = &structural_fields[i];
        if (field->once && !uevent_get(event, field->key))
            return refuse(why, EBADMSG, "uevent has no %s", field->key);
    }

    const char *at = after_prefix(header, uevent_get(event, "ACTION"));
    if (!at || *at != '@' || !streq(at + 1, uevent_get(event, "DEVPATH")))
        return refuse(why, EBADMSG, "uevent header differs from ACTION and DEVPATH: %s", header);
    return 0;
}

int uevent_parse(struct uevent *ret, const void *message, size_t size, struct refusal *why)
{
    const char *text = message;

    if (size == 0 || size > UEVENT_TEXT_MAX)
        return refuse(why, EBADMSG, "uevent of %zu bytes", size);
    if (text[size - 1] != '\0')
        return refuse(why, EBADMSG, "uevent does not end in NUL");

    reset_event(ret);
    for (size_t at = strlen(text) + 1; at < size;) {
        size_t length = strlen(text + at);
        int r = take_property(ret, text + at, length, why);
        if (r < 0)
            return r;
        at += length + 1;
    }
    update_fields(ret);
    return check_structure(ret, text, why);
}

int uevent_init(struct uevent *ret, enum uevent_action action, const char *devpath)
{
    reset_event(ret);
    int r = uevent_set(ret, "ACTION", uevent_action_name(action));
    assert(r == 0);
    r = uevent_set(ret, "DEVPATH", devpath);
    return r == -ENOSPC ? -ENAMETOOLONG : r;
}

const char *uevent_get(const struct uevent *event, const char *key)
{
    size_t key_length = strlen(key);
    int i = find_property(event, key, key_length);
    return i < 0 ? NULL : event->text + event->properties[i] + key_length + 1;
}

/* Replaces the `old_size` bytes of property `index` by `size` others and moves what is behind them.
 */
static void splice_property(struct uevent *event, int index, size_t old_size, const char *property,
                            size_t size)
{
    size_t start = event->properties[index], end = start + old_size;

    memmove(event->text + start + size, event->text + end, event->length - end);
    memcpy(event->text + start, property, size);
    for (int i = index + 1; i < event->property_count; i++)
        event->properties[i] = (uint16_t)(event->properties[i] - old_size + size);
    event->length = (uint16_t)(event->length - old_size + size);
}

/* "KEY=VALUE" of what may be set. Returns its size with the NUL, -EINVAL or -ENOSPC. */
static int compose_property(const char *key, const char *value, char out[static UEVENT_TEXT_MAX])
{
    size_t key_length = strlen(key), value_length = strlen(value);
    size_t size = key_length + value_length + 2;

    if (!property_key_is_valid(key, key_length) || !text_is_clean(value, value_length))
        return -EINVAL;
    if (size > UEVENT_TEXT_MAX)
        return -ENOSPC;
    snprintf(out, UEVENT_TEXT_MAX, "%s=%s", key, value);

    const struct structural_field *field = find_structural(out);
    return field && !field->is_valid(value) ? -EINVAL : (int)size;
}

int uevent_set(struct uevent *event, const char *key, const char *value)
{
    char property[UEVENT_TEXT_MAX]; /* apart from the event: the value may be one of its own */
    int size = compose_property(key, value, property);
    if (size < 0)
        return size;

    int i = find_property(event, key, strlen(key));
    size_t old_size = i < 0 ? 0 : strlen(event->text + event->properties[i]) + 1;
    if (event->length - old_size + (size_t)size > sizeof(event->text) ||
        (i < 0 && event->property_count == UEVENT_PROPERTIES_MAX))
        return -ENOSPC;
    if (i < 0)
        append_property(event, property, (size_t)size);
    else
        splice_property(event, i, old_size, property, (size_t)size);
    update_fields(event);
    return 0;
}

void uevent_unset(struct uevent *event, const char *key)
{
    assert(!streq(key, "ACTION") && !streq(key, "DEVPATH"));

    int i = find_property(event, key, strlen(key));
    if (i < 0)
        return;
    splice_property(event, i, strlen(event->text + event->properties[i]) + 1, "", 0);
    event->property_count--;
    memmove(&event->properties[i], &event->properties[i + 1],
            (size_t)(event->property_count - i) * sizeof(event->properties[0]));
    update_fields(event);
}

/* In which order properties go when a message is too long for injection: the first rank goes first.
 */
enum drop_rank {
    DROP_EXTRA,    /* whatever a driver or a rule had to add */
    DROP_MODALIAS, /* long, and nobody inside loads modules */
    DROP_KERNEL,   /* what clients use to tell the device, but can read from sysfs */
    DROP_NEVER,
    DROP_ALWAYS, /* SEQNUM: the kernel appends its own */
};

static const struct {
    const char *key;
    enum drop_rank rank;
} drop_ranks[] = {
    {"SEQNUM", DROP_ALWAYS},

    {"ACTION", DROP_NEVER},         {"DEVPATH", DROP_NEVER},      {"SUBSYSTEM", DROP_NEVER},
    {"MAJOR", DROP_NEVER},          {"MINOR", DROP_NEVER},        {"DEVNAME", DROP_NEVER},
    {"DEVTYPE", DROP_NEVER},        {"IFINDEX", DROP_NEVER},      {"INTERFACE", DROP_NEVER},

    {"SYNTH_UUID", DROP_KERNEL},    {"DEVPATH_OLD", DROP_KERNEL}, {"DEVMODE", DROP_KERNEL},
    {"DEVUID", DROP_KERNEL},        {"DEVGID", DROP_KERNEL},      {"DRIVER", DROP_KERNEL},
    {"PRODUCT", DROP_KERNEL},       {"TYPE", DROP_KERNEL},        {"BUSNUM", DROP_KERNEL},
    {"DEVNUM", DROP_KERNEL},        {"DISKSEQ", DROP_KERNEL},     {"PARTN", DROP_KERNEL},
    {"HID_ID", DROP_KERNEL},        {"PCI_ID", DROP_KERNEL},      {"PCI_CLASS", DROP_KERNEL},
    {"PCI_SLOT_NAME", DROP_KERNEL},

    {"MODALIAS", DROP_MODALIAS},
};

static enum drop_rank drop_rank(const char *property)
{
    for (size_t i = 0; i < ARRAY_SIZE(drop_ranks); i++)
        if (has_key(property, drop_ranks[i].key, strlen(drop_ranks[i].key)))
            return drop_ranks[i].rank;
    return DROP_EXTRA;
}

/* A message in the making: which properties stay, and how long it is with them. */
struct selection {
    const struct uevent *event;
    bool keep[UEVENT_PROPERTIES_MAX];
    size_t size;
    unsigned dropped;
};

static const char *selected(const struct selection *selection, int index)
{
    return selection->event->text + selection->event->properties[index];
}

static void select_all(struct selection *selection, size_t header_size)
{
    selection->size = header_size;
    for (int i = 0; i < selection->event->property_count; i++) {
        selection->keep[i] = drop_rank(selected(selection, i)) != DROP_ALWAYS;
        if (selection->keep[i])
            selection->size += strlen(selected(selection, i)) + 1;
    }
}

static void drop_until_fits(struct selection *selection, enum drop_rank rank, size_t size)
{
    for (int i = selection->event->property_count - 1; i >= 0 && selection->size > size; i--) {
        const char *property = selected(selection, i);
        if (drop_rank(property) != rank)
            continue;
        selection->keep[i] = false;
        selection->size -= strlen(property) + 1;
        selection->dropped++;
    }
}

static void write_selection(const struct selection *selection, char *out)
{
    for (int i = 0; i < selection->event->property_count; i++)
        if (selection->keep[i])
            out = stpcpy(out, selected(selection, i)) + 1;
}

int uevent_serialise(const struct uevent *event, char *out, size_t size, unsigned *ret_dropped)
{
    const char *action = uevent_get(event, "ACTION"), *devpath = uevent_get(event, "DEVPATH");
    struct selection selection = {.event = event};

    assert(action && devpath);
    size_t header_size = strlen(action) + strlen(devpath) + 2;
    select_all(&selection, header_size);
    for (enum drop_rank rank = DROP_EXTRA; rank < DROP_NEVER; rank++)
        drop_until_fits(&selection, rank, size);
    if (selection.size > size)
        return -E2BIG;

    snprintf(out, header_size, "%s@%s", action, devpath);
    write_selection(&selection, out + header_size);
    if (ret_dropped)
        *ret_dropped = selection.dropped;
    return (int)selection.size;
}
