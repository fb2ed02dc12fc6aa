/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A tmpfs of ours on a directory, which nobody else sees change: the directory is bound on itself
 * and made private first, as its parent's mount may be shared (systemd makes / shared). It outlives
 * the process.
 */

#include "base/refusal.h"

/*
 * That of a predecessor. Returns a descriptor of its root, CLOEXEC; -ENOENT where nothing is
 * mounted on the directory that could be gone on with; or another negative errno and the reason.
 */
int private_tmpfs_find(const char *directory, struct refusal *why);

/* Mounts one. Returns a descriptor of its root, CLOEXEC, or a negative errno and the reason:
 * nothing is mounted then. */
int private_tmpfs_mount(const char *directory, struct refusal *why);

/* Takes it away. */
void private_tmpfs_unmount(const char *directory);

/*
 * Takes away whatever is mounted on the directory, one mount after the other; `on_mount` is shown
 * the root of each before. Returns 0, or a negative errno and the reason.
 */
int private_tmpfs_clear(const char *directory, void (*on_mount)(void *userdata, int root_fd),
                        void *userdata, struct refusal *why);
