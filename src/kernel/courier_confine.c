/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/courier_confine.h"

/*
 * In this order: first what needs the host (its /dev/null, no supplementary groups: a container may
 * forbid setgroups(2)), then the user namespace, which gives every capability in it, then the mount
 * namespace and the root, then the ids, then away with the capabilities but SYS_ADMIN, with the
 * descriptors, and last the filter. In a container without a user namespace SYS_ADMIN is the
 * host's: there the filter and the root directory are what confines.
 */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernel/courier_filter.h"

enum { SOCKET_FD = 3, ROOT_FD = 4, FREE_FD = 5 }; /* 0 to 2 are /dev/null */

/* strerror(3) would ask for a translation, that is for files. */
static int refuse_step(struct refusal *why, const char *step)
{
    int error = errno;
    return refuse(why, error, "the courier cannot %s: %s", step, strerrordesc_np(error));
}

/*
 * The end comes by the socket, so that a request that has begun is carried out: what stops devolved
 * (systemd signals the whole cgroup, a terminal the foreground) must not stop its couriers first.
 */
static void reset_signals(void)
{
    sigset_t none;
    for (int signal_number = 1; signal_number < _NSIG; signal_number++)
        (void)signal(signal_number, SIG_DFL);
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int join(const struct namespaces *namespaces, struct refusal *why)
{
    if (setgroups(0, NULL) < 0)
        return refuse_step(why, "drop its groups");
    if (namespaces->user_fd >= 0 && setns(namespaces->user_fd, CLONE_NEWUSER) < 0)
        return refuse_step(why, "join the container's user namespace");
    if (setns(namespaces->mount_fd, CLONE_NEWNS) < 0)
        return refuse_step(why, "join the container's mount namespace");
    if (fchdir(namespaces->root_fd) < 0 || chroot(".") < 0)
        return refuse_step(why, "enter the container's root");
    return 0;
}

static int become_root(struct refusal *why)
{
    if (setresgid(0, 0, 0) < 0)
        return refuse_step(why, "become gid 0 inside (is it in the map?)");
    if (setresuid(0, 0, 0) < 0)
        return refuse_step(why, "become uid 0 inside (is it in the map?)");
    umask(0);
    return 0;
}

/* move_mount(2) and umount(2) need SYS_ADMIN; a root that owns /dev needs nothing more. */
static int drop_capabilities(struct refusal *why)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
    data[0].effective = data[0].permitted = 1u << CAP_SYS_ADMIN;
    if (syscall(SYS_capset, &header, data) < 0)
        return refuse_step(why, "drop its capabilities");
    return 0;
}

/*
 * Leaves /dev/null, the socket and the root. 0 to 2 stay taken: a library that complains on
 * standard error must not write to the container's passwd file.
 */
static int arrange_descriptors(int null_fd, int socket_fd, int root_fd, struct refusal *why)
{
    /* Above all numbers that are about to be overwritten. */
    int null = fcntl(null_fd, F_DUPFD_CLOEXEC, 16);
    int socket = fcntl(socket_fd, F_DUPFD_CLOEXEC, 16);
    int root = fcntl(root_fd, F_DUPFD_CLOEXEC, 16);
    if (null < 0 || socket < 0 || root < 0)
        return refuse_step(why, "arrange its descriptors");
#ifdef COURIER_SANITIZED
    int last = STDOUT_FILENO;
#else
    int last = STDERR_FILENO;
#endif
    for (int fd = 0; fd <= last; fd++)
        if (dup2(null, fd) < 0)
            return refuse_step(why, "arrange its descriptors");
    if (dup2(socket, SOCKET_FD) < 0 || dup2(root, ROOT_FD) < 0)
        return refuse_step(why, "arrange its descriptors");
    if (close_range(FREE_FD, ~0u, 0) < 0)
        return refuse_step(why, "close its descriptors");
    return 0;
}

/* After the ids: changing them makes a process dumpable again, as fs.suid_dumpable has it. */
static int lock_down(struct refusal *why)
{
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return refuse_step(why, "become undumpable");
    int r = courier_filter_install();
    if (r < 0) {
        errno = -r;
        return refuse_step(why, "install its filter");
    }
    return 0;
}

/* A container may have the host's directories bound over its own: udev's database stays the host's.
 */
static void look_at_run(struct courier_world *world)
{
    static const char *const paths[COURIER_HOST_RUN] = {"/run", "/run/udev", "/run/udev/data",
                                                        "/run/udev/tags"};
    struct stat st;
    for (size_t i = 0; i < COURIER_HOST_RUN; i++)
        if (stat(paths[i], &st) == 0) {
            world->host_run[i].device = st.st_dev;
            world->host_run[i].inode = st.st_ino;
        }
}

int courier_confine(int socket_fd, const struct namespaces *namespaces, struct courier_world *ret,
                    struct refusal *why)
{
    struct stat dev;
    *ret = (struct courier_world){.socket_fd = socket_fd, .root_fd = -1};
    reset_signals();
    (void)prctl(PR_SET_NAME, "devolve-courier", 0, 0, 0);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd < 0 || stat("/dev", &dev) < 0)
        return refuse_step(why, "look at the host's /dev");
    ret->host_device = dev.st_dev;
    look_at_run(ret);

    int r = join(namespaces, why);
    if (r >= 0)
        r = become_root(why);
    if (r >= 0)
        r = drop_capabilities(why);
    if (r >= 0)
        r = arrange_descriptors(null_fd, socket_fd, namespaces->root_fd, why);
    if (r < 0)
        return r;
    ret->socket_fd = SOCKET_FD;
    ret->root_fd = ROOT_FD;
    return lock_down(why);
}
