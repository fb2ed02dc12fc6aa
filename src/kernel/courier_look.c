/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/courier_verbs.h"

/*
 * What lies at a path, asked with O_PATH, which no driver hears of. Nothing here decides: that is
 * model/gate.h, in devolved, which knows what should lie there.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "kernel/mount_api.h"
#include "model/share.h"

/* By the ids and capabilities that count when files are opened. faccessat(3) of Debian 12 would
 * try to do without the system call. */
static int ask(int fd, int mode)
{
    return syscall(SYS_faccessat2, fd, "", mode, AT_EMPTY_PATH | AT_EACCESS) < 0 ? -errno : 0;
}

static int look_at(int fd, unsigned access, struct sight *sight)
{
    struct statx status;
    struct statfs mount;
    if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status) < 0 || fstatfs(fd, &mount) < 0)
        return -errno;
    sight->flags |= SIGHT_FOUND;
    if (status.stx_attributes & STATX_ATTR_MOUNT_ROOT)
        sight->flags |= SIGHT_MOUNT;
    if (mount.f_flags & ST_NODEV)
        sight->flags |= SIGHT_NODEV;
    sight->device = makedev(status.stx_dev_major, status.stx_dev_minor);
    sight->number = makedev(status.stx_rdev_major, status.stx_rdev_minor);
    sight->inode = status.stx_ino;
    sight->mode = status.stx_mode;
    sight->access = ask(fd, (access & ACCESS_READ ? R_OK : 0) | (access & ACCESS_WRITE ? W_OK : 0));
    return 0;
}

int courier_look(const struct courier_world *world, const struct courier_request *request,
                 struct courier_reply *reply, struct refusal *why)
{
    _cleanup_(courier_place_close) struct courier_place place = {0};
    struct sight *sight = &reply->sight;
    int r = courier_place_open(world, request->path, false, &place, why);
    if (r < 0)
        return r;
    if (place.open < place.wanted)
        return 0;
    sight->flags = SIGHT_DIRECTORY;
    int parent_fd = courier_place_parent(&place);
    if (parent_fd < 0) {
        sight->flags |= SIGHT_HOST;
        return 0;
    }
    sight->directory_access = ask(parent_fd, W_OK | X_OK);
    _cleanup_close_ int fd = open_beneath(parent_fd, place.name, O_PATH | O_NOFOLLOW, 0);
    if (fd < 0 && errno == ENOENT)
        return 0;
    r = fd < 0 ? -errno : look_at(fd, request->access, sight);
    return r < 0 ? refuse(why, -r, "%s inside cannot be looked at: %s", request->path,
                          strerrordesc_np(-r))
                 : 0;
}
