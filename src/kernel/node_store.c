/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/node_store.h"

/*
 * Two mounts lie on the directory: a bind of it on itself, made private, and the tmpfs over that. A
 * mount on a shared parent becomes shared and is copied to all its peers before anybody can say
 * otherwise; under the private bind the tmpfs is private from its first moment, and only an empty
 * directory was ever copied.
 *
 * fchmod(2) refuses an O_PATH descriptor (fchmodat2(2) is of Linux 6.6), so the mode is set through
 * /proc/self/fd, by a descriptor of that directory which nobody can mount over.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/text.h"
#include "kernel/mount_api.h"
#include "kernel/private_tmpfs.h"

#define NODE_NAME_MAX 24

struct node {
    struct node_store *store; /* NULL once the store is closed */
    struct node *previous, *next;
    int fd; /* O_PATH */
    uint64_t serial;
    dev_t device;
    ino_t inode;
};

struct node_store {
    char *directory;
    int proc_fd;          /* /proc/self/fd */
    int root_fd;          /* of the tmpfs, or -1: it is not mounted */
    uint64_t last_serial; /* given to a node */
    size_t count, swept;
    struct node *nodes;
};

static const char *serial_name(uint64_t serial, char out[static NODE_NAME_MAX])
{
    snprintf(out, NODE_NAME_MAX, "%" PRIu64, serial);
    return out;
}

static const char *node_name(const struct node *node, char out[static NODE_NAME_MAX])
{
    return serial_name(node->serial, out);
}

static int set_mode(int proc_fd, int fd, mode_t mode)
{
    char number[16];
    snprintf(number, sizeof(number), "%d", fd);
    return fchmodat(proc_fd, number, mode, 0) < 0 ? -errno : 0;
}

/* The owner goes first: who owns the inode could set its mode again. */
static int revoke_fd(int proc_fd, int fd)
{
    int owner = fchownat(fd, "", 0, 0, AT_EMPTY_PATH) < 0 ? -errno : 0;
    int mode = set_mode(proc_fd, fd, 0);
    return owner < 0 ? owner : mode;
}

/* Calls for the serial of each name that can be a node's. */
static int read_names(struct node_store *store, void (*fn)(struct node_store *, uint64_t),
                      struct refusal *why)
{
    int copy = openat(store->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = copy < 0 ? NULL : fdopendir(copy);
    if (!directory) {
        int error = errno;
        (void)fd_close(copy);
        return refuse(why, error, "cannot read %s: %s", store->directory, strerror(error));
    }
    for (struct dirent *entry; (entry = readdir(directory));) {
        uint64_t serial;
        if (text_to_number(entry->d_name, UINT64_MAX - 1, &serial) > 0)
            fn(store, serial);
    }
    closedir(directory);
    return 0;
}

static bool is_held(const struct node_store *store, uint64_t serial)
{
    for (const struct node *node = store->nodes; node; node = node->next)
        if (node->serial == serial)
            return true;
    return false;
}

static void sweep_one(struct node_store *store, uint64_t serial)
{
    char name[NODE_NAME_MAX];
    if (is_held(store, serial))
        return;
    serial_name(serial, name);
    _cleanup_close_ int fd = openat(store->root_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)revoke_fd(store->proc_fd, fd);
    (void)unlinkat(store->root_fd, name, 0);
    store->swept++;
}

void node_store_skip(struct node_store *store, uint64_t serial)
{
    if (store->last_serial < serial)
        store->last_serial = serial;
}

/* Nodes on a mount that cannot be gone on with. */
static void sweep_leftover(void *userdata, int root_fd)
{
    struct node_store *store = userdata;
    store->root_fd = root_fd;
    (void)read_names(store, sweep_one, NULL);
    store->root_fd = -1;
}

static int open_store(struct node_store *store, struct refusal *why)
{
    const char *directory = store->directory;
    store->proc_fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store->proc_fd < 0)
        return refuse(why, errno, "cannot open /proc/self/fd: %s", strerror(errno));
    if (mkdir(directory, 0700) < 0 && errno != EEXIST)
        return refuse(why, errno, "cannot make %s: %s", directory, strerror(errno));
    store->root_fd = private_tmpfs_find(directory, why);
    if (store->root_fd >= 0)
        return read_names(store, node_store_skip, why);
    if (store->root_fd != -ENOENT)
        return store->root_fd;
    store->root_fd = -1;
    int r = private_tmpfs_clear(directory, sweep_leftover, store, why);
    if (r == 0)
        r = store->root_fd = private_tmpfs_mount(directory, why);
    return r < 0 ? r : 0;
}

int node_store_open(const char *directory, struct node_store **ret, struct refusal *why)
{
    struct node_store *store = calloc(1, sizeof(*store));
    if (!store)
        return refuse(why, ENOMEM, "out of memory");
    store->proc_fd = store->root_fd = -1;
    store->directory = strdup(directory);
    int r = store->directory ? open_store(store, why) : refuse(why, ENOMEM, "out of memory");
    if (r < 0) {
        node_store_close(store, false);
        return r;
    }
    *ret = store;
    return 0;
}

size_t node_store_sweep(struct node_store *store)
{
    store->swept = 0;
    (void)read_names(store, sweep_one, NULL);
    return store->swept;
}

void node_store_close(struct node_store *store, bool keep)
{
    if (!store)
        return;
    for (struct node *node = store->nodes; node; node = node->next) {
        if (!keep)
            (void)revoke_fd(store->proc_fd, node->fd);
        node->store = NULL;
    }
    if (!keep && store->root_fd >= 0)
        private_tmpfs_unmount(store->directory);
    (void)fd_close(store->root_fd);
    (void)fd_close(store->proc_fd);
    free(store->directory);
    free(store);
}

size_t node_store_count(const struct node_store *store)
{
    return store->count;
}

static void node_link(struct node *node)
{
    struct node_store *store = node->store;
    node->next = store->nodes;
    if (node->next)
        node->next->previous = node;
    store->nodes = node;
    store->count++;
}

static void node_unlink(struct node *node)
{
    if (node->previous)
        node->previous->next = node->next;
    else
        node->store->nodes = node->next;
    if (node->next)
        node->next->previous = node->previous;
    node->store->count--;
}

/* Makes the inode with mode 0 and holds it. */
static int make_inode(struct node *node, const struct devnum *number, struct refusal *why)
{
    char name[NODE_NAME_MAX];
    struct stat st;
    mode_t type = number->kind == NODE_BLOCK ? S_IFBLK : S_IFCHR;
    dev_t device = makedev(number->major, number->minor);
    int root_fd = node->store->root_fd;

    if (mknodat(root_fd, node_name(node, name), type, device) < 0)
        return refuse(why, errno, "cannot make a node for %u:%u: %s", number->major, number->minor,
                      strerror(errno));
    node->fd = openat(root_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (node->fd < 0 || fstat(node->fd, &st) < 0) {
        int error = errno;
        (void)unlinkat(root_fd, name, 0);
        return refuse(why, error, "cannot hold the node of %u:%u: %s", number->major, number->minor,
                      strerror(error));
    }
    node->device = st.st_dev;
    node->inode = st.st_ino;
    return 0;
}

uint64_t node_store_reserve(struct node_store *store)
{
    return ++store->last_serial;
}

int node_make(struct node_store *store, uint64_t serial, const struct devnum *number, uint32_t uid,
              uint32_t gid, mode_t mode, struct node **ret, struct refusal *why)
{
    if (number->kind == NODE_NONE)
        return refuse(why, EINVAL, "a device without number has no node");
    struct node *node = calloc(1, sizeof(*node));
    if (!node)
        return refuse(why, ENOMEM, "out of memory");
    *node = (struct node){.store = store, .fd = -1, .serial = serial};

    int r = make_inode(node, number, why);
    if (r < 0) {
        (void)fd_close(node->fd);
        free(node);
        return r;
    }
    node_link(node);
    r = node_change(node, uid, gid, mode, why);
    if (r < 0) {
        node_destroy(node);
        return r;
    }
    *ret = node;
    return 0;
}

static bool is_of(const struct stat *st, const struct devnum *number)
{
    mode_t type = number->kind == NODE_BLOCK ? S_IFBLK : S_IFCHR;
    return (st->st_mode & S_IFMT) == type && st->st_rdev == makedev(number->major, number->minor);
}

int node_adopt(struct node_store *store, uint64_t serial, const struct devnum *number,
               struct node **ret)
{
    char name[NODE_NAME_MAX];
    struct stat st;
    _cleanup_close_ int fd =
        openat(store->root_fd, serial_name(serial, name), O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!is_of(&st, number) || is_held(store, serial))
        return -EBADMSG;
    struct node *node = calloc(1, sizeof(*node));
    if (!node)
        return -ENOMEM;
    *node = (struct node){.store = store,
                          .fd = TAKE_FD(fd),
                          .serial = serial,
                          .device = st.st_dev,
                          .inode = st.st_ino};
    node_link(node);
    *ret = node;
    return 0;
}

void node_release(struct node *node)
{
    if (!node)
        return;
    if (node->store)
        node_unlink(node);
    (void)fd_close(node->fd);
    free(node);
}

bool node_is_revoked(const struct node *node)
{
    struct stat st;
    return fstat(node->fd, &st) == 0 && st.st_uid == 0 && st.st_gid == 0 && !(st.st_mode & 07777);
}

int node_change(struct node *node, uint32_t uid, uint32_t gid, mode_t mode, struct refusal *why)
{
    if (!node->store)
        return refuse(why, ESTALE, "the node store is closed");
    /* Closed while the owner changes: nobody shall see the old mode with the new owner. */
    int r = set_mode(node->store->proc_fd, node->fd, 0);
    if (r >= 0 && fchownat(node->fd, "", uid, gid, AT_EMPTY_PATH) < 0)
        r = -errno;
    if (r >= 0)
        r = set_mode(node->store->proc_fd, node->fd, mode & 07777);
    return r < 0 ? refuse(why, -r, "cannot set owner %u:%u and mode %04o of a node: %s", uid, gid,
                          mode & 07777, strerror(-r))
                 : 0;
}

int node_revoke(struct node *node, struct refusal *why)
{
    if (!node->store)
        return 0;
    int r = revoke_fd(node->store->proc_fd, node->fd);
    return r < 0 ? refuse(why, -r, "cannot revoke a node: %s", strerror(-r)) : 0;
}

void node_destroy(struct node *node)
{
    char name[NODE_NAME_MAX];
    if (!node)
        return;
    if (node->store) {
        (void)revoke_fd(node->store->proc_fd, node->fd);
        (void)unlinkat(node->store->root_fd, node_name(node, name), 0);
        node_unlink(node);
    }
    (void)fd_close(node->fd);
    free(node);
}

int node_clone_mount(const struct node *node)
{
    int fd = mount_clone_fd(node->fd);
    return fd < 0 ? -errno : fd;
}

void node_identity(const struct node *node, dev_t *ret_device, ino_t *ret_inode)
{
    *ret_device = node->device;
    *ret_inode = node->inode;
}

int node_status(const struct node *node, struct stat *ret)
{
    return fstat(node->fd, ret) < 0 ? -errno : 0;
}
