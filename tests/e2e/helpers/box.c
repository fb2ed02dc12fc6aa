/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * box: a throw-away container, for tests and demonstrations. Needs root.
 *
 *     box [--map INSIDE:HOST:COUNT]... [--no-userns] [--netns own|host|native]
 *         [--cgroup-v1 PATH] [--cgroup-v2 PATH] [--cgroup-ns] [--rootfs DIR]
 *         [--propagation private|shared] [--init] [--pid-file FILE] -- COMMAND [ARGUMENT...]
 *
 *     --map          one extent of the uid map and the gid map, up to 340; without any
 * 0:100000:65536. 0 must be mapped
 *     --no-userns    the host's user namespace: root in the container is root
 *     --netns        own (the default): made inside the user namespace; native: made before it, so
 *                    that it belongs to the host's user namespace; host: the host's
 *     --cgroup-v1, --cgroup-v2
 *                    a directory that is there; the container is put into it and leaves it empty
 *     --cgroup-ns    the container's cgroup is the root of what it sees of cgroup v2, which is at
 *                    /sys/fs/cgroup; writable where the directory belongs to the container's root
 *     --rootfs       the container's root; /dev, /proc, /sys, /run and /tmp are made where missing.
 *                    Without it the host's root file system, read-only and without what is mounted
 *                    on it
 *     --propagation  of all mounts inside, seen from inside; private unless said otherwise
 *     --init         COMMAND is itself the container's init; it is killed at once, without SIGTERM
 *     --pid-file     the host's pid of the container's init, written when COMMAND runs
 *
 * Inside are fresh /dev (null zero full random urandom tty, pts, ptmx, shm, fd, std*), /run and
 * /tmp on tmpfs, /proc, and /sys of its own where the kernel lets the container mount it (it does
 * not in a network namespace of the host's user namespace: the host's is shown then). The init
 * reaps, and hands SIGTERM, SIGINT and SIGHUP on to COMMAND. COMMAND reads from /dev/null and
 * writes where box writes.
 *
 * The container ends when COMMAND ends; when standard input of box ends, so mind that a shell gives
 * a command in the background /dev/null; at SIGTERM, SIGINT or SIGHUP to box; and when box dies,
 * however that is. COMMAND has 2 seconds after SIGTERM, the rest is killed. Nothing is left then
 * but FILE.
 *
 * Exit status: COMMAND's, 128 + N where signal N killed it, 0 where box was told to end it, 125
 * where there was no container, 2 for wrong usage.
 *
 * Three processes: `box` itself stays outside, starts and watches. The builder, of which nothing
 * stays, still has the host's authority when it joins cgroups and binds the root, then goes into
 * the new namespaces, has its maps written by box and starts the init as a child of box. The init
 * mounts what only a process of the new pid namespace may, leaves the old root and starts COMMAND.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <linux/mount.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define EXTENTS_MAX 340
#define EXIT_NO_CONTAINER 125
#define GRACE_MS 2000
#define ROOT "/tmp" /* where the container's root is mounted until it is the root */

enum netns { NETNS_OWN, NETNS_NATIVE, NETNS_HOST };

struct options {
    char maps[EXTENTS_MAX * 36]; /* as uid_map wants it */
    size_t extents;
    bool userns;
    enum netns netns;
    int cgroup_fds[2]; /* cgroup.procs, or -1 */
    int rootfs_fd;     /* O_PATH, or -1: the host's */
    bool cgroupns;
    bool shared;
    bool init; /* COMMAND is process 1 */
    int pid_file_fd;
    int null_fd; /* standard input of COMMAND */
    char **command;
};

/* How the three talk. All are close-on-exec: the exec of COMMAND is an end of file on `ready`. */
struct channels {
    int builder[2];  /* builder: 'u' when the namespaces are made, then the init's pid */
    int maps[2];     /* box: one byte when the maps are written */
    int ready[2];    /* init: 'r' when all is built; 'x' when COMMAND could not be started */
    int lifeline[2]; /* box holds the writing end for as long as it lives */
};

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
{
    int error = errno;
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "box: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, ": %s\n", strerror(error));
    va_end(arguments);
    _exit(EXIT_NO_CONTAINER);
}

/* --- options */

static void __attribute__((noreturn)) usage(const char *complaint)
{
    fprintf(stderr,
            "box: %s\nusage: box [--map INSIDE:HOST:COUNT]... [--no-userns] "
            "[--netns own|host|native] [--cgroup-v1 PATH] [--cgroup-v2 PATH] [--cgroup-ns] "
            "[--rootfs DIR] [--propagation private|shared] [--init] [--pid-file FILE] "
            "-- COMMAND [ARGUMENT...]\n",
            complaint);
    exit(2);
}

static void add_map(struct options *options, const char *text)
{
    unsigned inside, host, count;
    char rest;

    if (options->extents == EXTENTS_MAX)
        usage("more than 340 extents");
    if (sscanf(text, "%u:%u:%u%c", &inside, &host, &count, &rest) != 3)
        usage("--map wants INSIDE:HOST:COUNT");
    size_t used = strlen(options->maps);
    snprintf(options->maps + used, sizeof(options->maps) - used, "%u %u %u\n", inside, host, count);
    options->extents++;
}

static int open_cgroup(const char *group)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/cgroup.procs", group);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        die("%s", path);
    return fd;
}

static enum netns parse_netns(const char *word)
{
    static const char *const words[] = {"own", "native", "host"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(word, words[i]) == 0)
            return (enum netns)i;
    usage("--netns wants own, native or host");
}

static void parse_option(struct options *options, int option, const char *value)
{
    switch (option) {
    case 'm':
        add_map(options, value);
        break;
    case 'u':
        options->userns = false;
        break;
    case 'n':
        options->netns = parse_netns(value);
        break;
    case '1':
    case '2':
        options->cgroup_fds[option - '1'] = open_cgroup(value);
        break;
    case 'g':
        options->cgroupns = true;
        break;
    case 'i':
        options->init = true;
        break;
    case 'r':
        options->rootfs_fd = open(value, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (options->rootfs_fd < 0)
            die("%s", value);
        break;
    case 's':
        options->shared = strcmp(value, "shared") == 0;
        if (!options->shared && strcmp(value, "private") != 0)
            usage("--propagation wants private or shared");
        break;
    case 'p':
        options->pid_file_fd = open(value, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (options->pid_file_fd < 0)
            die("%s", value);
        break;
    default:
        usage("unknown option");
    }
}

/* Everything that is named by a path is opened here, while paths still mean what the caller meant.
 */
static void parse_options(struct options *options, int argc, char **argv)
{
    static const struct option words[] = {
        {"map", required_argument, NULL, 'm'},
        {"no-userns", no_argument, NULL, 'u'},
        {"netns", required_argument, NULL, 'n'},
        {"cgroup-v1", required_argument, NULL, '1'},
        {"cgroup-v2", required_argument, NULL, '2'},
        {"cgroup-ns", no_argument, NULL, 'g'},
        {"init", no_argument, NULL, 'i'},
        {"rootfs", required_argument, NULL, 'r'},
        {"propagation", required_argument, NULL, 's'},
        {"pid-file", required_argument, NULL, 'p'},
        {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "+", words, NULL)) >= 0)
        parse_option(options, option, optarg);
    if (optind == argc)
        usage("no command");
    if (options->extents > 0 && !options->userns)
        usage("--map and --no-userns exclude each other");
    if (options->extents == 0)
        add_map(options, "0:100000:65536");
    options->command = argv + optind;
}

/* --- the builder: the host's root first, then root of the new namespaces */

static void join_cgroups(const struct options *options)
{
    for (size_t i = 0; i < ARRAY_SIZE(options->cgroup_fds); i++)
        if (options->cgroup_fds[i] >= 0 && write(options->cgroup_fds[i], "0", 1) != 1)
            die("joining the cgroup");
}

/*
 * A tree of one mount at ROOT, in a mount namespace where nobody else looks. With the host's
 * authority: in a user namespace the host's root could be bound only together with all that is
 * mounted on it.
 */
static void bind_root(const struct options *options)
{
    bool given = options->rootfs_fd >= 0;

    /* Cloned before we leave: a descriptor cannot be bound from another mount namespace. */
    int tree = (int)syscall(SYS_open_tree, given ? options->rootfs_fd : AT_FDCWD, given ? "" : "/",
                            OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (given ? AT_EMPTY_PATH : 0));
    if (tree < 0)
        die("binding the root");
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        die("a mount namespace");
    if (syscall(SYS_move_mount, tree, "", AT_FDCWD, ROOT, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        die("mounting the root");
    /* Not mount_setattr(2), which came with 5.12. */
    if (mount("none", ROOT, NULL, MS_PRIVATE, NULL) < 0 ||
        (!given && mount("none", ROOT, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0))
        die("making the root private");
    close(tree);
}

static void raise_loopback(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
        fprintf(stderr, "box: note: lo stays down: %s\n", strerror(errno));
    if (fd >= 0)
        close(fd);
}

static void enter_namespaces(const struct options *options)
{
    int flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;

    if (options->netns == NETNS_NATIVE) {
        if (unshare(CLONE_NEWNET) < 0)
            die("a network namespace");
        raise_loopback();
    }
    if (options->netns == NETNS_OWN)
        flags |= CLONE_NEWNET;
    if (options->userns)
        flags |= CLONE_NEWUSER;
    if (options->cgroupns)
        flags |= CLONE_NEWCGROUP;
    if (unshare(flags) < 0)
        die("namespaces");
}

static void become_root_inside(const struct options *options, const struct channels *channels)
{
    char byte;

    if (!options->userns)
        return;
    if (write(channels->builder[1], "u", 1) != 1 || read(channels->maps[0], &byte, 1) != 1)
        _exit(EXIT_NO_CONTAINER); /* box has said why */
    if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
        die("becoming root inside (is 0 mapped?)");
    /* The change of ids took it; /proc/PID of the init would belong to nobody inside. */
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
        die("staying dumpable");
}

/* --- the init */

static void make_directory(const char *path, mode_t mode)
{
    if (mkdir(path, mode) < 0 && errno != EEXIST)
        die("%s", path);
}

static void mount_tmpfs(const char *path, const char *data)
{
    if (mount("tmpfs", path, "tmpfs", MS_NOSUID, data) < 0)
        die("tmpfs on %s", path);
}

/* A file of its own with the host's node bound over it: a node made here could not be opened. */
static void bind_node(const char *name)
{
    char host[64], inside[64];

    snprintf(host, sizeof(host), "/dev/%s", name);
    snprintf(inside, sizeof(inside), ROOT "/dev/%s", name);
    int fd = open(inside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0 || mount(host, inside, NULL, MS_BIND, NULL) < 0)
        die("%s", inside);
    close(fd);
}

static void make_dev(void)
{
    static const char *const nodes[] = {"null", "zero", "full", "random", "urandom", "tty"};
    static const char *const links[][2] = {
        {"pts/ptmx", ROOT "/dev/ptmx"},          {"/proc/self/fd", ROOT "/dev/fd"},
        {"/proc/self/fd/0", ROOT "/dev/stdin"},  {"/proc/self/fd/1", ROOT "/dev/stdout"},
        {"/proc/self/fd/2", ROOT "/dev/stderr"},
    };

    mount_tmpfs(ROOT "/dev", "mode=755");
    for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
        bind_node(nodes[i]);
    for (size_t i = 0; i < ARRAY_SIZE(links); i++)
        if (symlink(links[i][0], links[i][1]) < 0)
            die("%s", links[i][1]);
    make_directory(ROOT "/dev/shm", 01777);
    if (chmod(ROOT "/dev/shm", 01777) < 0)
        die(ROOT "/dev/shm");
    make_directory(ROOT "/dev/pts", 0755);
    if (mount("devpts", ROOT "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
              "newinstance,ptmxmode=0666,mode=620") < 0)
        die("devpts");
}

/* Before the old root is left: in a user namespace both may be mounted only where one can be seen.
 */
static void mount_proc_and_sys(void)
{
    unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

    if (mount("proc", ROOT "/proc", "proc", flags, NULL) < 0)
        die("proc");
    if (mount("sysfs", ROOT "/sys", "sysfs", flags, NULL) < 0 &&
        mount("/sys", ROOT "/sys", NULL, MS_BIND | MS_REC, NULL) < 0)
        die("sysfs");
}

static void mount_cgroup(void)
{
    if (mount("cgroup2", ROOT "/sys/fs/cgroup", "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) <
        0)
        die("cgroup2");
}

static void build_root(const struct options *options)
{
    bool given = options->rootfs_fd >= 0;
    static const char *const directories[] = {"dev", "proc", "sys", "run", "tmp"};
    char path[32];

    /* Bound over itself: what came along into a user namespace is locked and cannot be the root. */
    if (mount(ROOT, ROOT, NULL, MS_BIND | MS_REC, NULL) < 0)
        die("binding the root");
    for (size_t i = 0; given && i < ARRAY_SIZE(directories); i++) {
        snprintf(path, sizeof(path), ROOT "/%s", directories[i]);
        make_directory(path, 0755);
    }
    make_dev();
    mount_proc_and_sys();
    if (options->cgroupns)
        mount_cgroup();
    mount_tmpfs(ROOT "/run", "mode=755");
    mount_tmpfs(ROOT "/tmp", "mode=1777");
}

/* pivot_root(2) stacks the old root on the new one's directory, from where it is detached. */
static void change_root(bool shared)
{
    if (chdir(ROOT) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 ||
        chdir("/") < 0)
        die("changing the root");
    if (mount("none", "/", NULL, MS_REC | (shared ? MS_SHARED : MS_PRIVATE), NULL) < 0)
        die("the propagation of mounts");
}

static void __attribute__((noreturn)) run_command(const struct options *options, int ready_fd)
{
    sigset_t none;

    sigemptyset(&none);
    if (setsid() >= 0 && sigprocmask(SIG_SETMASK, &none, NULL) == 0 &&
        dup2(options->null_fd, STDIN_FILENO) >= 0)
        execvp(options->command[0], options->command);
    fprintf(stderr, "box: %s: %s\n", options->command[0], strerror(errno));
    (void)!write(ready_fd, "x", 1);
    _exit(EXIT_NO_CONTAINER);
}

/* Nobody watches over an init of the caller's; so it dies when box does. */
static void __attribute__((noreturn))
become_command(const struct options *options, const struct channels *channels)
{
    struct pollfd lifeline = {.fd = channels->lifeline[0]};
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        die("dying with box");
    if (poll(&lifeline, 1, 0) != 0)
        _exit(EXIT_NO_CONTAINER); /* box is gone */
    run_command(options, channels->ready[1]);
}

static int exit_status(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Reaps until the command is among the dead; everything else dies with the init. */
static void reap(pid_t command)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == command)
            _exit(exit_status(status));
}

static void __attribute__((noreturn)) watch_command(pid_t command, int signal_fd, int lifeline_fd)
{
    struct signalfd_siginfo info;
    struct pollfd polled[] = {{.fd = signal_fd, .events = POLLIN}, {.fd = lifeline_fd}};

    for (;;) {
        if (poll(polled, ARRAY_SIZE(polled), -1) < 0)
            continue;
        if (polled[1].revents)
            _exit(EXIT_NO_CONTAINER); /* box is gone */
        if (read(signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
            die("reading signals");
        if (info.ssi_signo == SIGCHLD)
            reap(command);
        else
            (void)kill(command, (int)info.ssi_signo);
    }
}

static void __attribute__((noreturn))
run_init(const struct options *options, const struct channels *channels, int signal_fd)
{
    close(channels->builder[1]);
    if (options->netns == NETNS_OWN)
        raise_loopback();
    if (sethostname("box", strlen("box")) < 0)
        die("the host name");
    umask(0022);
    build_root(options);
    change_root(options->shared);

    if (write(channels->ready[1], "r", 1) != 1)
        die("telling that all is ready");
    if (options->init)
        become_command(options, channels);
    pid_t command = fork();
    if (command == 0)
        run_command(options, channels->ready[1]);
    if (command < 0)
        die("starting the command");
    close(channels->ready[1]);
    watch_command(command, signal_fd, channels->lifeline[0]);
}

/* The init is to be a child of box, so it is forked as a sibling. */
static pid_t fork_sibling(void)
{
    return (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
}

static void __attribute__((noreturn))
run_builder(const struct options *options, const struct channels *channels, int signal_fd)
{
    close(channels->builder[0]);
    close(channels->maps[1]);
    close(channels->ready[0]);
    close(channels->lifeline[1]);
    join_cgroups(options);
    bind_root(options);
    enter_namespaces(options);
    become_root_inside(options, channels);

    pid_t init = fork_sibling();
    if (init == 0)
        run_init(options, channels, signal_fd);
    if (init < 0 || write(channels->builder[1], &init, sizeof(init)) != (ssize_t)sizeof(init))
        die("starting the init");
    _exit(0);
}

/* --- box */

static int write_map(pid_t pid, const char *file, const char *map)
{
    char path[64];
    ssize_t written = -1;

    snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        written = write(fd, map, strlen(map)); /* the kernel takes it at once or not at all */
        close(fd);
    }
    return written == (ssize_t)strlen(map) ? 0 : -1;
}

static int write_maps(pid_t builder, const char *map)
{
    if (write_map(builder, "uid_map", map) == 0 && write_map(builder, "gid_map", map) == 0)
        return 0;
    fprintf(stderr, "box: the kernel refuses the map: %s\n", strerror(errno));
    return -1;
}

/* Returns the init's pid, or -1 where it did not come to one. */
static pid_t guide_builder(const struct options *options, const struct channels *channels,
                           pid_t builder)
{
    char byte;
    pid_t init = -1;

    if (options->userns &&
        (read(channels->builder[0], &byte, 1) != 1 || write_maps(builder, options->maps) < 0 ||
         write(channels->maps[1], "g", 1) != 1))
        return -1;
    if (read(channels->builder[0], &init, sizeof(init)) != (ssize_t)sizeof(init))
        return -1;
    return init;
}

/* Whether COMMAND came to run. */
static bool wait_ready(int ready_fd)
{
    char byte, last = 0;
    while (read(ready_fd, &byte, 1) == 1)
        last = byte;
    return last == 'r';
}

static void make_channels(struct channels *channels)
{
    if (pipe2(channels->builder, O_CLOEXEC) < 0 || pipe2(channels->maps, O_CLOEXEC) < 0 ||
        pipe2(channels->ready, O_CLOEXEC) < 0 || pipe2(channels->lifeline, O_CLOEXEC) < 0)
        die("pipes");
}

/* Returns the init's pid once COMMAND runs; otherwise box ends, and nothing is left. */
static pid_t start(const struct options *options, struct channels *channels, int signal_fd)
{
    make_channels(channels);
    pid_t builder = fork();
    if (builder < 0)
        die("starting the builder");
    if (builder == 0)
        run_builder(options, channels, signal_fd);
    close(channels->builder[1]);
    close(channels->maps[0]);
    close(channels->ready[1]);
    close(channels->lifeline[0]);

    pid_t init = guide_builder(options, channels, builder);
    close(channels->maps[1]); /* ends a builder that still waits for its maps */
    waitpid(builder, NULL, 0);
    if (init < 0)
        exit(EXIT_NO_CONTAINER);
    if (!wait_ready(channels->ready[0])) {
        waitpid(init, NULL, 0);
        exit(EXIT_NO_CONTAINER);
    }
    return init;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Whether standard input is at its end; what comes before that is nobody's. */
static bool input_ended(void)
{
    char bytes[512];
    ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
    return n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
}

/* Whether a signal asked for the end. The end of the init ends box. */
static bool handle_signal(int signal_fd, pid_t init, bool asked)
{
    struct signalfd_siginfo info;
    int status;

    if (read(signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
        die("reading signals");
    if (info.ssi_signo != SIGCHLD)
        return true;
    if (waitpid(init, &status, WNOHANG) == init)
        exit(asked ? 0 : exit_status(status));
    return false;
}

static void __attribute__((noreturn)) watch_container(pid_t init, int signal_fd, int end_signal)
{
    struct pollfd polled[] = {{.fd = signal_fd, .events = POLLIN},
                              {.fd = STDIN_FILENO, .events = POLLIN}};
    bool asked = false;
    int64_t deadline = 0;

    for (;;) {
        int64_t left = asked ? deadline - now_ms() : -1;
        if (asked && left <= 0) {
            (void)kill(init, SIGKILL);
            left = -1;
        }
        if (poll(polled, ARRAY_SIZE(polled), (int)left) < 0)
            continue;
        bool end = polled[1].revents && input_ended();
        if (polled[0].revents)
            end |= handle_signal(signal_fd, init, asked);
        if (!end || asked)
            continue;
        asked = true;
        polled[1].fd = -1;
        deadline = now_ms() + GRACE_MS;
        (void)kill(init, end_signal);
    }
}

static int block_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
        die("blocking signals");
    int fd = signalfd(-1, &signals, SFD_CLOEXEC);
    if (fd < 0)
        die("signalfd");
    return fd;
}

int main(int argc, char **argv)
{
    static struct options options = {
        .userns = true, .cgroup_fds = {-1, -1}, .rootfs_fd = -1, .pid_file_fd = -1};
    struct channels channels;

    /* Among what a shell hands down may be the other end of our standard input: no end would come.
     */
    (void)close_range(3, ~0u, 0);
    parse_options(&options, argc, argv);
    options.null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (options.null_fd < 0)
        die("/dev/null");
    int signal_fd = block_signals();
    pid_t init = start(&options, &channels, signal_fd);
    if (options.pid_file_fd >= 0 && dprintf(options.pid_file_fd, "%d\n", init) < 0)
        die("the pid file");
    watch_container(init, signal_fd, options.init ? SIGKILL : SIGTERM);
}
