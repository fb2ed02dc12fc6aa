/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A container, as the kernel knows it: a pidfd and namespace descriptors, taken once. pid numbers
 * are never trusted twice: everything that is read through /proc/PID is followed by a check that
 * the pidfd's process is still alive (PIDFD_GET_*_NAMESPACE needs 6.11).
 */

#include <sys/types.h>

#include "base/refusal.h"
#include "model/idmap.h"

enum netns_kind {
    NETNS_ISOLATED, /* owned by another user namespace: hears nothing but us */
    NETNS_NATIVE, /* owned by the initial user namespace: the kernel sends it every event itself */
    NETNS_HOST,   /* the host's own: the same, and never touched */
};

const char *netns_kind_name(enum netns_kind kind);

struct namespaces {
    pid_t pid;
    int pid_fd;  /* pidfd_open(2) */
    int user_fd; /* -1: the container has the host's user namespace */
    int mount_fd;
    int net_fd;
    int root_fd; /* O_PATH of the container's root directory */
    uint64_t net_inode;
    enum netns_kind net_kind;
    struct idmap uids, gids; /* identity where user_fd is -1 */
};

/*
 * Takes all of `pid`. `root` is NULL for /proc/PID/root, or an absolute path below it, inside the
 * container's mount namespace, where the container's root will be (OCI createRuntime). A process in
 * the host's own mount namespace whose root is the host's is refused: it is no container. Returns 0
 * and *ret (namespaces_close() it), or a negative errno and the reason: -ESRCH (no such process, or
 * it died meanwhile), -EINVAL (not a container, or not the leader of a thread group), ...
 */
int namespaces_open(pid_t pid, const char *root, struct namespaces *ret, struct refusal *why);

/* Closes what is open; *namespaces may be zero-initialised by NAMESPACES_EMPTY. */
void namespaces_close(struct namespaces *namespaces);
#define NAMESPACES_EMPTY                                                                           \
    {                                                                                              \
        .pid_fd = -1, .user_fd = -1, .mount_fd = -1, .net_fd = -1, .root_fd = -1                   \
    }

/*
 * Whether root inside can have CAP_DAC_OVERRIDE: it is in the bounding set of the container's init,
 * capabilities(7). Returns 1, 0, or a negative errno.
 */
int namespaces_override(const struct namespaces *namespaces);

/* Whether the process still lives: 1 or 0. */
int namespaces_alive(const struct namespaces *namespaces);
