/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/host_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/file.h"

static void dir_close(DIR **directory)
{
    if (*directory)
        closedir(*directory);
}

static bool read_number(const char *path, struct devnum *ret)
{
    char text[32];
    if (file_read_at(AT_FDCWD, path, text, sizeof(text)) <= 0)
        return false;
    ret->kind = NODE_BLOCK;
    return sscanf(text, "%u:%u", &ret->major, &ret->minor) == 2;
}

/* Adds the disk at a sysfs directory, its whole disk, and what lies below it. */
static size_t add_disk(const char *sysfs, struct devnum *disks, size_t count)
{
    char path[PATH_MAX];
    struct devnum number;

    snprintf(path, sizeof(path), "%s/dev", sysfs);
    if (count == HOST_DISKS_MAX || !read_number(path, &number))
        return count;
    for (size_t i = 0; i < count; i++)
        if (devnum_equal(&disks[i], &number))
            return count;
    disks[count++] = number;

    snprintf(path, sizeof(path), "%s/partition", sysfs);
    if (access(path, F_OK) == 0) {
        snprintf(path, sizeof(path), "%s/..", sysfs);
        count = add_disk(path, disks, count);
    }
    snprintf(path, sizeof(path), "%s/slaves", sysfs);
    _cleanup_(dir_close) DIR *slaves = opendir(path);
    for (struct dirent *entry; slaves && (entry = readdir(slaves));) {
        char slave[PATH_MAX + NAME_MAX + 2];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(slave, sizeof(slave), "%s/%s", path, entry->d_name);
        if (strlen(slave) < sizeof(path) - 16)
            count = add_disk(slave, disks, count);
    }
    return count;
}

size_t host_disks_find(struct devnum disks[HOST_DISKS_MAX])
{
    struct stat root;
    char path[64], target[PATH_MAX];
    if (stat("/", &root) < 0)
        return 0;
    /* a file system with an anonymous number (btrfs, overlayfs) is not found this way */
    snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(root.st_dev), minor(root.st_dev));
    return realpath(path, target) ? add_disk(target, disks, 0) : 0;
}
