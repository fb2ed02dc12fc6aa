/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * System calls for mounts and path look-ups that Debian 12's libc wraps only in part: open_tree(2),
 * move_mount(2), openat2(2). Each returns as the call does, with errno.
 */

#include <sys/types.h>

/* A detached copy of the mount of the single file behind `fd`: OPEN_TREE_CLONE | AT_EMPTY_PATH. */
int mount_clone_fd(int fd);

/* Attaches a detached mount over the file behind `target_fd`: both by descriptor, no path. */
int mount_attach(int tree_fd, int target_fd);

/*
 * Opens `path` (relative) below `dir_fd` without leaving it and without following any symbolic or
 * magic link: RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS. CLOEXEC.
 */
int open_beneath(int dir_fd, const char *path, int flags, mode_t mode);

/*
 * Opens `path` as a process would whose root directory is `root_fd`: symbolic links are followed,
 * but never out of it, magic links are not. RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS. CLOEXEC.
 */
int open_in_root(int root_fd, const char *path, int flags);

/*
 * Like open_beneath(), but only where the kernel has the whole path at hand: no file system is
 * asked, so that none can keep us waiting. RESOLVE_CACHED. EAGAIN: it is not at hand, or moved
 * meanwhile; EINVAL: the kernel is older than 5.12.
 */
int open_at_hand(int dir_fd, const char *path, int flags);
