/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * udev's view holds everything in one list: what the kernel says in sysfs, what it said in one
 * event, and what udev's rules added, which alone goes into a record. What the kernel says is known
 * from elsewhere, so it is taken from there, as it is now, and the rest is the rules'.
 */

#include "model/udev_inside.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"

/* A name, or with a '*' at its end the beginning of one. */
static bool matches(const char *name, const char *pattern)
{
    size_t length = strlen(pattern);
    return pattern[length - 1] == '*' ? strncmp(name, pattern, length - 1) == 0
                                      : streq(name, pattern);
}

static bool matches_any(const char *name, const char *const patterns[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (matches(name, patterns[i]))
            return true;
    return false;
}

bool udev_inside_tag_is_host_only(const char *tag)
{
    static const char *const patterns[] = {
        "seat",    "master-of-seat", "uaccess", "xaccess-*", /* logind; xaccess since 260 */
        "systemd", "power-switch",                           /* units, buttons */
        "snap_*",                                            /* snapd's device cgroups */
    };
    return matches_any(tag, patterns, ARRAY_SIZE(patterns));
}

bool udev_inside_property_is_host_only(const char *key)
{
    static const char *const patterns[] = {
        "SYSTEMD_*",   "ID_SEAT",       "ID_FOR_SEAT",
        "ID_AUTOSEAT", "ID_PROCESSING", /* the host's udevd is at it */
        "DEVOLVE_*",
    };
    return matches_any(key, patterns, ARRAY_SIZE(patterns));
}

/* What the kernel, libudev or the event answers for; a record says it in other lines or not at all.
 */
static bool is_structural(const char *key)
{
    static const char *const patterns[] = {
        "ACTION",
        "SEQNUM",
        "DEVPATH",
        "DEVPATH_OLD",
        "SYNTH_*",
        "MAJOR",
        "MINOR",
        "SUBSYSTEM",
        "DEVTYPE",
        "DEVNAME",
        "DRIVER",
        "IFINDEX",
        "DEVMODE",
        "DEVUID",
        "DEVGID",
        "DISKSEQ",
        "PARTN",
        "USEC_INITIALIZED",
        "UDEV_DATABASE_VERSION",
        "TAGS",
        "DEVLINKS",
        "CURRENT_TAGS",
    };
    return matches_any(key, patterns, ARRAY_SIZE(patterns));
}

/* What drivers say in one event and sysfs never has. udev's view keeps it from the event it is of,
 * and a record that said so would go on saying it. */
static bool is_momentary(const char *key)
{
    static const char *const keys[] = {
        "DISK_MEDIA_CHANGE", "DISK_EJECT_REQUEST", "DISK_RO", "RESIZE",   /* block/ */
        "SDEV_UA",           "SDEV_MEDIA_CHANGE",                         /* drivers/scsi/ */
        "HOTPLUG",           "CONNECTOR",          "LEASE",   "PROPERTY", /* drivers/gpu/drm/ */
        "TRIGGER",                                                        /* drivers/leds/ */
        "COUNTRY",                                                        /* net/wireless/ */
    };
    return matches_any(key, keys, ARRAY_SIZE(keys));
}

/* The node's path inside, or NULL for a device that has none. */
static int node_inside(const struct udev_inside_source *source, char **ret)
{
    *ret = NULL;
    if (source->grant->node) {
        *ret = strdup(source->grant->node);
        return *ret ? 0 : -ENOMEM;
    }
    if (source->device->devname && asprintf(ret, "/dev/%s", source->device->devname) < 0) {
        *ret = NULL; /* undefined then */
        return -ENOMEM;
    }
    return 0;
}

static int set_number(struct property_list *list, const char *key, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRIu64, number);
    return property_set(list, key, text);
}

/* What moved into the container has another name there, and so another path. */
static int take_interface(struct property_list *kernel, const struct udev_inside_source *source)
{
    const char *name = source->grant->interface, *devpath = source->device->devpath;
    _cleanup_free_ char *moved = NULL;
    if (!name)
        return 0;
    if (asprintf(&moved, "%.*s/%s", (int)(strrchr(devpath, '/') - devpath), devpath, name) < 0) {
        moved = NULL; /* undefined then */
        return -ENOMEM;
    }
    int r = property_set(kernel, "DEVPATH", moved);
    if (r == 0)
        r = property_set(kernel, "INTERFACE", name);
    return r == 0 && source->ifindex ? set_number(kernel, "IFINDEX", (uint64_t)source->ifindex) : r;
}

static int take_kernel(struct udev_inside *inside, const struct udev_inside_source *source)
{
    _cleanup_free_ char *node = NULL;

    int r = property_merge(&inside->kernel, &source->device->properties);
    if (r == 0)
        r = take_interface(&inside->kernel, source);
    if (r == 0)
        r = node_inside(source, &node);
    return r == 0 && node ? property_set(&inside->kernel, "DEVNAME", node) : r;
}

/* What the event adds to what sysfs says. */
static int take_moment(struct udev_inside *inside, const struct udev_inside_source *source)
{
    const struct uevent *event = source->event;

    for (int i = 0; event && i < event->property_count; i++) {
        const char *text = event->text + event->properties[i], *equals = strchr(text, '=');
        _cleanup_free_ char *key = strndup(text, (size_t)(equals - text));
        if (!key)
            return -ENOMEM;
        if (streq(key, "ACTION") || streq(key, "SEQNUM") || property_get(&inside->kernel, key) ||
            property_get(&source->grant->env, key))
            continue;
        int r = property_set(&inside->moment, key, equals + 1);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Whether a record can have it: a dot begins the notes that rules leave for later rules, and a
 * device's strings, which go into values, must not cost it the whole message. */
static bool is_sound(const struct property *property)
{
    return *property->key != '.' && !is_structural(property->key) &&
           property_key_is_valid(property->key, strlen(property->key)) &&
           text_is_clean(property->value, strlen(property->value));
}

static bool is_of_rules(const struct udev_inside *inside, const char *key)
{
    return !udev_inside_property_is_host_only(key) && !is_momentary(key) &&
           !property_get(&inside->kernel, key) && !property_get(&inside->moment, key);
}

/* libudev makes /dev/NAME of what sysfs says; the property at least can be put right. */
static int take_renamed_node(struct udev_inside *inside, const struct udev_inside_source *source)
{
    const char *node = source->grant->node, *devname = source->device->devname;
    const char *below = node ? after_prefix(node, "/dev/") : NULL;
    if (!below || streq_null(below, devname))
        return 0;
    return property_set(&inside->record.properties, "DEVNAME", node);
}

static int take_rules(struct udev_inside *inside, const struct udev_inside_source *source)
{
    const struct property_list *said = &source->device->udev.properties;
    const struct property_list *env = &source->grant->env;
    struct property_list *found = &inside->record.properties;

    int r = take_renamed_node(inside, source);
    for (size_t i = 0; r == 0 && i < said->count; i++)
        if (is_sound(&said->items[i]) && is_of_rules(inside, said->items[i].key))
            r = property_set(found, said->items[i].key, said->items[i].value);
    for (size_t i = 0; r == 0 && i < env->count; i++)
        if (is_sound(&env->items[i]))
            r = property_set(found, env->items[i].key, env->items[i].value);
    return r;
}

static int take_tag(struct name_list *tags, const char *tag)
{
    bool kept = udev_record_tag_is_valid(tag, strlen(tag)) && !udev_inside_tag_is_host_only(tag);
    return kept ? name_list_add(tags, tag) : 0;
}

/* Of ":one:two:", which has the tags of all events. */
static int take_all_tags(struct name_list *tags, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, ":");
        _cleanup_free_ char *tag = strndup(text, length);
        int r = tag ? take_tag(tags, tag) : -ENOMEM;
        if (r < 0)
            return r;
        text += length + (text[length] != '\0');
    }
    return 0;
}

static int take_tags(struct udev_record *record, const struct udev_view *view)
{
    const char *all = property_get(&view->properties, "TAGS");
    int r = all ? take_all_tags(&record->tags, all) : 0;
    for (size_t i = 0; r == 0 && i < view->tags.count; i++) {
        r = take_tag(&record->current_tags, view->tags.items[i]);
        if (r == 0)
            r = take_tag(&record->tags, view->tags.items[i]);
    }
    return r;
}

/* A link with a blank in it would be two in DEVLINKS. */
static int take_link(struct udev_record *record, const char *link)
{
    return strpbrk(link, " \t") ? 0 : name_list_add(&record->links, link);
}

static int take_links(struct udev_record *record, const struct udev_inside_source *source)
{
    char *const *links = source->links ? source->links->items : source->grant->symlinks;
    size_t count = source->links ? source->links->count : source->grant->symlink_count;
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++)
        r = take_link(record, links[i]);
    return r;
}

static void take_time(struct udev_record *record, const struct udev_inside_source *source)
{
    const char *said = property_get(&source->device->udev.properties, "USEC_INITIALIZED");
    if (!said || text_to_number(said, UINT64_MAX, &record->usec_initialised) < 0)
        record->usec_initialised = source->now_us;
}

int udev_inside_init(const struct udev_inside_source *source, struct udev_inside *ret)
{
    _cleanup_(udev_inside_done) struct udev_inside inside = {0};

    inside.record.version = UDEV_RECORD_VERSION;
    take_time(&inside.record, source);
    int r = take_kernel(&inside, source);
    if (r == 0)
        r = take_moment(&inside, source);
    if (r == 0)
        r = take_rules(&inside, source);
    if (r == 0)
        r = take_tags(&inside.record, &source->device->udev);
    if (r == 0)
        r = take_links(&inside.record, source);
    if (r < 0)
        return r;
    *ret = inside;
    inside = (struct udev_inside){0};
    return 0;
}

void udev_inside_done(struct udev_inside *inside)
{
    property_list_done(&inside->kernel);
    property_list_done(&inside->moment);
    udev_record_done(&inside->record);
}

/* Names with a separator between them and, for tags, around them; none for none. */
static int set_names(struct property_list *list, const char *key, const struct name_list *names,
                     const char *separator, const char *around)
{
    size_t size = 2 * strlen(around) + 1;
    for (size_t i = 0; i < names->count; i++)
        size += strlen(names->items[i]) + strlen(separator);
    _cleanup_free_ char *text = malloc(size);
    if (!text)
        return -ENOMEM;

    char *end = stpcpy(text, around);
    for (size_t i = 0; i < names->count; i++)
        end = stpcpy(stpcpy(end, i > 0 ? separator : ""), names->items[i]);
    stpcpy(end, around);
    return names->count > 0 ? property_set(list, key, text) : 0;
}

int udev_inside_message(const struct udev_inside *inside, enum uevent_action action,
                        uint64_t seqnum, struct property_list *ret)
{
    _cleanup_(property_list_done) struct property_list list = {0};
    const struct udev_record *record = &inside->record;

    int r = set_number(&list, "UDEV_DATABASE_VERSION", record->version);
    if (r == 0)
        r = property_set(&list, "ACTION", uevent_action_name(action));
    if (r == 0)
        r = property_merge(&list, &inside->kernel);
    if (r == 0)
        r = property_merge(&list, &inside->moment);
    if (r == 0)
        r = set_number(&list, "SEQNUM", seqnum);
    if (r == 0)
        r = set_number(&list, "USEC_INITIALIZED", record->usec_initialised);
    if (r == 0)
        r = property_merge(&list, &record->properties);
    if (r == 0)
        r = set_names(&list, "DEVLINKS", &record->links, " ", "");
    if (r == 0)
        r = set_names(&list, "TAGS", &record->tags, ":", ":");
    if (r == 0)
        r = set_names(&list, "CURRENT_TAGS", &record->current_tags, ":", ":");
    if (r < 0)
        return r;
    *ret = list;
    list = (struct property_list){0};
    return 0;
}
