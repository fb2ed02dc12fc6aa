/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Our own tmpfs with one inode per (container, device). A node on it works in a container of
 * another user namespace (a tmpfs of the container's own is nodev for it), and it is ours alone:
 * revoking is fchown(0,0) and fchmod(0) on the inode, which also kills every bind copy that the
 * container made.
 *
 * The mount is private (private_tmpfs.h): a mount that a container puts over its node would
 * otherwise appear in our store. Inodes are held by O_PATH descriptors and never looked up again by
 * name. File names are opaque, as they show in the container's mountinfo.
 */

#include <sys/stat.h>
#include <sys/types.h>

#include "base/refusal.h"
#include "model/device.h"

struct node_store;
struct node;

/*
 * Opens the store at `directory` (made where missing, mode 0700): the one that a predecessor left
 * there is gone on with, its nodes waiting for node_adopt() or node_store_sweep(); else one is
 * mounted. Checks in /proc/self/mountinfo that the mount has no peer and no master. Returns 0 and
 * *ret, or a negative errno and the reason.
 */
int node_store_open(const char *directory, struct node_store **ret, struct refusal *why);

/* Revokes and removes what a predecessor left and nobody adopted. How many there were. */
size_t node_store_sweep(struct node_store *store);

/*
 * Revokes what is left, unmounts and frees; or with `keep` leaves all as it is, for a successor:
 * nodes are freed by node_release() then. NULL accepted.
 */
void node_store_close(struct node_store *store, bool keep);

/* A name for a node that is to be made: never 0, and no other node has it. */
uint64_t node_store_reserve(struct node_store *store);

/* This name is not to be given: it stands in a predecessor's notes. */
void node_store_skip(struct node_store *store, uint64_t serial);

/* How many nodes there are. */
size_t node_store_count(const struct node_store *store);

/*
 * Makes a node under a reserved name: mknod with mode 0, owner (the host's ids), mode last. Returns
 * 0 and *ret, which belongs to the caller until node_destroy().
 */
int node_make(struct node_store *store, uint64_t serial, const struct devnum *number, uint32_t uid,
              uint32_t gid, mode_t mode, struct node **ret, struct refusal *why);

/*
 * Takes over the node of this name and number that a predecessor made. Returns 0 and *ret; -ENOENT:
 * there is none; -EBADMSG: it is another; or another negative errno.
 */
int node_adopt(struct node_store *store, uint64_t serial, const struct devnum *number,
               struct node **ret);

/* Another owner and mode. */
int node_change(struct node *node, uint32_t uid, uint32_t gid, mode_t mode, struct refusal *why);

/* Nobody may open it any more, by whatever copy. Can be done again. */
int node_revoke(struct node *node, struct refusal *why);

/* Revokes, removes the name and frees. NULL accepted. */
void node_destroy(struct node *node);

/* Frees, and leaves the inode to a successor. NULL accepted. */
void node_release(struct node *node);

/* Whether nobody may open it: node_revoke() was done, by us or a predecessor. */
bool node_is_revoked(const struct node *node);

/* A new detached mount of the node alone, to be attached elsewhere; CLOEXEC. Or a negative errno.
 */
int node_clone_mount(const struct node *node);

/* What identifies it inside: st_dev and st_ino of the inode. */
void node_identity(const struct node *node, dev_t *ret_device, ino_t *ret_inode);

/* The inode as it is now: st_uid and st_gid are the host's ids. Returns 0 or a negative errno. */
int node_status(const struct node *node, struct stat *ret);
