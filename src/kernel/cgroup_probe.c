/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/cgroup_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "kernel/cgroup_group.h"
#include "model/share.h"

#define DEADLINE_MS 500
#define NODE "node"
#define SECOND_NODE "second"

enum verdict { ALLOWED = 0, DENIED = 1, FAILED = 2 };

struct trial {
    int tmpfs_fd;
    int v2_fd; /* -1: our own group */
    int v1_fd; /* cgroup.procs, for writing; -1: our own group */
    mode_t type;
    dev_t number;
    unsigned access;
};

static void trial_done(struct trial *trial)
{
    fd_close(trial->tmpfs_fd);
    fd_close(trial->v2_fd);
    fd_close(trial->v1_fd);
}

/* Never attached anywhere: it goes with its descriptor. */
static int new_tmpfs(void)
{
    _cleanup_close_ int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
    if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -errno;
    int fd = fsmount(context, FSMOUNT_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

static int open_procs(const char *group)
{
    _cleanup_close_ int fd = cgroup_group_open(group, 0);
    if (fd < 0)
        return fd;
    int procs = openat(fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    return procs < 0 ? -errno : procs;
}

static int prepare(struct trial *trial, const char *v2_group, const char *v1_group)
{
    trial->tmpfs_fd = new_tmpfs();
    if (trial->tmpfs_fd < 0)
        return trial->tmpfs_fd;
    if (mknodat(trial->tmpfs_fd, NODE, trial->type | 0600, trial->number) < 0)
        return -errno;
    if (v2_group && (trial->v2_fd = cgroup_group_open(v2_group, 0)) < 0)
        return trial->v2_fd;
    if (v1_group && (trial->v1_fd = open_procs(v1_group)) < 0)
        return trial->v1_fd;
    return 0;
}

/* In the child: system calls and nothing else. */
static enum verdict hold(const struct trial *trial)
{
    int mode = (trial->access & ACCESS_READ ? R_OK : 0) | (trial->access & ACCESS_WRITE ? W_OK : 0);
    if (trial->v1_fd >= 0 && write(trial->v1_fd, "0", 1) < 0)
        return FAILED;
    if (mode && syscall(SYS_faccessat2, trial->tmpfs_fd, NODE, mode, AT_EACCESS) < 0)
        return errno == EPERM ? DENIED : FAILED;
    if (trial->access & ACCESS_MKNOD &&
        mknodat(trial->tmpfs_fd, SECOND_NODE, trial->type | 0600, trial->number) < 0)
        return errno == EPERM ? DENIED : FAILED;
    return ALLOWED;
}

/* No exit signal: the daemon's handling of SIGCHLD never hears of it. */
static pid_t start(const struct trial *trial, int *ret_pid_fd)
{
    struct clone_args arguments = {.flags = CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)ret_pid_fd};
    if (trial->v2_fd >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (uint32_t)trial->v2_fd;
    }
    pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
    if (pid == 0)
        _exit((int)hold(trial));
    return pid < 0 ? -errno : pid;
}

/* A frozen group's child does not run; it dies of a signal all the same. */
static int wait_for(int pid_fd)
{
    struct pollfd wanted = {.fd = pid_fd, .events = POLLIN};
    uint64_t deadline = now_us() + DEADLINE_MS * 1000;
    int n;
    do {
        uint64_t now = now_us();
        n = poll(&wanted, 1, now < deadline ? (int)((deadline - now) / 1000) : 0);
    } while (n < 0 && errno == EINTR);
    if (n <= 0)
        (void)syscall(SYS_pidfd_send_signal, pid_fd, SIGKILL, NULL, 0);

    siginfo_t end = {0};
    while (waitid(P_PIDFD, (id_t)pid_fd, &end, WEXITED | __WALL) < 0)
        if (errno != EINTR)
            return -errno;
    if (n <= 0)
        return -ETIMEDOUT;
    if (end.si_code != CLD_EXITED || end.si_status == FAILED)
        return -EIO;
    return end.si_status == ALLOWED;
}

int cgroup_probe(const char *v2_group, const char *v1_group, const struct devnum *number,
                 unsigned access)
{
    _cleanup_(trial_done) struct trial trial = {
        .tmpfs_fd = -1,
        .v2_fd = -1,
        .v1_fd = -1,
        .type = number->kind == NODE_BLOCK ? S_IFBLK : S_IFCHR,
        .number = makedev(number->major, number->minor),
        .access = access,
    };
    _cleanup_close_ int pid_fd = -1;
    int r = prepare(&trial, v2_group, v1_group);
    if (r < 0)
        return r;
    r = start(&trial, &pid_fd);
    return r < 0 ? r : wait_for(pid_fd);
}
