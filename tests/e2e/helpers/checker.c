// SPDX-License-Identifier: LGPL-2.1-or-later
//
// checker PREFIX [MAJOR]: a container's program that tries to open what it has no right to, all the
// time.
//
// Devices are macvtaps, which tell their names when they are opened (TUNGETIFF); only those whose
// name begins with PREFIX have a right to be opened here. It listens to the kernel's events, and
// opens every node that it was ever told of, and bind mounts of them that it makes and keeps. With
// MAJOR it listens to nothing, and opens nodes of its own making, of each number.
//
// An open of a node is a violation, whatever it opens, where it began after `remove` was read of
// the device that the node was made for. (A node with another inode at the same path is another
// one: it comes before its `add`.) One of a device without a right is in the window before that:
// the kernel gave the number to another device before anybody could know. The first open of each
// window is a line, too, and so is each event ("add NAME"). A window lasts from there until
// `remove` is read, or until the node of our own making does not open that device any more.
//
// SIGUSR1: three rounds through everything in which each open of a device without a right is a
// violation; it writes "strict" when they are over. SIGTERM: it writes
// "rounds N opens N right N told N window N windows N median-us N longest-us N violations N" and
// ends. Each violation is a line of its own.

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define MINORS 32 // the kernel takes the lowest that is free
#define COPIES 16 // that are kept of each number
#define STRICT_ROUNDS 3

struct number {
    bool told;         // by an `add`, and no `remove` since
    uint64_t taken_us; // when another device than it was given for was first opened; 0: not
    char name[64];     // of the node in /dev
    ino_t inode;       // that it had when `add` was read
    unsigned copies;   // bind mounts that were made of it
};

static const char *prefix;
static struct number numbers[MINORS];
static unsigned strict_rounds;
static unsigned long long rounds, opens, right, told, window_opens, violations;
static struct {
    uint64_t us[1 << 16];
    size_t count;
} windows;
static bool own_nodes;
static volatile sig_atomic_t ended, asked;

static void on_end(int signal_number)
{
    (void)signal_number;
    ended = 1;
}

static void on_question(int signal_number)
{
    (void)signal_number;
    asked = 1;
}

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void copy_path(char out[static 64], unsigned minor, unsigned copy)
{
    snprintf(out, 64, "/dev/kept-%u-%u", minor, copy);
}

// A bind mount of the node, in the place of the oldest one.
static void keep_copy(unsigned minor)
{
    struct number *number = &numbers[minor];
    char path[64], node[80];
    copy_path(path, minor, number->copies++ % COPIES);
    snprintf(node, sizeof(node), "/dev/%s", number->name);
    umount2(path, MNT_DETACH);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    (void)mount(node, path, NULL, MS_BIND, NULL);
}

static ino_t inode_of(const char *name)
{
    char path[80];
    struct stat status;
    snprintf(path, sizeof(path), "/dev/%s", name);
    return stat(path, &status) < 0 ? 0 : status.st_ino;
}

static void on_add(unsigned minor, const char *name)
{
    struct number *number = &numbers[minor];
    number->told = true;
    told++;
    printf("add %s\n", name);
    fflush(stdout);
    snprintf(number->name, sizeof(number->name), "%s", name);
    number->inode = inode_of(name);
    keep_copy(minor);
}

static void make_own(unsigned major)
{
    own_nodes = true;
    char path[80];
    for (unsigned minor = 0; minor < MINORS; minor++) {
        struct number *number = &numbers[minor];
        snprintf(number->name, sizeof(number->name), "own-%u", minor);
        snprintf(path, sizeof(path), "/dev/%s", number->name);
        number->told = true; /* nobody says when it is not */
        if (mknod(path, S_IFCHR | 0600, makedev(major, minor)) < 0) {
            perror("checker: mknod");
            exit(1);
        }
    }
}

// Where there was one.
static void end_window(struct number *number)
{
    if (number->taken_us && windows.count < sizeof(windows.us) / sizeof(windows.us[0]))
        windows.us[windows.count++] = now_us() - number->taken_us;
    number->taken_us = 0;
}

static void on_remove(unsigned minor, const char *name)
{
    struct number *number = &numbers[minor];
    end_window(number);
    number->told = false;
    printf("remove %s\n", name);
    fflush(stdout);
}

static const char *get(const char *message, size_t size, const char *key)
{
    size_t length = strlen(key);
    for (const char *at = message; at < message + size; at += strlen(at) + 1)
        if (strncmp(at, key, length) == 0 && at[length] == '=')
            return at + length + 1;
    return "";
}

static void on_message(const char *message, size_t size)
{
    const char *action = get(message, size, "ACTION");
    unsigned minor = (unsigned)atoi(get(message, size, "MINOR"));
    if (strcmp(get(message, size, "SUBSYSTEM"), "macvtap") != 0 || minor >= MINORS)
        return;
    if (strcmp(action, "add") == 0)
        on_add(minor, get(message, size, "DEVNAME"));
    else if (strcmp(action, "remove") == 0)
        on_remove(minor, get(message, size, "DEVNAME"));
}

static int listen_to_kernel(void)
{
    int bytes = 1 << 20;
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        perror("checker: uevent socket");
        exit(1);
    }
    return fd;
}

static void read_events(int events_fd)
{
    char message[8192];
    while (events_fd >= 0) {
        ssize_t size = recv(events_fd, message, sizeof(message) - 1, 0);
        if (size < 0 && errno == ENOBUFS) {
            printf("violation: events were lost\n"); // nothing could be said of what follows
            violations++;
        } else if (size < 0) {
            return;
        } else {
            message[size] = '\0';
            on_message(message, (size_t)size);
        }
    }
}

static bool has_right(const char *name)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

static void violation(const char *path, const char *name, const char *reason)
{
    violations++;
    printf("violation: %s opened %s, %s\n", path, name, reason);
    fflush(stdout);
}

struct opened {
    char name[IFNAMSIZ]; // of the interface
    ino_t inode;
    uint64_t began_us;
};

// The first of each window is noted.
static void judge_window(struct number *number, const char *path, const struct opened *opened)
{
    window_opens++;
    if (number->taken_us)
        return;
    number->taken_us = opened->began_us;
    printf("window: %s opened %s\n", path, opened->name);
    fflush(stdout);
}

// dead: `remove` was read of what this very node was made for.
static void judge(struct number *number, const char *path, bool dead, const struct opened *opened)
{
    if (dead)
        violation(path, opened->name, "after it was taken back");
    else if (has_right(opened->name))
        right++;
    else if (strict_rounds > 0 || !number->told)
        violation(path, opened->name, "which has no right");
    else
        judge_window(number, path, opened);
}

static bool try_open(const char *path, struct opened *ret)
{
    struct ifreq request = {0};
    struct stat status = {0};
    ret->began_us = now_us();
    opens++;
    int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool is_tap = ioctl(fd, TUNGETIFF, &request) == 0 && fstat(fd, &status) == 0;
    close(fd);
    memcpy(ret->name, request.ifr_name, IFNAMSIZ);
    ret->inode = status.st_ino;
    return is_tap;
}

static void try_node(struct number *number)
{
    char path[80];
    struct opened opened;
    snprintf(path, sizeof(path), "/dev/%s", number->name);
    bool open = try_open(path, &opened);
    if (open)
        judge(number, path, !number->told && opened.inode == number->inode, &opened);
    if (own_nodes && (!open || has_right(opened.name)))
        end_window(number);
}

// The newest is of what was told last; those before it are of what went.
static void try_copy(struct number *number, unsigned minor, unsigned copy)
{
    char path[80];
    struct opened opened;
    copy_path(path, minor, copy);
    if (try_open(path, &opened))
        judge(number, path, !number->told || copy != (number->copies - 1) % COPIES, &opened);
}

static void try_number(int events_fd, unsigned minor)
{
    struct number *number = &numbers[minor];
    if (!number->name[0])
        return;
    read_events(events_fd);
    try_node(number);
    for (unsigned i = 0; i < COPIES && i < number->copies; i++) {
        read_events(events_fd);
        try_copy(number, minor, i);
    }
}

static void end_round(void)
{
    rounds++;
    if (strict_rounds > 0 && --strict_rounds == 0) {
        printf("strict\n");
        fflush(stdout);
    }
}

static int compare_us(const void *first, const void *second)
{
    uint64_t a = *(const uint64_t *)first, b = *(const uint64_t *)second;
    return (a > b) - (a < b);
}

static void print_summary(void)
{
    size_t count = windows.count;
    qsort(windows.us, count, sizeof(windows.us[0]), compare_us);
    printf("rounds %llu opens %llu right %llu told %llu ", rounds, opens, right, told);
    printf("window %llu windows %zu median-us %llu longest-us %llu violations %llu\n", window_opens,
           count, count ? (unsigned long long)windows.us[count / 2] : 0,
           count ? (unsigned long long)windows.us[count - 1] : 0, violations);
}

static void one_round(int events_fd)
{
    const struct timespec pause = {.tv_nsec = 100000};
    if (asked) {
        asked = 0;
        strict_rounds = STRICT_ROUNDS;
    }
    read_events(events_fd);
    for (unsigned minor = 0; minor < MINORS; minor++)
        try_number(events_fd, minor);
    end_round();
    nanosleep(&pause, NULL);
}

int main(int argc, char **argv)
{
    int events_fd = -1;
    if (argc != 2 && argc != 3)
        return 2;
    prefix = argv[1];
    signal(SIGTERM, on_end);
    signal(SIGUSR1, on_question);
    if (argc == 3)
        make_own((unsigned)atoi(argv[2]));
    else
        events_fd = listen_to_kernel();
    printf("ready\n");
    fflush(stdout);
    while (!ended)
        one_round(events_fd);
    print_summary();
    return 0;
}
