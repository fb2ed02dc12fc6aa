/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <libudev.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "kernel/sysfs.h"

DEFINE_CLEANUP(struct udev *, udev_unref)
DEFINE_CLEANUP(struct udev_enumerate *, udev_enumerate_unref)

/* Devpaths, sorted: a parent stands before its children. */
struct paths {
    char **items;
    size_t count;
};

static void paths_done(struct paths *paths)
{
    for (size_t i = 0; i < paths->count; i++)
        free(paths->items[i]);
    free(paths->items);
}

static int add(struct paths *paths, const char *path, size_t length)
{
    char *copy = strndup(path, length);
    char **slot = copy ? array_add(&paths->items, &paths->count, sizeof(*paths->items)) : NULL;
    if (!slot) {
        free(copy);
        return -ENOMEM;
    }
    *slot = copy;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

/* Sorts, and leaves one of each. */
static void put_in_order(struct paths *paths)
{
    size_t kept = 0;
    if (paths->count > 0)
        qsort(paths->items, paths->count, sizeof(*paths->items), compare);
    for (size_t i = 0; i < paths->count; i++)
        if (kept > 0 && streq(paths->items[kept - 1], paths->items[i]))
            free(paths->items[i]);
        else
            paths->items[kept++] = paths->items[i];
    paths->count = kept;
}

/* Whether a directory is a device, and not merely a folder for some ("/devices/virtual/mem"). */
static bool is_device(const char *devpath)
{
    char path[PATH_MAX];
    return snprintf(path, sizeof(path), "/sys%s/uevent", devpath) < (int)sizeof(path) &&
           access(path, F_OK) == 0;
}

/* All directories that stand above the devices. */
static int find_folders(const struct paths *devices, struct paths *ret)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < devices->count; i++) {
        const char *path = devices->items[i];
        for (const char *slash = strchr(path + 1, '/'); r == 0 && slash;) {
            const char *next = strchr(slash + 1, '/');
            if (next)
                r = add(ret, path, (size_t)(next - path));
            slash = next;
        }
    }
    put_in_order(ret);
    return r;
}

static int add_parents(struct paths *devices)
{
    _cleanup_(paths_done) struct paths folders = {0};
    int r = find_folders(devices, &folders);
    for (size_t i = 0; r == 0 && i < folders.count; i++)
        if (is_device(folders.items[i]))
            r = add(devices, folders.items[i], strlen(folders.items[i]));
    return r;
}

static int scan(struct paths *ret)
{
    _cleanup_(udev_unrefp) struct udev *udev = udev_new();
    _cleanup_(udev_enumerate_unrefp) struct udev_enumerate *enumerate =
        udev ? udev_enumerate_new(udev) : NULL;
    struct udev_list_entry *entry;
    if (!enumerate)
        return -ENOMEM;

    int r = udev_enumerate_scan_devices(enumerate);
    if (r < 0)
        return r;
    udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(enumerate))
    {
        const char *devpath = after_prefix(udev_list_entry_get_name(entry), "/sys");
        if (r >= 0 && devpath)
            r = add(ret, devpath, strlen(devpath));
    }
    return r < 0 ? r : 0;
}

int sysfs_enumerate(int (*on_devpath)(void *userdata, const char *devpath), void *userdata)
{
    _cleanup_(paths_done) struct paths paths = {0};
    int r = scan(&paths);
    if (r == 0)
        r = add_parents(&paths);
    put_in_order(&paths);
    for (size_t i = 0; r >= 0 && i < paths.count; i++)
        r = on_devpath(userdata, paths.items[i]);
    return r < 0 ? r : 0;
}
