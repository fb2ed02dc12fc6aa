/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kernel/mount_api.h"

#define DEADLINE_MS 10000

struct fixture {
    pid_t pid;
    struct fixture_options options;
};

static int write_text(const char *path, const char *text)
{
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return -errno;
    return write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -errno;
}

static int mount_tree(const char *directory)
{
    static const char *const directories[] = {"dev", "proc", "etc", "tmp", "run"};
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("root", directory, "tmpfs", 0, "mode=0755") < 0 || chdir(directory) < 0)
        return -errno;
    for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
        if (mkdir(directories[i], 0755) < 0)
            return -errno;
    if (mount("dev", "dev", "tmpfs", 0, "mode=0755") < 0)
        return -errno;
    /* Refused where the host's own /proc is covered in parts; the tests here do without. */
    (void)mount("proc", "proc", "proc", 0, NULL);
    if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
        return -errno;
    return 0;
}

static int furnish(void)
{
    int r = write_text("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"
                                      "ha:x:1000:1000::/:/bin/sh\n");
    return r < 0 ? r : write_text("/etc/group", "root:x:0:\ndialout:x:20:ha\n");
}

/* The container's init: says by one int how its start went, then waits for its end. */
static _Noreturn void run_init(const char *directory, int start_fd, int ready_fd)
{
    char byte;
    int r = read(start_fd, &byte, 1) == 1 ? 0 : -EPIPE;
    if (r == 0 && (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0))
        r = -errno;
    umask(022);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (r == 0)
        r = mount_tree(directory);
    if (r == 0)
        r = furnish();
    if (write(ready_fd, &r, sizeof(r)) != sizeof(r) || r < 0)
        _exit(1);
    (void)close_range(3, ~0u, 0);
    for (;;)
        (void)pause();
}

static int write_maps(pid_t pid)
{
    char path[64], map[64];
    snprintf(map, sizeof(map), "0 %u %u\n", FIXTURE_ID_BASE, FIXTURE_ID_COUNT);
    snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
    int r = write_text(path, map);
    snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
    return r < 0 ? r : write_text(path, map);
}

static int start_init(struct fixture *fixture, const char *directory)
{
    int start[2], ready[2], r = 0;
    if (pipe2(start, O_CLOEXEC) < 0 || pipe2(ready, O_CLOEXEC) < 0)
        return -errno;
    unsigned long flags = CLONE_NEWNS | CLONE_NEWPID | SIGCHLD;
    flags |= fixture->options.host_user ? 0 : CLONE_NEWUSER;
    flags |= fixture->options.host_net ? 0 : CLONE_NEWNET;
    fixture->pid = (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
    if (fixture->pid == 0)
        run_init(directory, start[0], ready[1]);
    if (fixture->pid < 0)
        r = -errno;
    (void)close(start[0]);
    (void)close(ready[1]);
    if (r == 0 && !fixture->options.host_user)
        r = write_maps(fixture->pid);
    if (r == 0 && write(start[1], "", 1) != 1)
        r = -errno;
    (void)close(start[1]);
    if (r == 0 && read(ready[0], &r, sizeof(r)) != sizeof(r))
        r = -EPIPE;
    (void)close(ready[0]);
    return r;
}

int fixture_start(const struct fixture_options *options, struct fixture **ret)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    if (!fixture)
        return -ENOMEM;
    if (options)
        fixture->options = *options;
    /* Its root is mounted here only until init has pivoted to it: nothing is left by a test that
     * fails. */
    char directory[] = "/tmp/devolve-fixture-XXXXXX";
    if (!mkdtemp(directory)) {
        free(fixture);
        return -errno;
    }
    int r = chmod(directory, 0755) < 0 ? -errno : start_init(fixture, directory);
    (void)rmdir(directory);
    if (r < 0) {
        fixture_stop(fixture);
        return r;
    }
    *ret = fixture;
    return 0;
}

void fixture_stop(struct fixture *fixture)
{
    if (!fixture)
        return;
    if (fixture->pid > 0) {
        (void)kill(fixture->pid, SIGKILL);
        (void)waitpid(fixture->pid, NULL, 0);
    }
    free(fixture);
}

pid_t fixture_pid(const struct fixture *fixture)
{
    return fixture->pid;
}

static int enter(const struct fixture *fixture)
{
    _cleanup_close_ int pid_fd = (int)syscall(SYS_pidfd_open, fixture->pid, 0);
    int kinds = CLONE_NEWNS | CLONE_NEWNET | (fixture->options.host_user ? 0 : CLONE_NEWUSER);
    if (pid_fd < 0 || setgroups(0, NULL) < 0 || setns(pid_fd, kinds) < 0 ||
        setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0 || chdir("/") < 0)
        return -errno;
    return 0;
}

pid_t fixture_launch(const struct fixture *fixture, fixture_function function, void *argument,
                     int *ret_result_fd)
{
    int result[2];
    if (pipe2(result, O_CLOEXEC) < 0)
        return -errno;
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(result[0]);
        int r = enter(fixture);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (r == 0)
            r = function(argument);
        _exit(write(result[1], &r, sizeof(r)) == sizeof(r) ? 0 : 1);
    }
    int error = errno;
    (void)close(result[1]);
    if (pid < 0) {
        (void)close(result[0]);
        return -error;
    }
    *ret_result_fd = result[0];
    return pid;
}

void fixture_kill(pid_t pid, int result_fd)
{
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    (void)close(result_fd);
}

int fixture_finish(pid_t pid, int result_fd)
{
    int r;
    struct pollfd look = {.fd = result_fd, .events = POLLIN};
    if (poll(&look, 1, DEADLINE_MS) != 1)
        r = -ETIMEDOUT;
    else if (read(result_fd, &r, sizeof(r)) != sizeof(r))
        r = -EIO;
    fixture_kill(pid, result_fd);
    return r;
}

int fixture_run(const struct fixture *fixture, fixture_function function, void *argument)
{
    int result_fd;
    pid_t pid = fixture_launch(fixture, function, argument, &result_fd);
    return pid < 0 ? pid : fixture_finish(pid, result_fd);
}

void *fixture_shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

/* The arguments of the little functions below. */
struct act {
    const char *path, *other;
    int flags;
    struct stat *stat;
};

static int act_open(void *argument)
{
    const struct act *act = argument;
    _cleanup_close_ int fd = open(act->path, act->flags | O_CLOEXEC | O_NOCTTY);
    return fd < 0 ? -errno : 0;
}

int fixture_open(const struct fixture *fixture, const char *path, int flags)
{
    return fixture_run(fixture, act_open, &(struct act){.path = path, .flags = flags});
}

static int act_stat(void *argument)
{
    const struct act *act = argument;
    return lstat(act->path, act->stat) < 0 ? -errno : 0;
}

int fixture_stat(const struct fixture *fixture, const char *path, struct stat *ret)
{
    static struct stat *shared;
    if (!shared && !(shared = fixture_shared(sizeof(*shared))))
        return -ENOMEM;
    int r = fixture_run(fixture, act_stat, &(struct act){.path = path, .stat = shared});
    if (r == 0)
        *ret = *shared;
    return r;
}

static int act_bind(void *argument)
{
    const struct act *act = argument;
    return mount(act->path, act->other, NULL, MS_BIND, NULL) < 0 ? -errno : 0;
}

int fixture_bind(const struct fixture *fixture, const char *from, const char *to)
{
    return fixture_run(fixture, act_bind, &(struct act){.path = from, .other = to});
}

static int act_mkdir(void *argument)
{
    const struct act *act = argument;
    return mkdir(act->path, 0755) < 0 ? -errno : 0;
}

int fixture_mkdir(const struct fixture *fixture, const char *path)
{
    return fixture_run(fixture, act_mkdir, &(struct act){.path = path});
}

static int act_symlink(void *argument)
{
    const struct act *act = argument;
    return symlink(act->other, act->path) < 0 ? -errno : 0;
}

int fixture_symlink(const struct fixture *fixture, const char *target, const char *path)
{
    return fixture_run(fixture, act_symlink, &(struct act){.path = path, .other = target});
}

static int act_write(void *argument)
{
    const struct act *act = argument;
    return write_text(act->path, act->other);
}

int fixture_write(const struct fixture *fixture, const char *path, const char *text)
{
    return fixture_run(fixture, act_write, &(struct act){.path = path, .other = text});
}

static int act_unlink(void *argument)
{
    const struct act *act = argument;
    return unlink(act->path) < 0 ? -errno : 0;
}

int fixture_unlink(const struct fixture *fixture, const char *path)
{
    return fixture_run(fixture, act_unlink, &(struct act){.path = path});
}

const char *fixture_missing(void)
{
    if (geteuid() != 0)
        return "not root";
    _cleanup_close_ int fd = open_beneath(AT_FDCWD, ".", O_PATH | O_DIRECTORY, 0);
    return fd < 0 ? "no openat2(2) here" : NULL;
}
