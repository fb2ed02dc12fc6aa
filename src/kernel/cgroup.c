/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "model/cgroup_line.h"
#include "model/mount_line.h"

#define NESTING_MAX 64 /* of groups; pid namespaces nest 32 deep */

/* ---- where they are ---- */

struct mounts {
    char *v1, *v1_root; /* mount point and the group that is seen there */
    char *v2, *v2_root;
};

static void mounts_done(struct mounts *mounts)
{
    free(mounts->v1);
    free(mounts->v1_root);
    free(mounts->v2);
    free(mounts->v2_root);
}

static void file_done(FILE **file)
{
    if (*file)
        fclose(*file);
}
#define _cleanup_file_ _cleanup_(file_done)

static void directory_done(DIR **directory)
{
    if (*directory)
        closedir(*directory);
}
#define _cleanup_directory_ _cleanup_(directory_done)

static FILE *open_process_file(pid_t pid, const char *name)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    return fopen(path, "re");
}

/* The first mount that shows the hierarchy's root wins, else the first that shows any of it. */
static int keep_mount(char **point, char **root, const struct mount_line *mount)
{
    if (*point && (streq(*root, "/") || !streq(mount->root, "/")))
        return 0;
    _cleanup_free_ char *a = strdup(mount->point), *b = strdup(mount->root);
    if (!a || !b)
        return -ENOMEM;
    free(*point);
    free(*root);
    *point = TAKE_PTR(a);
    *root = TAKE_PTR(b);
    return 0;
}

static int read_mount(char *line, struct mounts *mounts)
{
    struct mount_line mount;
    if (mount_line_parse(line, &mount) < 0)
        return 0;
    if (streq(mount.type, "cgroup2"))
        return keep_mount(&mounts->v2, &mounts->v2_root, &mount);
    if (streq(mount.type, "cgroup") && comma_list_has(mount.options, "devices"))
        return keep_mount(&mounts->v1, &mounts->v1_root, &mount);
    return 0;
}

static int read_mounts(struct mounts *mounts)
{
    _cleanup_file_ FILE *file = fopen("/proc/self/mountinfo", "re");
    _cleanup_free_ char *line = NULL;
    size_t size = 0;
    if (!file)
        return -errno;
    while (getline(&line, &size, file) > 0) {
        int r = read_mount(line, mounts);
        if (r < 0)
            return r;
    }
    return ferror(file) ? -EIO : 0;
}

static int find_group(const char *point, const char *root, const char *group, char **ret_group,
                      char **ret_mount)
{
    if (!point || *ret_group)
        return 0;
    _cleanup_free_ char *path = NULL, *mount = strdup(point);
    int r = mount ? cgroup_line_path(point, root, group, &path) : -ENOMEM;
    if (r > 0) {
        *ret_group = TAKE_PTR(path);
        *ret_mount = TAKE_PTR(mount);
    }
    return r;
}

static int read_group(char *line, const struct mounts *mounts, struct cgroup_paths *paths)
{
    struct cgroup_line it;
    if (cgroup_line_parse(line, &it) < 0)
        return 0;
    if (it.unified)
        return find_group(mounts->v2, mounts->v2_root, it.group, &paths->v2, &paths->v2_mount);
    if (comma_list_has(it.controllers, "devices"))
        return find_group(mounts->v1, mounts->v1_root, it.group, &paths->v1_devices,
                          &paths->v1_mount);
    return 0;
}

void cgroup_paths_done(struct cgroup_paths *paths)
{
    free(paths->v1_devices);
    free(paths->v1_mount);
    free(paths->v2);
    free(paths->v2_mount);
    *paths = (struct cgroup_paths){0};
}

int cgroup_paths_find(pid_t pid, struct cgroup_paths *ret, struct refusal *why)
{
    _cleanup_(mounts_done) struct mounts mounts = {0};
    int r = read_mounts(&mounts);
    if (r < 0)
        return refuse(why, -r, "/proc/self/mountinfo cannot be read: %s", strerror(-r));

    _cleanup_file_ FILE *file = open_process_file(pid, "cgroup");
    if (!file)
        return refuse(why, errno == ENOENT ? ESRCH : errno,
                      "the cgroups of process %d cannot be read", (int)pid);
    _cleanup_(cgroup_paths_done) struct cgroup_paths paths = {0};
    _cleanup_free_ char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, file) > 0) {
        r = read_group(line, &mounts, &paths);
        if (r < 0)
            return refuse(why, -r, "the cgroups of process %d: %s", (int)pid, strerror(-r));
    }
    if (ferror(file)) /* the process died meanwhile */
        return refuse(why, ESRCH, "the cgroups of process %d cannot be read", (int)pid);
    *ret = paths;
    paths = (struct cgroup_paths){0};
    return 0;
}

/* ---- who is in them ---- */

struct owner {
    const char *namespace; /* file below /proc/PID that tells a process of the container */
    dev_t device;
    ino_t inode;
};

static int open_namespace(pid_t pid, const char *name)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int same_namespace(int fd, const struct owner *owner)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -errno;
    return status.st_dev == owner->device && status.st_ino == owner->inode;
}

/* Whether process and namespace are the container's, or of a namespace below. */
static int is_of(pid_t pid, const struct owner *owner)
{
    _cleanup_close_ int fd = open_namespace(pid, owner->namespace);
    for (int depth = 0; fd >= 0 && depth < NESTING_MAX; depth++) {
        int r = same_namespace(fd, owner);
        if (r != 0)
            return r;
        /* only pid and user namespaces have a parent; EPERM: it is above our own */
        int parent = ioctl(fd, NS_GET_PARENT);
        if (parent < 0)
            return 0;
        fd_close(fd);
        fd = parent;
    }
    /* a zombie keeps its group but has no namespaces any more */
    return fd == -ENOENT || fd == -ESRCH ? 1 : fd < 0 ? fd : 0;
}

static int find_owner(pid_t init_pid, struct owner *ret)
{
    struct stat host, status;
    ret->namespace = "ns/pid";
    _cleanup_close_ int pid_namespace = open_namespace(init_pid, "ns/pid");
    if (pid_namespace < 0)
        return pid_namespace;
    if (fstat(pid_namespace, &status) < 0 || stat("/proc/self/ns/pid", &host) < 0)
        return -errno;
    if (status.st_ino == host.st_ino) {
        ret->namespace = "ns/mnt";
        _cleanup_close_ int mount_namespace = open_namespace(init_pid, "ns/mnt");
        if (mount_namespace < 0)
            return mount_namespace;
        if (fstat(mount_namespace, &status) < 0)
            return -errno;
    }
    ret->device = status.st_dev;
    ret->inode = status.st_ino;
    return 0;
}

/* In a threaded group cgroup.procs cannot be read (EOPNOTSUPP), cgroup.threads can: cgroups(7). */
static int members_are_of(int group_fd, const char *file_name, const struct owner *owner)
{
    int fd = openat(group_fd, file_name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    _cleanup_file_ FILE *file = fdopen(fd, "r");
    if (!file) {
        fd_close(fd);
        return -ENOMEM;
    }
    int pid;
    while (fscanf(file, "%d", &pid) == 1) {
        /* 0: a process that is not in our own pid namespace, so nobody whom we know */
        int r = pid > 0 ? is_of(pid, owner) : 0;
        if (r <= 0)
            return r;
    }
    return ferror(file) ? -errno : 1;
}

static int holds_only(int parent_fd, const char *name, const struct owner *owner, int depth)
{
    int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 1 : -errno;
    _cleanup_directory_ DIR *directory = fdopendir(fd);
    if (!directory) {
        fd_close(fd);
        return -ENOMEM;
    }
    int r = members_are_of(fd, "cgroup.procs", owner);
    if (r == -EOPNOTSUPP)
        r = members_are_of(fd, "cgroup.threads", owner);
    if (r == -ENODEV || r == -ENOENT)
        return 1; /* the group was removed while we looked, so nobody is in it */

    struct dirent *entry;
    while (r > 0 && (errno = 0, entry = readdir(directory))) {
        if (entry->d_type != DT_DIR || streq(entry->d_name, ".") || streq(entry->d_name, ".."))
            continue;
        r = depth > 0 ? holds_only(fd, entry->d_name, owner, depth - 1) : 0;
    }
    return r > 0 && errno ? -errno : r;
}

int cgroup_holds_only(const char *group, const char *mount, pid_t init_pid)
{
    const char *below = after_prefix(group, mount);
    if (!below || *below != '/')
        return 0;
    struct owner owner;
    int r = find_owner(init_pid, &owner);
    return r < 0 ? r : holds_only(AT_FDCWD, group, &owner, NESTING_MAX);
}
