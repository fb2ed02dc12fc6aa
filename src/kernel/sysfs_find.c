/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <libudev.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "kernel/sysfs.h"
#include "model/usb_name.h"

/* The device that a person means: sysfs_find_device(), one function for each way of naming one. */

DEFINE_CLEANUP(struct udev *, udev_unref)
DEFINE_CLEANUP(struct udev_enumerate *, udev_enumerate_unref)
DEFINE_CLEANUP(struct udev_device *, udev_device_unref)

/* The devpath of a path in /sys, links followed; -ENODEV where no device lies there. */
static int devpath_of(const char *path, char **ret)
{
    char uevent[PATH_MAX + sizeof("/uevent")];

    _cleanup_free_ char *real = realpath(path, NULL);
    if (!real)
        return errno == ENOENT || errno == ENOTDIR ? -ENODEV : -errno;
    if (!after_prefix(real, "/sys/devices/"))
        return -ENODEV;
    snprintf(uevent, sizeof(uevent), "%s/uevent", real);
    if (access(uevent, F_OK) < 0)
        return -ENODEV;

    char *devpath = strdup(real + strlen("/sys"));
    if (!devpath)
        return -ENOMEM;
    *ret = devpath;
    return 0;
}

/* What has no subsystem, such as /devices/pci0000:00, is a device to its children only. */
static bool has_subsystem(const char *devpath)
{
    char link[PATH_MAX];
    return snprintf(link, sizeof(link), "/sys%s/subsystem", devpath) < (int)sizeof(link) &&
           faccessat(AT_FDCWD, link, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int find_by_path(const char *path, char **ret, struct refusal *why)
{
    _cleanup_free_ char *devpath = NULL;
    int r = devpath_of(path, &devpath);
    if (r == -ENODEV)
        return refuse(why, ENODEV, "%s: no such device in sysfs", path);
    if (r < 0)
        return refuse(why, -r, "%s: %s", path, strerror(-r));
    if (!has_subsystem(devpath))
        return refuse(why, ENODEV,
                      "%s has no subsystem: it is a parent of devices, which KERNELS and ATTRS of "
                      "theirs find, and is given to nobody itself",
                      devpath);
    *ret = TAKE_PTR(devpath);
    return 0;
}

static int find_by_devpath(const char *devpath, char **ret, struct refusal *why)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "/sys%s", devpath) >= (int)sizeof(path))
        return refuse(why, ENAMETOOLONG, "%s: too long for a devpath", devpath);
    return find_by_path(path, ret, why);
}

static int find_by_node(const char *node, char **ret, struct refusal *why)
{
    char path[64];
    struct stat st;

    if (stat(node, &st) < 0)
        return refuse(why, errno, "%s: %m", node);
    bool block = S_ISBLK(st.st_mode);
    if (!block && !S_ISCHR(st.st_mode))
        return refuse(why, ENODEV, "%s is no device node", node);

    unsigned major_number = major(st.st_rdev), minor_number = minor(st.st_rdev);
    snprintf(path, sizeof(path), "/sys/dev/%s/%u:%u", block ? "block" : "char", major_number,
             minor_number);
    int r = devpath_of(path, ret);
    if (r < 0)
        return refuse(why, -r, "%s: there is no %s device %u:%u", node,
                      block ? "block" : "character", major_number, minor_number);
    return 0;
}

/* "SUBSYSTEM:SYSNAME"; a '/' in the kernel's name of a device is a '!' in sysfs. */
static int find_by_sysname(const char *name, char **ret, struct refusal *why)
{
    static const char *const places[][2] = {{"class", ""}, {"bus", "/devices"}};
    char path[PATH_MAX];

    const char *colon = strchr(name, ':');
    int length = (int)(colon - name);
    _cleanup_free_ char *sysname = strdup(colon + 1);
    if (!sysname)
        return refuse(why, ENOMEM, "no memory to look for %s", name);
    for (char *slash = sysname; (slash = strchr(slash, '/'));)
        *slash = '!';

    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        int used = snprintf(path, sizeof(path), "/sys/%s/%.*s%s/%s", places[i][0], length, name,
                            places[i][1], sysname);
        int r = used < (int)sizeof(path) ? devpath_of(path, ret) : -ENAMETOOLONG;
        if (r != -ENODEV)
            return r < 0 ? refuse(why, -r, "%s: %s", name, strerror(-r)) : 0;
    }
    return refuse(why, ENODEV, "%s: subsystem %.*s has no device of that name", name, length, name);
}

/* Takes note of a device that the name fits; *found is then the first of them. */
static int look_at_usb_device(struct udev_device *device, const struct usb_name *name,
                              struct usb_matches *matches, char **found)
{
    const struct usb_ids ids = {
        .sysname = udev_device_get_sysname(device),
        .vendor = udev_device_get_sysattr_value(device, "idVendor"),
        .product = udev_device_get_sysattr_value(device, "idProduct"),
        .serial = udev_device_get_sysattr_value(device, "serial"),
    };
    if (!usb_name_fits(name, &ids))
        return 0;
    int r = *found ? 0 : devpath_of(udev_device_get_syspath(device), found);
    if (r == 0)
        usb_matches_add(matches, &ids);
    return r == -ENODEV ? 0 : r; /* unplugged this moment */
}

static int look_for_usb_devices(struct udev *udev, const struct usb_name *name,
                                struct usb_matches *matches, char **found)
{
    _cleanup_(udev_enumerate_unrefp) struct udev_enumerate *enumerate = udev_enumerate_new(udev);
    if (!enumerate)
        return -ENOMEM;
    int r = udev_enumerate_add_match_subsystem(enumerate, "usb");
    if (r >= 0)
        r = udev_enumerate_scan_devices(enumerate);

    for (struct udev_list_entry *entry = r < 0 ? NULL : udev_enumerate_get_list_entry(enumerate);
         entry && r >= 0; entry = udev_list_entry_get_next(entry)) {
        _cleanup_(udev_device_unrefp) struct udev_device *device =
            udev_device_new_from_syspath(udev, udev_list_entry_get_name(entry));
        if (device)
            r = look_at_usb_device(device, name, matches, found);
    }
    return r;
}

static int find_by_usb_name(const struct usb_name *name, char **ret, struct refusal *why)
{
    _cleanup_(udev_unrefp) struct udev *udev = udev_new();
    _cleanup_free_ char *found = NULL;
    struct usb_matches matches = {.count = 0};
    int r = udev ? look_for_usb_devices(udev, name, &matches, &found) : -ENOMEM;
    if (r < 0)
        return refuse(why, -r, "cannot look for USB devices: %s", strerror(-r));
    r = usb_matches_judge(&matches, name, why);
    if (r == 0)
        *ret = TAKE_PTR(found);
    return r;
}

int sysfs_find_device(const char *name, char **ret, struct refusal *why)
{
    struct usb_name usb;

    if (after_prefix(name, "/dev/"))
        return find_by_node(name, ret, why);
    if (after_prefix(name, "/sys/"))
        return find_by_path(name, ret, why);
    if (after_prefix(name, "/devices/"))
        return find_by_devpath(name, ret, why);
    if (usb_name_parse(name, &usb))
        return find_by_usb_name(&usb, ret, why);

    size_t subsystem = strcspn(name, ":/");
    if (subsystem > 0 && name[subsystem] == ':' && name[subsystem + 1])
        return find_by_sysname(name, ret, why);
    return refuse(why, EINVAL,
                  "%s: not a device; write a /dev or /sys path, SUBSYSTEM:SYSNAME or "
                  "usb:VID:PID[:SERIAL]",
                  name);
}
