/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/udev_database.h"

#include <errno.h>
#include <libudev.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

DEFINE_CLEANUP(struct udev *, udev_unref)
DEFINE_CLEANUP(struct udev_device *, udev_device_unref)

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

int udev_database_read(const struct device *device, struct udev_view *ret)
{
    char path[PATH_MAX];
    *ret = (struct udev_view){0};
    if (snprintf(path, sizeof(path), "/sys%s", device->devpath) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    _cleanup_(udev_unrefp) struct udev *udev = udev_new();
    if (!udev)
        return -errno;
    _cleanup_(udev_device_unrefp) struct udev_device *known =
        udev_device_new_from_syspath(udev, path);
    if (!known)
        return errno == ENOENT || errno == ENODEV ? 0 : -errno;
    if (udev_device_get_is_initialized(known) <= 0)
        return 0;
    int r = udev_database_view(known, ret);
    return r < 0 ? r : 1;
}
