/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The text of a `uevent` file is lines, and some values in it come out of the device's own
 * descriptors: a HID serial number with a newline in it writes lines of its own. The driver core
 * writes its fields first (linux/drivers/base/core.c, dev_uevent()), before bus, class and driver
 * add theirs, so those fields are believed only there: up to the first line that is none of them.
 * What decides about nodes is thus out of a device's reach.
 */

#include "model/device.h"

#include <errno.h>

#include "base/text.h"
#include "model/path.h"

/* dev_t has 12 bits of major and 20 of minor number: linux/include/linux/kdev_t.h. */
#define MAJOR_MAX 0xfffu
#define MINOR_MAX 0xfffffu

static bool is_one_of(const char *key, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (streq(key, keys[i]))
            return true;
    return false;
}

/* What the driver core writes, before anybody else. */
static bool is_core_key(const char *key)
{
    static const char *const keys[] = {"MAJOR",  "MINOR",  "DEVNAME", "DEVMODE",
                                       "DEVUID", "DEVGID", "DEVTYPE", "DRIVER"};
    return is_one_of(key, keys, ARRAY_SIZE(keys));
}

/* What never stands in the file, because it belongs to the device's place or to one event. */
static bool is_foreign_key(const char *key)
{
    static const char *const keys[] = {"ACTION", "DEVPATH", "SUBSYSTEM", "SEQNUM", "SYNTH_UUID"};
    return is_one_of(key, keys, ARRAY_SIZE(keys));
}

/* A line without its newline. `core` says that only core keys stood before; updated. 0 or -ENOMEM.
 */
static int take_line(struct device *device, const char *line, size_t length, bool *core)
{
    const char *equals = memchr(line, '=', length);
    size_t key_length = equals ? (size_t)(equals - line) : 0;

    if (!property_key_is_valid(line, key_length) || !text_is_clean(line, length)) {
        *core = false;
        return 0;
    }
    _cleanup_free_ char *key = strndup(line, key_length);
    _cleanup_free_ char *value = strndup(equals + 1, length - key_length - 1);
    if (!key || !value)
        return -ENOMEM;

    bool is_core = is_core_key(key);
    *core = *core && is_core;
    if (is_core != *core || is_foreign_key(key) || property_get(&device->properties, key))
        return 0;
    return property_set(&device->properties, key, value);
}

static int take_text(struct device *device, const char *text)
{
    bool core = true;

    while (*text) {
        size_t length = strcspn(text, "\n");
        int r = take_line(device, text, length, &core);
        if (r < 0)
            return r;
        text += length;
        text += *text == '\n';
    }
    return 0;
}

/* A property that is a decimal number up to `max`. Returns 1 and *ret, or 0. */
static int number_of(const struct device *device, const char *key, uint64_t max, uint64_t *ret)
{
    const char *value = property_get(&device->properties, key);
    return value && text_to_number(value, max, ret) > 0;
}

static int copy_property(const struct device *device, const char *key, char **ret)
{
    const char *value = property_get(&device->properties, key);
    if (!value)
        return 0;
    *ret = strdup(value);
    return *ret ? 0 : -ENOMEM;
}

/* A node has all three: number, name, and a name that stays below /dev. */
static int understand_node(struct device *device)
{
    const char *devname = property_get(&device->properties, "DEVNAME");
    const char *devmode = property_get(&device->properties, "DEVMODE");
    uint64_t major, minor, mode;

    device->devmode = -1;
    if (!devname || !path_is_plain(devname) || !number_of(device, "MAJOR", MAJOR_MAX, &major) ||
        !number_of(device, "MINOR", MINOR_MAX, &minor))
        return 0;
    device->number = (struct devnum){
        .kind = streq(device->subsystem, "block") ? NODE_BLOCK : NODE_CHARACTER,
        .major = (uint32_t)major,
        .minor = (uint32_t)minor,
    };
    if (devmode && text_to_octal(devmode, 07777, &mode) > 0)
        device->devmode = (int)mode;
    return copy_property(device, "DEVNAME", &device->devname);
}

static int understand(struct device *device)
{
    uint64_t ifindex;

    int r = understand_node(device);
    if (r < 0)
        return r;
    if (streq(device->subsystem, "net") && number_of(device, "IFINDEX", INT32_MAX, &ifindex))
        device->ifindex = (int)ifindex;
    return copy_property(device, "DEVTYPE", &device->devtype);
}

static int set_sysname(struct device *device)
{
    const char *tail = strrchr(device->devpath, '/') + 1;

    device->sysname = tail;
    if (!strchr(tail, '!'))
        return 0;
    device->sysname_storage = strdup(tail);
    if (!device->sysname_storage)
        return -ENOMEM;
    for (char *c = device->sysname_storage; *c; c++)
        if (*c == '!')
            *c = '/';
    device->sysname = device->sysname_storage;
    return 0;
}

static int set_identity(struct device *device, const char *devpath, const char *subsystem,
                        const char *driver)
{
    device->devpath = strdup(devpath);
    device->subsystem = strdup(subsystem ? subsystem : "");
    device->driver = driver ? strdup(driver) : NULL;
    if (!device->devpath || !device->subsystem || (driver && !device->driver))
        return -ENOMEM;

    int r = property_set(&device->properties, "DEVPATH", devpath);
    if (r == 0 && device->subsystem[0])
        r = property_set(&device->properties, "SUBSYSTEM", subsystem);
    return r < 0 ? r : set_sysname(device);
}

int device_new(const char *devpath, const char *subsystem, const char *driver,
               const char *uevent_text, uint64_t inode, const struct device_source *source,
               struct device **ret)
{
    if (!path_is_devpath(devpath))
        return -EINVAL;

    _cleanup_device_ struct device *device = calloc(1, sizeof(*device));
    if (!device)
        return -ENOMEM;
    device->inode = inode;
    device->source = source;
    int r = set_identity(device, devpath, subsystem, driver);
    if (r == 0)
        r = take_text(device, uevent_text);
    if (r == 0)
        r = understand(device);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(device);
    return 0;
}

void udev_view_done(struct udev_view *view)
{
    property_list_done(&view->properties);
    name_list_done(&view->tags);
    name_list_done(&view->links);
}

static int copy_names(struct name_list *list, const char *const *names)
{
    int r = 0;
    for (; r == 0 && names && *names; names++)
        r = name_list_add(list, *names);
    return r;
}

void device_take_udev(struct device *device, struct udev_view *view_take)
{
    udev_view_done(&device->udev);
    device->udev = *view_take;
    *view_take = (struct udev_view){0};
    device->initialised = true;
}

int device_set_udev(struct device *device, const struct property_list *properties,
                    const char *const *tags, const char *const *links)
{
    struct udev_view view = {0};
    int r = properties ? property_merge(&view.properties, properties) : 0;
    if (r == 0)
        r = copy_names(&view.tags, tags);
    if (r == 0)
        r = copy_names(&view.links, links);
    if (r < 0) {
        udev_view_done(&view);
        return r;
    }
    device_take_udev(device, &view);
    return 0;
}

void device_inherit(struct device *device, struct device *from)
{
    device->since = from->since;
    device->since_us = from->since_us;
    device->described = from->described;
    if (from->initialised)
        device_take_udev(device, &from->udev);
    from->initialised = false;
}

void device_free(struct device *device)
{
    if (!device)
        return;
    free(device->devpath);
    free(device->subsystem);
    free(device->devtype);
    free(device->driver);
    free(device->devname);
    free(device->sysname_storage);
    property_list_done(&device->properties);
    device_forget_attributes(device);
    udev_view_done(&device->udev);
    free(device);
}

const char *device_attribute(struct device *device, const char *name)
{
    _cleanup_free_ char *value = NULL;
    const struct device_source *source = device->source;
    const char *known = property_get(&device->attributes, name);

    if (known || property_get(&device->absent, name) || !source || !source->read_attribute)
        return known;

    int r = source->read_attribute(source->userdata, device, name, &value);
    if (r == 0)
        (void)property_set(&device->absent, name, ""); /* without it, it is only asked for again */
    if (r <= 0 || property_set(&device->attributes, name, value) < 0)
        return NULL;
    return property_get(&device->attributes, name);
}

void device_forget_attributes(struct device *device)
{
    property_list_done(&device->attributes);
    property_list_done(&device->absent);
}

struct device *device_parent(const struct device *device)
{
    const struct device_source *source = device->source;
    return source && source->parent ? source->parent(source->userdata, device) : NULL;
}

struct device *device_usb(struct device *device)
{
    while (device &&
           !(streq(device->subsystem, "usb") && streq_null(device->devtype, "usb_device")))
        device = device_parent(device);
    return device;
}

bool device_same(const struct device *a, const struct device *b)
{
    return a->inode == b->inode && streq(a->devpath, b->devpath);
}
