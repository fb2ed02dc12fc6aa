/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/namespace.h"

/*
 * All that is read of a process goes through one descriptor of its /proc directory, which the
 * kernel ties to that process for ever: once it is dead every look-up below gives ESRCH, whoever
 * has its number by then. The pidfd, asked after the directory was opened, says that both mean the
 * same one.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/file.h"
#include "kernel/mount_api.h"

#define MAP_TEXT_MAX 16384 /* 340 lines of three ten-digit numbers and blanks are 12 KiB */
#define PROCESS_KTHREAD                                                                            \
    0x200000 /* PF_KTHREAD of linux/sched.h: field `flags` of /proc/PID/stat                       \
              */

const char *netns_kind_name(enum netns_kind kind)
{
    switch (kind) {
    case NETNS_ISOLATED:
        return "isolated";
    case NETNS_NATIVE:
        return "native";
    case NETNS_HOST:
        return "host";
    }
    return "?";
}

/* The reason for an errno of something that was read through /proc: most of them mean one thing. */
static int refuse_read(struct refusal *why, pid_t pid, int error, const char *what)
{
    if (error == ENOENT || error == ESRCH)
        return refuse(why, ESRCH, "process %d died while it was looked at", pid);
    return refuse(why, error, "cannot read %s of process %d: %s", what, pid, strerror(error));
}

static int open_process(pid_t pid, int *ret_pid_fd, int *ret_proc_fd, struct refusal *why)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/%d", pid);
    _cleanup_close_ int pid_fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    if (pid <= 0 || (pid_fd < 0 && errno == ESRCH))
        return refuse(why, ESRCH, "there is no process %d", pid);
    /* The number of a thread: EINVAL, and ENOENT since Linux 6.9. */
    if (pid_fd < 0 && (errno == EINVAL || errno == ENOENT))
        return refuse(why, EINVAL, "%d is a thread, not the leader of its group", pid);
    if (pid_fd < 0)
        return refuse(why, errno, "cannot hold process %d: %s", pid, strerror(errno));

    _cleanup_close_ int proc_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (proc_fd < 0)
        return refuse_read(why, pid, errno, "/proc");
    if (!namespaces_alive(&(struct namespaces){.pid_fd = pid_fd}))
        return refuse(why, ESRCH, "process %d has ended", pid);
    *ret_pid_fd = TAKE_FD(pid_fd);
    *ret_proc_fd = TAKE_FD(proc_fd);
    return 0;
}

/* A kernel thread has namespaces too, kdevtmpfs even a root of its own. */
static int refuse_kernel_thread(pid_t pid, int proc_fd, struct refusal *why)
{
    char text[1024];
    unsigned flags;
    ssize_t r = file_read_at(proc_fd, "stat", text, sizeof(text));
    if (r < 0)
        return refuse_read(why, pid, (int)-r, "stat");
    /* The name between the brackets may itself hold brackets and blanks: proc(5). */
    const char *tail = strrchr(text, ')');
    if (!tail || sscanf(tail, ") %*c %*d %*d %*d %*d %*d %u", &flags) != 1)
        return refuse(why, EBADMSG, "/proc/%d/stat makes no sense", pid);
    if (flags & PROCESS_KTHREAD)
        return refuse(why, EINVAL, "process %d is a thread of the kernel, not a container", pid);
    return 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Opens ns/NAME of the process and compares it with our own, which is the host's. */
static int open_namespace(pid_t pid, int proc_fd, const char *name, int *ret_fd, bool *ret_host,
                          struct stat *ret_stat, struct refusal *why)
{
    char path[16], own_path[32];
    struct stat own;
    snprintf(path, sizeof(path), "ns/%s", name);
    snprintf(own_path, sizeof(own_path), "/proc/self/ns/%s", name);
    _cleanup_close_ int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, ret_stat) < 0)
        return refuse_read(why, pid, errno, path);
    if (stat(own_path, &own) < 0)
        return refuse(why, errno, "cannot read %s: %s", own_path, strerror(errno));
    *ret_host = same_file(&own, ret_stat);
    *ret_fd = TAKE_FD(fd);
    return 0;
}

/* Who owns a network namespace decides whether the kernel sends it the host's events. */
static int find_net_kind(int net_fd, bool host, enum netns_kind *ret, struct refusal *why)
{
    struct stat own, owner;
    if (host) {
        *ret = NETNS_HOST;
        return 0;
    }
    _cleanup_close_ int owner_fd = ioctl(net_fd, NS_GET_USERNS);
    if (owner_fd < 0 || fstat(owner_fd, &owner) < 0 || stat("/proc/self/ns/user", &own) < 0)
        return refuse(why, errno, "cannot find who owns the network namespace: %s",
                      strerror(errno));
    *ret = same_file(&own, &owner) ? NETNS_NATIVE : NETNS_ISOLATED;
    return 0;
}

static int read_map(pid_t pid, int proc_fd, const char *name, struct idmap *ret,
                    struct refusal *why)
{
    _cleanup_free_ char *text = malloc(MAP_TEXT_MAX);
    if (!text)
        return refuse(why, ENOMEM, "out of memory");
    ssize_t length = file_read_at(proc_fd, name, text, MAP_TEXT_MAX);
    if (length < 0)
        return refuse_read(why, pid, (int)-length, name);
    int r = idmap_parse(ret, text, why);
    if (r < 0)
        (void)refusal_prefix(why, "%s of process %d", name, pid);
    return r;
}

static int read_maps(pid_t pid, int proc_fd, struct namespaces *into, struct refusal *why)
{
    if (into->user_fd < 0) {
        if (idmap_identity(&into->uids) < 0 || idmap_identity(&into->gids) < 0)
            return refuse(why, ENOMEM, "out of memory");
        return 0;
    }
    int r = read_map(pid, proc_fd, "uid_map", &into->uids, why);
    return r < 0 ? r : read_map(pid, proc_fd, "gid_map", &into->gids, why);
}

static int open_root(pid_t pid, int proc_fd, const char *root, int *ret, struct refusal *why)
{
    /* A magic link: it leads to the process' root itself, not to a path. */
    _cleanup_close_ int fd = openat(proc_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return refuse_read(why, pid, errno, "root");
    if (!root) {
        *ret = TAKE_FD(fd);
        return 0;
    }
    if (root[0] != '/')
        return refuse(why, EINVAL, "the container's root must be an absolute path: %s", root);
    int below = open_in_root(fd, root, O_PATH | O_DIRECTORY);
    if (below < 0)
        return refuse(why, errno, "cannot open %s in the mount namespace of process %d: %s", root,
                      pid, strerror(errno));
    *ret = below;
    return 0;
}

static int open_namespaces(pid_t pid, int proc_fd, struct namespaces *into, struct refusal *why)
{
    bool host_user, host_mount, host_net;
    struct stat st;
    int r = open_namespace(pid, proc_fd, "user", &into->user_fd, &host_user, &st, why);
    if (r < 0)
        return r;
    if (host_user)
        into->user_fd = fd_close(into->user_fd);
    r = open_namespace(pid, proc_fd, "net", &into->net_fd, &host_net, &st, why);
    if (r < 0)
        return r;
    into->net_inode = st.st_ino;
    r = find_net_kind(into->net_fd, host_net, &into->net_kind, why);
    if (r < 0)
        return r;
    r = open_namespace(pid, proc_fd, "mnt", &into->mount_fd, &host_mount, &st, why);
    if (r == 0 &&
        host_mount) /* what is mounted there would outlive the process, and be the host's */
        r = refuse(why, EINVAL, "process %d has the host's mount namespace: it is no container",
                   (int)pid);
    return r;
}

int namespaces_open(pid_t pid, const char *root, struct namespaces *ret, struct refusal *why)
{
    _cleanup_(namespaces_close) struct namespaces taken = NAMESPACES_EMPTY;
    _cleanup_close_ int proc_fd = -1;

    taken.pid = pid;
    int r = open_process(pid, &taken.pid_fd, &proc_fd, why);
    if (r >= 0)
        r = refuse_kernel_thread(pid, proc_fd, why);
    if (r >= 0)
        r = open_root(pid, proc_fd, root, &taken.root_fd, why);
    if (r >= 0)
        r = open_namespaces(pid, proc_fd, &taken, why);
    if (r >= 0)
        r = read_maps(pid, proc_fd, &taken, why);
    if (r < 0)
        return r;
    if (!namespaces_alive(&taken))
        return refuse(why, ESRCH, "process %d died while it was looked at", pid);
    *ret = taken;
    taken = (struct namespaces)NAMESPACES_EMPTY;
    return 0;
}

void namespaces_close(struct namespaces *namespaces)
{
    namespaces->pid_fd = fd_close(namespaces->pid_fd);
    namespaces->user_fd = fd_close(namespaces->user_fd);
    namespaces->mount_fd = fd_close(namespaces->mount_fd);
    namespaces->net_fd = fd_close(namespaces->net_fd);
    namespaces->root_fd = fd_close(namespaces->root_fd);
    idmap_done(&namespaces->uids);
    idmap_done(&namespaces->gids);
}

int namespaces_alive(const struct namespaces *namespaces)
{
    /* Readable from the death of the whole group on; a signal of 0 would still reach a zombie. */
    struct pollfd look = {.fd = namespaces->pid_fd, .events = POLLIN};
    int r;
    do
        r = poll(&look, 1, 0);
    while (r < 0 && errno == EINTR);
    return r == 0;
}

int namespaces_override(const struct namespaces *namespaces)
{
    char path[32], text[4096];
    unsigned long long bounding;
    snprintf(path, sizeof(path), "/proc/%d/status", namespaces->pid);
    ssize_t length = file_read_at(AT_FDCWD, path, text, sizeof(text));
    if (length < 0)
        return (int)length;
    const char *line = strstr(text, "\nCapBnd:");
    if (!namespaces_alive(namespaces))
        return -ESRCH;
    if (!line || sscanf(line, "\nCapBnd: %llx", &bounding) != 1)
        return -EBADMSG;
    return (bounding >> CAP_DAC_OVERRIDE) & 1;
}
