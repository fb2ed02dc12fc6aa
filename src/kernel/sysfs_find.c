/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libudev.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "kernel/sysfs.h"

/* The device that a person means: sysfs_find_device(), one function for each way of naming one. */

DEFINE_CLEANUP(struct udev *, udev_unref)
DEFINE_CLEANUP(struct udev_enumerate *, udev_enumerate_unref)
DEFINE_CLEANUP(struct udev_device *, udev_device_unref)

#define USB_ID_DIGITS 4

struct usb_name {
    char vendor[USB_ID_DIGITS + 1]; /* in lower case, as sysfs has them */
    char product[USB_ID_DIGITS + 1];
    const char *serial; /* or NULL: any */
};

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

/* Four hexadecimal digits. Returns what follows them, or NULL. */
static const char *parse_usb_id(const char *text, char id[static USB_ID_DIGITS + 1])
{
    for (size_t i = 0; i < USB_ID_DIGITS; i++) {
        if (!isxdigit((unsigned char)text[i]))
            return NULL;
        id[i] = (char)tolower((unsigned char)text[i]);
    }
    id[USB_ID_DIGITS] = '\0';
    return text + USB_ID_DIGITS;
}

/* "usb:VID:PID[:SERIAL]", for "usb:1-2" and the interface "usb:1-2:1.0" are sysnames. */
static bool parse_usb_name(const char *name, struct usb_name *ret)
{
    const char *at = after_prefix(name, "usb:");
    at = at ? parse_usb_id(at, ret->vendor) : NULL;
    at = at && *at == ':' ? parse_usb_id(at + 1, ret->product) : NULL;
    if (!at || (*at != '\0' && *at != ':'))
        return false;
    ret->serial = *at == ':' ? at + 1 : NULL;
    return true;
}

static bool usb_name_fits(const struct usb_name *name, struct udev_device *device)
{
    const char *vendor = udev_device_get_sysattr_value(device, "idVendor");
    const char *product = udev_device_get_sysattr_value(device, "idProduct");
    const char *serial = udev_device_get_sysattr_value(device, "serial");
    return streq_null(vendor, name->vendor) && streq_null(product, name->product) &&
           (!name->serial || streq_null(serial, name->serial));
}

static int find_usb_device(struct udev *udev, const struct usb_name *name, char **ret)
{
    _cleanup_(udev_enumerate_unrefp) struct udev_enumerate *enumerate = udev_enumerate_new(udev);
    if (!enumerate)
        return -ENOMEM;
    int r = udev_enumerate_add_match_subsystem(enumerate, "usb");
    if (r >= 0)
        r = udev_enumerate_scan_devices(enumerate);
    if (r < 0)
        return r;

    for (struct udev_list_entry *entry = udev_enumerate_get_list_entry(enumerate); entry;
         entry = udev_list_entry_get_next(entry)) {
        const char *path = udev_list_entry_get_name(entry);
        _cleanup_(udev_device_unrefp) struct udev_device *device =
            udev_device_new_from_syspath(udev, path);
        if (device && usb_name_fits(name, device))
            return devpath_of(path, ret);
    }
    return -ENODEV;
}

static int find_by_usb_name(const struct usb_name *name, char **ret, struct refusal *why)
{
    _cleanup_(udev_unrefp) struct udev *udev = udev_new();
    int r = udev ? find_usb_device(udev, name, ret) : -ENOMEM;
    if (r == -ENODEV)
        return refuse(why, ENODEV, "no USB device %s:%s%s%s is plugged in", name->vendor,
                      name->product, name->serial ? " with serial " : "",
                      name->serial ? name->serial : "");
    return r < 0 ? refuse(why, -r, "cannot look for USB devices: %s", strerror(-r)) : 0;
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
    if (parse_usb_name(name, &usb))
        return find_by_usb_name(&usb, ret, why);

    size_t subsystem = strcspn(name, ":/");
    if (subsystem > 0 && name[subsystem] == ':' && name[subsystem + 1])
        return find_by_sysname(name, ret, why);
    return refuse(why, EINVAL,
                  "%s: not a device; write a /dev or /sys path, SUBSYSTEM:SYSNAME or "
                  "usb:VID:PID[:SERIAL]",
                  name);
}
