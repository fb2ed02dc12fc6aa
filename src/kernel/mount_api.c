/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/mount_api.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AT_HAND_TRIES 8  /* any mount or rename disturbs a look-up that must not wait */
#define IN_ROOT_TRIES 64 /* a rename anywhere disturbs the look-up of a "..": EAGAIN */

int mount_clone_fd(int fd)
{
    return open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
}

int mount_attach(int tree_fd, int target_fd)
{
    return move_mount(tree_fd, "", target_fd, "",
                      MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

static int open_resolved(int dir_fd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
    struct open_how how = {
        .flags = (unsigned)flags | O_CLOEXEC,
        .mode = flags & O_CREAT ? mode : 0,
        .resolve = resolve,
    };
    return (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
}

int open_beneath(int dir_fd, const char *path, int flags, mode_t mode)
{
    return open_resolved(dir_fd, path, flags, mode,
                         RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

int open_at_hand(int dir_fd, const char *path, int flags)
{
    int fd = -1;
    for (unsigned i = 0; i < AT_HAND_TRIES && fd < 0; i++) {
        fd = open_resolved(dir_fd, path, flags, 0,
                           RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
                               RESOLVE_CACHED);
        if (fd < 0 && errno != EAGAIN)
            break;
    }
    return fd;
}

int open_in_root(int root_fd, const char *path, int flags)
{
    int fd = -1;
    for (unsigned i = 0; i < IN_ROOT_TRIES && fd < 0; i++) {
        fd = open_resolved(root_fd, path, flags, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
        if (fd < 0 && errno != EAGAIN)
            break;
    }
    return fd;
}
