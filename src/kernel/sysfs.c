/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "model/path.h"

/*
 * A device is a directory below /sys/devices with a file `uevent`. All of one answer is read
 * relative to one O_PATH descriptor of that directory: once the device is gone its descriptor finds
 * nothing more, so an answer never mixes two incarnations. The inode number tells incarnations
 * apart.
 */

#define SYSFS_ROOT "/sys"
#define ATTRIBUTE_MAX 65536 /* bytes: the largest page of an architecture, and so of sysfs */

static bool is_gone(int error)
{
    return error == ENOENT || error == ENODEV || error == ENOTDIR || error == ENXIO;
}

/* The whole of a file, up to its first NUL. Returns 0 and *ret, or a negative errno. */
static int read_text(int dir_fd, const char *name, char **ret)
{
    char text[ATTRIBUTE_MAX + 1];

    ssize_t length = file_read_at(dir_fd, name, text, sizeof(text));
    if (length < 0)
        return (int)length;
    char *copy = strdup(text);
    if (!copy)
        return -ENOMEM;
    *ret = copy;
    return 0;
}

/* Where a link leads to, its last component. Returns 1 and *ret, 0 where there is no link. */
static int read_link_name(int dir_fd, const char *name, char **ret)
{
    char target[PATH_MAX];

    ssize_t length = readlinkat(dir_fd, name, target, sizeof(target) - 1);
    if (length < 0)
        return errno == EINVAL || is_gone(errno) ? 0 : -errno;
    target[length] = '\0';

    const char *slash = strrchr(target, '/');
    char *copy = strdup(slash ? slash + 1 : target);
    if (!copy)
        return -ENOMEM;
    *ret = copy;
    return 1;
}

/* An O_PATH descriptor of the device's directory and its inode number, or a negative errno. */
static int open_directory(const char *devpath, uint64_t *ret_inode)
{
    char path[PATH_MAX];
    struct stat st;

    /* Drivers, buses and modules send uevents too, with a devpath elsewhere; they are no devices.
     */
    if (!after_prefix(devpath, "/devices/") || !path_is_devpath(devpath))
        return -ENOENT;
    if (snprintf(path, sizeof(path), SYSFS_ROOT "%s", devpath) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    _cleanup_close_ int fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    *ret_inode = st.st_ino;
    return TAKE_FD(fd);
}

/* The directory of this very incarnation: -ENODEV where another lies at its path by now. */
static int open_incarnation(const struct device *device)
{
    uint64_t inode = 0;
    _cleanup_close_ int fd = open_directory(device->devpath, &inode);
    if (fd < 0)
        return is_gone(-fd) ? -ENODEV : fd;
    return inode == device->inode ? TAKE_FD(fd) : -ENODEV;
}

int sysfs_read_device(const char *devpath, const struct device_source *source, struct device **ret)
{
    _cleanup_free_ char *uevent = NULL, *subsystem = NULL, *driver = NULL;
    uint64_t inode = 0;

    _cleanup_close_ int fd = open_directory(devpath, &inode);
    if (fd < 0)
        return is_gone(-fd) ? 0 : fd;
    int r = read_text(fd, "uevent", &uevent);
    if (r < 0)
        return is_gone(-r) ? 0 : r;
    r = read_link_name(fd, "subsystem", &subsystem);
    if (r >= 0)
        r = read_link_name(fd, "driver", &driver);
    if (r < 0)
        return r;

    r = device_new(devpath, subsystem, driver, uevent, inode, source, ret);
    return r < 0 ? r : 1;
}

/* Links whose target's name is a value; where others lead is nobody's business: sd-device. */
static bool is_core_link(const char *name)
{
    return streq(name, "driver") || streq(name, "module") || streq(name, "subsystem");
}

/* Goes up for each "../" that `*name` begins with, as far as /sys/devices. Takes `fd`; returns the
 * descriptor of the directory where the rest of the name lies, or a negative errno. */
static int climb(int fd_take, const char *devpath, const char **name)
{
    _cleanup_close_ int fd = fd_take;
    const char *rest = strchr(devpath + 1, '/'); /* behind "/devices" */
    size_t depth = rest ? 1 : 0;
    for (; rest && (rest = strchr(rest + 1, '/')); depth++)
        ;
    for (const char *below; (below = after_prefix(*name, "../")); *name = below) {
        if (depth-- == 0)
            return -ENOENT;
        int above = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (above < 0)
            return -errno;
        fd_close(fd);
        fd = above;
    }
    return path_stays_below(*name) ? TAKE_FD(fd) : -ENOENT;
}

/* A regular file, or a link if links are values here. Returns 1 and *ret, 0, or a negative errno.
 */
static int read_value(int dir_fd, const char *name, bool links, char **ret)
{
    struct stat st;
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    if (S_ISLNK(st.st_mode))
        return links ? read_link_name(dir_fd, name, ret) : 0;
    if (!S_ISREG(st.st_mode) || !(st.st_mode & S_IRUSR))
        return 0;
    int r = read_text(dir_fd, name, ret);
    return r < 0 ? r : 1;
}

/*
 * Up to a parent by "../" and then only downwards, though sysfs' own links are followed on the way:
 * a name that climbs elsewhere could leave sysfs, and reading there may have effects.
 */
int sysfs_read_attribute(void *userdata, const struct device *device, const char *name, char **ret)
{
    (void)userdata;
    _cleanup_free_ char *text = NULL;
    bool links = is_core_link(name);

    int own_fd = open_incarnation(device);
    if (own_fd < 0)
        return 0;
    _cleanup_close_ int fd = climb(own_fd, device->devpath, &name);
    if (fd < 0)
        return 0;
    int r = read_value(fd, name, links, &text);
    if (r <= 0)
        return r == -ENOMEM ? r : 0;

    size_t length = strlen(text);
    while (length > 0 && strchr("\n\r", text[length - 1]))
        text[--length] = '\0';
    *ret = TAKE_PTR(text);
    return 1;
}

int sysfs_lock_incarnation(const struct device *device)
{
    if (device->number.kind == NODE_NONE)
        return -ENOENT;
    _cleanup_close_ int fd = open_incarnation(device);
    if (fd < 0)
        return fd;
    int lock_fd = openat(fd, "dev", O_RDONLY | O_CLOEXEC);
    if (lock_fd < 0)
        return is_gone(errno) ? -ENODEV : -errno;
    return lock_fd;
}

int sysfs_incarnation_alive(int lock_fd)
{
    char number[32]; /* all of "4095:1048575\n": what is left over would be answered without a look
                      */
    ssize_t n;

    do
        n = pread(lock_fd, number, sizeof(number), 0);
    while (n < 0 && errno == EINTR);
    return n > 0;
}
