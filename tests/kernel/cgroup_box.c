/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cgroup_box.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "kernel/cgroup.h"

#define PATH_SIZE 512
#define ANSWER_MS 10000

struct request {
    struct devnum number;
    int flags; /* -1: mknod */
};

/* ---- groups ---- */

static const struct cgroup_paths *own_groups(void)
{
    static struct cgroup_paths paths;
    static bool found;
    if (!found)
        found = cgroup_paths_find(getpid(), &paths, NULL) == 0;
    return &paths;
}

const char *cgroup_box_own_v1(void)
{
    return own_groups()->v1_devices;
}

const char *cgroup_box_mount_v1(void)
{
    return own_groups()->v1_mount;
}

const char *cgroup_box_mount_v2(void)
{
    return own_groups()->v2_mount;
}

static const char *missing(const char *mount, const char *none)
{
    if (geteuid() != 0)
        return "needs root";
    if (!mount)
        return none;
    if (access(mount, W_OK) < 0)
        return "the hierarchy is mounted read-only";
    _cleanup_close_ int context = fsopen("tmpfs", FSOPEN_CLOEXEC); /* valgrind 3.19 has none */
    return context < 0 ? "fsopen(2) does not work here" : NULL;
}

const char *cgroup_box_missing_v1(void)
{
    return missing(cgroup_box_mount_v1(), "no cgroup v1 hierarchy with the devices controller");
}

const char *cgroup_box_missing_v2(void)
{
    return missing(cgroup_box_mount_v2(), "no cgroup v2 hierarchy");
}

static pid_t test_pid(void)
{
    static pid_t pid; /* children of the test name the same groups */
    if (pid == 0)
        pid = getpid();
    return pid;
}

static int make(const char *mount, const char *name, char *out, size_t size)
{
    int at = snprintf(out, size, "%s/devolve-test-%d", mount, (int)test_pid());
    if (mkdir(out, 0755) < 0 && errno != EEXIST)
        return -errno;
    while (*name) {
        int length = (int)strcspn(name, "/");
        at += snprintf(out + at, size - (size_t)at, "/%.*s", length, name);
        if (mkdir(out, 0755) < 0 && errno != EEXIST)
            return -errno;
        name += length;
        name += *name == '/';
    }
    return 0;
}

int cgroup_box_make_v1(const char *name, char *out, size_t size)
{
    return make(cgroup_box_mount_v1(), name, out, size);
}

int cgroup_box_make_v2(const char *name, char *out, size_t size)
{
    return make(cgroup_box_mount_v2(), name, out, size);
}

/* A group stays busy for a moment after its last process was reaped. */
static int remove_group(const char *group)
{
    uint64_t deadline = now_us() + 2000000;
    while (rmdir(group) < 0) {
        if (errno == ENOENT)
            return 0;
        if (errno != EBUSY || now_us() > deadline)
            return 1;
        sched_yield();
    }
    return 0;
}

static int remove_tree(const char *group)
{
    int left = 0;
    DIR *directory = opendir(group);
    if (!directory)
        return 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        char path[PATH_SIZE];
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", group, entry->d_name);
        left += remove_tree(path);
    }
    closedir(directory);
    return left + remove_group(group);
}

int cgroup_box_remove_all(void)
{
    const char *const mounts[] = {cgroup_box_mount_v1(), cgroup_box_mount_v2()};
    int left = 0;
    for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
        char path[PATH_SIZE];
        if (!mounts[i])
            continue;
        snprintf(path, sizeof(path), "%s/devolve-test-%d", mounts[i], (int)test_pid());
        left += remove_tree(path);
    }
    return left;
}

/* ---- inside ---- */

static mode_t type_of(const struct devnum *number)
{
    return (number->kind == NODE_BLOCK ? S_IFBLK : S_IFCHR) | 0600;
}

/* `nodes_fd` is a directory where the test made the node; `own_fd` one where the box may make some.
 */
static int answer(const struct request *request, int nodes_fd, int own_fd)
{
    const struct devnum *number = &request->number;
    if (request->flags < 0) {
        int r = mknodat(own_fd, "new", type_of(number), makedev(number->major, number->minor));
        int error = errno;
        (void)unlinkat(own_fd, "new", 0);
        return r < 0 ? -error : 0;
    }
    int fd = openat(nodes_fd, "node", request->flags | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    close(fd);
    return 0;
}

static void serve(int socket_fd, int nodes_fd, int own_fd)
{
    struct request request;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (recv(socket_fd, &request, sizeof(request), 0) == (ssize_t)sizeof(request)) {
        int result = answer(&request, nodes_fd, own_fd);
        if (send(socket_fd, &result, sizeof(result), MSG_NOSIGNAL) < 0)
            break;
    }
    _exit(0);
}

/* ---- outside ---- */

static int new_tmpfs(void)
{
    _cleanup_close_ int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
    if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -1;
    return fsmount(context, FSMOUNT_CLOEXEC, 0);
}

static int nodes_fd = -1,
           own_fd = -1; /* shared by all boxes: a request is a question and its answer */

static int join(const char *group, pid_t pid)
{
    char path[PATH_SIZE], text[16];
    if (!group)
        return 0;
    snprintf(path, sizeof(path), "%s/cgroup.procs", group);
    int length = snprintf(text, sizeof(text), "%d", (int)pid);
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd < 0 || write(fd, text, (size_t)length) < 0 ? -errno : 0;
}

int cgroup_box_start(const char *v1, const char *v2, struct cgroup_box *ret)
{
    *ret = (struct cgroup_box){.request_fd = -1, .namespaces = NAMESPACES_EMPTY};
    if (nodes_fd < 0 && ((nodes_fd = new_tmpfs()) < 0 || (own_fd = new_tmpfs()) < 0))
        return -errno;
    int pair[2], pid_fd = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    struct clone_args arguments = {.flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_PIDFD,
                                   .pidfd = (uint64_t)(uintptr_t)&pid_fd,
                                   .exit_signal = SIGCHLD};
    pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
    if (pid == 0) {
        close(pair[0]);
        serve(pair[1], nodes_fd, own_fd);
    }
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return -errno;
    }
    ret->pid = pid;
    ret->request_fd = pair[0];
    ret->namespaces.pid = pid;
    ret->namespaces.pid_fd = pid_fd;
    int r = join(v1, pid);
    return r < 0 ? r : join(v2, pid);
}

void cgroup_box_stop(struct cgroup_box *box)
{
    if (box->pid <= 0)
        return;
    kill(box->pid, SIGKILL);
    waitpid(box->pid, NULL, 0);
    fd_close(box->request_fd);
    fd_close(box->namespaces.pid_fd);
    *box = (struct cgroup_box){.request_fd = -1, .namespaces = NAMESPACES_EMPTY};
}

static int ask(const struct cgroup_box *box, const struct request *request)
{
    struct pollfd wanted = {.fd = box->request_fd, .events = POLLIN};
    int result;
    if (send(box->request_fd, request, sizeof(*request), MSG_NOSIGNAL) < 0)
        return -errno;
    if (poll(&wanted, 1, ANSWER_MS) != 1)
        return -ETIMEDOUT;
    return recv(box->request_fd, &result, sizeof(result), 0) == (ssize_t)sizeof(result) ? result
                                                                                        : -EIO;
}

int cgroup_box_open(const struct cgroup_box *box, const struct devnum *number, int flags)
{
    const struct request request = {.number = *number, .flags = flags};
    (void)unlinkat(nodes_fd, "node", 0);
    if (mknodat(nodes_fd, "node", type_of(number), makedev(number->major, number->minor)) < 0)
        return -errno;
    return ask(box, &request);
}

int cgroup_box_mknod(const struct cgroup_box *box, const struct devnum *number)
{
    const struct request request = {.number = *number, .flags = -1};
    return ask(box, &request);
}
