/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/private_tmpfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "base/util.h"
#include "kernel/mount_api.h"
#include "model/mount_line.h"

#define LAYERS 2          /* the bind mount and the tmpfs on it */
#define LEFTOVERS_MAX 16u /* mounts of others on the directory */

static int open_root(const char *directory, struct refusal *why)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? refuse(why, errno, "cannot open %s: %s", directory, strerror(errno)) : fd;
}

static bool is_mount_root(int fd)
{
    struct statx stx;
    return statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &stx) == 0 &&
           (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* Finds a mount in mountinfo by its id. Returns 1 private, 0 not so, or a negative errno. */
static int mount_is_private(uint64_t id)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    if (!file)
        return -errno;
    struct mount_line mount;
    char *line = NULL;
    size_t size = 0;
    int r = -ENOENT;
    while (r == -ENOENT && getline(&line, &size, file) >= 0)
        if (mount_line_parse(line, &mount) == 0 && mount.id == id)
            r = !mount.has_peers;
    free(line);
    fclose(file);
    return r;
}

static int check_private(const char *directory, int root_fd, struct refusal *why)
{
    struct statx stx;
    if (statx(root_fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) < 0)
        return refuse(why, errno, "cannot find the mount %s: %s", directory, strerror(errno));
    int r = mount_is_private(stx.stx_mnt_id);
    if (r < 0)
        return refuse(why, -r, "cannot find %s in mountinfo: %s", directory, strerror(-r));
    if (r == 0)
        return refuse(why, EPERM, "%s is not private: mounts of containers could reach it",
                      directory);
    return 0;
}

int private_tmpfs_find(const char *directory, struct refusal *why)
{
    struct statfs fs;
    struct stat st;
    _cleanup_close_ int fd = open_root(directory, why);
    if (fd < 0)
        return fd;
    if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
        return refuse(why, errno, "cannot look at %s: %s", directory, strerror(errno));
    bool ours = is_mount_root(fd) && fs.f_type == TMPFS_MAGIC && st.st_uid == geteuid() &&
                !(st.st_mode & 077) && check_private(directory, fd, NULL) == 0;
    return ours ? TAKE_FD(fd) : -ENOENT;
}

static int mount_tmpfs(const char *directory, struct refusal *why)
{
    if (mount("none", directory, "none", MS_PRIVATE, NULL) < 0)
        return refuse(why, errno, "cannot make %s private: %s", directory, strerror(errno));
    if (mount("devolve", directory, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0700,size=1m") < 0)
        return refuse(why, errno, "cannot mount a tmpfs on %s: %s", directory, strerror(errno));
    _cleanup_close_ int fd = open_root(directory, why);
    int r = fd < 0 ? fd : check_private(directory, fd, why);
    if (r < 0) {
        (void)umount2(directory, UMOUNT_NOFOLLOW | MNT_DETACH);
        return r;
    }
    return TAKE_FD(fd);
}

int private_tmpfs_mount(const char *directory, struct refusal *why)
{
    if (mount(directory, directory, "none", MS_BIND, NULL) < 0)
        return refuse(why, errno, "cannot bind %s on itself: %s", directory, strerror(errno));
    int fd = mount_tmpfs(directory, why);
    if (fd < 0)
        (void)umount2(directory, UMOUNT_NOFOLLOW | MNT_DETACH);
    return fd;
}

void private_tmpfs_unmount(const char *directory)
{
    for (unsigned i = 0; i < LAYERS; i++)
        (void)umount2(directory, UMOUNT_NOFOLLOW | MNT_DETACH);
}

int private_tmpfs_clear(const char *directory, void (*on_mount)(void *userdata, int root_fd),
                        void *userdata, struct refusal *why)
{
    for (unsigned i = 0; i < LEFTOVERS_MAX; i++) {
        _cleanup_close_ int fd = open_root(directory, why);
        if (fd < 0)
            return fd;
        if (!is_mount_root(fd))
            return 0;
        on_mount(userdata, fd);
        if (umount2(directory, UMOUNT_NOFOLLOW | MNT_DETACH) < 0)
            return refuse(why, errno, "cannot unmount the leftover %s: %s", directory,
                          strerror(errno));
    }
    return refuse(why, EBUSY, "%s has too many mounts over it", directory);
}
