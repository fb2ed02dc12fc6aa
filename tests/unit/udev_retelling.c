/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "udev_retelling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "model/udev_message.h"

struct property_list udev_retelling_decode(const struct udev_captures_message *message)
{
    struct property_list list = {0};
    struct refusal why = {0};
    if (udev_message_decode(message->bytes, message->size, &list, &why) < 0)
        fail_msg("%s: %s", message->scenario, why.text);
    return list;
}

/* Names between separators. */
struct name_list udev_retelling_split(const char *text, const char *separators)
{
    struct name_list names = {0};
    for (size_t length; text && *text; text += length + (text[length] != '\0')) {
        length = strcspn(text, separators);
        char *name = strndup(text, length);
        if (length > 0)
            assert_int_equal(name_list_add(&names, name), 0);
        free(name);
    }
    return names;
}

/* Which of a message's properties are the kernel's own: all that rules do not set. */
static bool is_of_kernel(const char *key)
{
    static const char *const of_rules[] = {"ID_",
                                           "SYSTEMD_",
                                           "SOUND_",
                                           ".",
                                           "TAGS",
                                           "CURRENT_TAGS",
                                           "DEVLINKS",
                                           "UDEV_DATABASE_VERSION",
                                           "USEC_INITIALIZED",
                                           "ACTION",
                                           "SEQNUM"};
    for (size_t i = 0; i < ARRAY_SIZE(of_rules); i++)
        if (after_prefix(key, of_rules[i]))
            return false;
    return true;
}

/* The kernel's event that udevd was told of. */
static void event_of(const struct property_list *said, struct uevent *ret)
{
    enum uevent_action action;
    assert_int_equal(uevent_action_parse(property_get(said, "ACTION"), &action), 1);
    assert_int_equal(uevent_init(ret, action, property_get(said, "DEVPATH")), 0);
    for (size_t i = 0; i < said->count; i++) {
        const char *key = said->items[i].key, *value = said->items[i].value;
        const char *below = streq(key, "DEVNAME") ? after_prefix(value, "/dev/") : NULL;
        if (is_of_kernel(key))
            assert_int_equal(uevent_set(ret, key, below ? below : value), 0);
    }
}

/* What sysfs says by then, as far as it must be known: the rest is in the event. */
static void sysfs_of(const struct property_list *said, char *out, size_t size)
{
    static const char *const keys[] = {"MAJOR", "MINOR", "DEVTYPE", "IFINDEX"};
    const char *devname = property_get(said, "DEVNAME");
    size_t used = 0;
    *out = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (property_get(said, keys[i]))
            used += (size_t)snprintf(out + used, size - used, "%s=%s\n", keys[i],
                                     property_get(said, keys[i]));
    if (devname)
        snprintf(out + used, size - used, "DEVNAME=%s\n", after_prefix(devname, "/dev/"));
}

struct device *udev_retelling_device(const struct property_list *said, const char *sysfs)
{
    struct device *device = NULL;
    struct udev_view view = {.tags = udev_retelling_split(property_get(said, "CURRENT_TAGS"), ":"),
                             .links = udev_retelling_split(property_get(said, "DEVLINKS"), " ")};
    for (size_t i = 0; i < said->count; i++)
        if (!streq(said->items[i].key, "ACTION") && !streq(said->items[i].key, "SEQNUM"))
            assert_int_equal(
                property_set(&view.properties, said->items[i].key, said->items[i].value), 0);
    assert_int_equal(device_new(property_get(said, "DEVPATH"), property_get(said, "SUBSYSTEM"),
                                NULL, sysfs, 1, NULL, &device),
                     0);
    device_take_udev(device, &view);
    return device;
}

/* Given as it is, with all of udev's links. */
struct udev_inside udev_retelling_inside(const struct property_list *said, const char *sysfs,
                                         const struct uevent *event)
{
    const struct share share = {.given = true, .mode = -1};
    _cleanup_device_ struct device *device = udev_retelling_device(said, sysfs);
    _cleanup_grant_ struct grant *grant = NULL;
    struct udev_inside inside = {0};
    struct refusal why = {0};
    if (grant_new(&share, device, &grant, &why) < 0)
        fail_msg("%s", why.text);
    const struct udev_inside_source source = {.device = device,
                                              .grant = grant,
                                              .links = &device->udev.links,
                                              .event = event,
                                              .now_us = 1};
    assert_int_equal(udev_inside_init(&source, &inside), 0);
    return inside;
}

struct property_list udev_retelling_tell(const struct property_list *said)
{
    struct property_list told = {0};
    char sysfs[512];
    struct uevent event;

    event_of(said, &event);
    sysfs_of(said, sysfs, sizeof(sysfs));
    struct udev_inside inside = udev_retelling_inside(said, sysfs, &event);
    uint64_t seqnum = strtoull(property_get(said, "SEQNUM"), NULL, 10);
    assert_int_equal(udev_inside_message(&inside, event.action, seqnum, &told), 0);
    udev_inside_done(&inside);
    return told;
}
