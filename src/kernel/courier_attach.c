/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/courier_verbs.h"

/*
 * Under the mount there must be something to mount on. A placeholder of ours is `c 0:0`, so that
 * readdir calls it a character device as long as the mount is there; the kernel lets nobody but the
 * host's root make a block node, of whatever number, so it stands for those too. overlayfs keeps c
 * 0:0 to itself: there it is an empty regular file whose only mode bit is the sticky bit, by which
 * we know it again.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "kernel/mount_api.h"

#define TRIES 16 /* of a look that the container disturbed; layers of mounts at one name */

/* What lies at a name. */
struct target {
    int fd; /* O_PATH; -1: nothing */
    struct stat st;
    bool mount_root;
};

static int target_look(int parent_fd, const char *name, struct target *ret)
{
    struct statx stx;
    *ret = (struct target){.fd = open_beneath(parent_fd, name, O_PATH, 0)};
    if (ret->fd < 0)
        return -errno;
    if (fstat(ret->fd, &ret->st) < 0 || statx(ret->fd, "", AT_EMPTY_PATH, STATX_TYPE, &stx) < 0) {
        int error = errno;
        ret->fd = fd_close(ret->fd);
        return -error;
    }
    ret->mount_root = stx.stx_attributes & STATX_ATTR_MOUNT_ROOT;
    return 0;
}

static void target_done(struct target *target)
{
    target->fd = fd_close(target->fd);
}

static bool target_is_ours(const struct target *target, const struct courier_request *request)
{
    return target->st.st_dev == request->device && target->st.st_ino == request->inode;
}

static bool target_is_device(const struct target *target)
{
    return S_ISCHR(target->st.st_mode) || S_ISBLK(target->st.st_mode);
}

static bool target_is_placeholder(const struct target *target)
{
    const struct stat *st = &target->st;
    if (target->mount_root)
        return false;
    if (S_ISCHR(st->st_mode))
        return st->st_rdev == 0;
    return S_ISREG(st->st_mode) && st->st_size == 0 && (st->st_mode & 07777) == S_ISVTX;
}

/* A node that was revoked and never detached: the daemon was killed in between. */
static bool target_is_dead_node(const struct target *target)
{
    return target->mount_root && target_is_device(target) && (target->st.st_mode & 07777) == 0;
}

static int placeholder_make(int parent_fd, const char *name)
{
    if (mknodat(parent_fd, name, S_IFCHR, 0) == 0 || errno == EEXIST)
        return 0;
    if (mknodat(parent_fd, name, S_IFREG | S_ISVTX, 0) == 0 || errno == EEXIST)
        return 0;
    return -errno;
}

static void placeholder_remove(int parent_fd, const char *name)
{
    _cleanup_(target_done) struct target target = {.fd = -1};
    if (target_look(parent_fd, name, &target) == 0 && target_is_placeholder(&target))
        (void)unlinkat(parent_fd, name, 0);
}

/*
 * umount(2) takes a path only: the directory becomes ours for the moment, the name is below it.
 * What somebody mounts over the name in that moment is the container's own.
 */
static int unmount_name(const struct courier_world *world, int parent_fd, const char *name)
{
    if (fchdir(parent_fd) < 0)
        return -errno;
    int r = umount2(name, UMOUNT_NOFOLLOW | MNT_DETACH) < 0 ? -errno : 0;
    if (fchdir(world->root_fd) < 0)
        return -errno;
    return r == -EINVAL || r == -ENOENT ? 0 : r;
}

static int refuse_target(const struct courier_request *request, const struct target *target,
                         struct refusal *why)
{
    const char *what = S_ISDIR(target->st.st_mode)   ? "directory"
                       : S_ISREG(target->st.st_mode) ? "regular file"
                       : S_ISLNK(target->st.st_mode) ? "symbolic link"
                                                     : "socket or pipe";
    return refuse(why, EEXIST, "a %s lies at %s inside", what, request->path);
}

static int refuse_errno(const struct courier_request *request, int error, const char *what,
                        struct refusal *why)
{
    if (error == ELOOP)
        return refuse(why, EEXIST, "a symbolic link lies at %s inside", request->path);
    return refuse(why, error, "%s inside cannot be %s: %s", request->path, what,
                  strerrordesc_np(error));
}

/*
 * One look at the name. Returns 1 when *target can be mounted on (or is our mount already), 0 when
 * something was changed and it is to be looked at again.
 */
static int prepare_once(const struct courier_place *place, const struct courier_request *request,
                        struct target *target, struct refusal *why)
{
    int parent_fd = courier_place_parent(place);
    int r = target_look(parent_fd, place->name, target);
    if (r == -ENOENT) {
        r = placeholder_make(parent_fd, place->name);
        return r < 0 ? refuse_errno(request, -r, "made", why) : 0;
    }
    if (r < 0)
        return refuse_errno(request, -r, "opened", why);
    if (target_is_ours(target, request) || target_is_placeholder(target))
        return 1;
    if (target_is_dead_node(target)) {
        r = unmount_name(place->world, parent_fd, place->name);
        return r < 0 ? refuse_errno(request, -r, "unmounted", why) : 0;
    }
    return target_is_device(target) ? 1 : refuse_target(request, target, why);
}

static int prepare(const struct courier_place *place, const struct courier_request *request,
                   struct target *ret, struct refusal *why)
{
    for (unsigned i = 0; i < TRIES; i++) {
        int r = prepare_once(place, request, ret, why);
        if (r > 0)
            return 0;
        target_done(ret);
        if (r < 0)
            return r;
    }
    return refuse(why, EAGAIN, "%s inside does not hold still", request->path);
}

/* Whether the path, walked anew, leads to our inode. */
static bool path_shows_ours(const struct courier_world *world,
                            const struct courier_request *request)
{
    _cleanup_(target_done) struct target target = {.fd = -1};
    return target_look(world->root_fd, request->path + 1, &target) == 0 &&
           target_is_ours(&target, request);
}

static void undo(const struct courier_place *place, const struct courier_request *request)
{
    int parent_fd = courier_place_parent(place);
    struct target target;
    if (target_look(parent_fd, place->name, &target) == 0 && target_is_ours(&target, request))
        (void)unmount_name(place->world, parent_fd, place->name);
    target_done(&target);
}

static int attach_to(const struct courier_place *place, const struct courier_request *request,
                     int tree_fd, struct target *target, struct refusal *why)
{
    if (mount_attach(tree_fd, target->fd) < 0)
        return refuse(why, errno, "the node cannot be mounted on %s inside: %s", request->path,
                      strerrordesc_np(errno));
    if (path_shows_ours(place->world, request))
        return 0;
    undo(place, request);
    return refuse(why, EAGAIN, "%s inside was exchanged while the node was attached",
                  request->path);
}

/* The mount that the lowest directory which is there is on; 0: not known. */
static uint64_t mount_of(const struct courier_place *place)
{
    struct statx stx;
    if (place->open == 0 ||
        statx(place->fds[place->open - 1], "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) < 0)
        return 0;
    return stx.stx_mask & STATX_MNT_ID ? stx.stx_mnt_id : 0;
}

int courier_attach(const struct courier_world *world, const struct courier_request *request,
                   int tree_fd, struct courier_reply *reply, struct refusal *why)
{
    _cleanup_(target_done) struct target target = {.fd = -1};
    _cleanup_(courier_place_close) struct courier_place place = {0};
    if (tree_fd < 0)
        return refuse(why, EBADF, "no mount came with the request");
    int r = courier_place_open(world, request->path, true, &place, why);
    if (r < 0)
        return r;

    bool placeholder = false;
    r = prepare(&place, request, &target, why);
    if (r >= 0) {
        /* Where it is mounted already, what is below cannot be seen; detaching looks again. */
        bool mounted = target_is_ours(&target, request);
        placeholder = mounted || target_is_placeholder(&target);
        r = mounted ? 0 : attach_to(&place, request, tree_fd, &target, why);
    }
    if (r < 0) {
        placeholder_remove(courier_place_parent(&place), place.name);
        courier_place_remove_made(&place, place.made);
        return r;
    }
    reply->placeholder = placeholder;
    reply->mount = mount_of(&place);
    reply->made_dirs = place.made;
    return 0;
}

/*
 * Unmounts our node as often as it is there. What lies below it then was there before us. Returns 1
 * where something else is there instead of ours, and hides it.
 */
static int unmount_ours(const struct courier_place *place, const struct courier_request *request,
                        struct refusal *why)
{
    int parent_fd = courier_place_parent(place);
    for (unsigned i = 0; i < TRIES; i++) {
        _cleanup_(target_done) struct target target = {.fd = -1};
        int r = target_look(parent_fd, place->name, &target);
        if (r < 0)
            return r == -ELOOP || r == -ENOENT ? 0 : refuse_errno(request, -r, "opened", why);
        if (!target_is_ours(&target, request))
            return i == 0 && target.mount_root;
        r = unmount_name(place->world, parent_fd, place->name);
        if (r < 0)
            return refuse_errno(request, -r, "unmounted", why);
    }
    return refuse(why, EAGAIN, "%s inside does not hold still", request->path);
}

/* Whether the path leads elsewhere now: over the directory of our node lies another mount. */
static bool is_hidden(const struct courier_place *place, const struct courier_request *request)
{
    uint64_t mount = mount_of(place);
    return request->mount && mount && mount != request->mount;
}

int courier_detach(const struct courier_world *world, const struct courier_request *request,
                   struct courier_reply *reply, struct refusal *why)
{
    _cleanup_(courier_place_close) struct courier_place place = {0};
    int r = courier_place_open(world, request->path, false, &place, why);
    /* The container put something else in the way: our mount is out of reach, its inode is dead. */
    if (r == -ELOOP || r == -ENOTDIR) {
        reply->shadowed = true;
        return 0;
    }
    if (r < 0)
        return r;
    int parent_fd = courier_place_parent(&place);
    reply->shadowed = is_hidden(&place, request);
    if (parent_fd >= 0) {
        r = unmount_ours(&place, request, why);
        if (r < 0)
            return r;
        if (request->placeholder)
            placeholder_remove(parent_fd, place.name);
    }
    reply->shadowed |= r > 0;
    courier_place_remove_made(&place, request->made_dirs);
    return 0;
}
