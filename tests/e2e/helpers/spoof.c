/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * spoof: a uevent that is not the kernel's, in one of the ways it can be forged.
 *
 *     spoof VARIANT [--pid PID] [--devpath DEVPATH] [--action ACTION] [--count N]
 *
 *     multicast    by a process, to group 1
 *     net-admin    the same with CAP_NET_ADMIN alone
 *     unicast      by a process, to the port of each socket of process PID that listens to group 1
 *     injected     through the kernel, which sends it on as if it were its own
 *     credentials  through the kernel, with the process id of init in its credentials
 *     multicast-credentials  by a process, to group 1, in the name of init
 *     oversize     by a process, to group 1, longer than any reader's buffer
 *     kernel-pid   through the kernel, with process id 0: what no kernel lets pass
 *
 * DEVPATH is that of block device loop4242 (7:4242) unless told otherwise, ACTION is add. It is
 * sent into the network namespace that spoof runs in. Ends with status 0 when all N (1) were sent;
 * else 1, and the error is on standard error.
 */

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define OVERSIZE 20000

struct variant {
    const char *name;
    uint32_t groups;
    bool through_kernel;
    bool to_process;      /* to PID's sockets */
    bool net_admin_alone; /* all other capabilities are dropped first */
    bool claims;          /* credentials of process `claimed` */
    pid_t claimed;
    size_t size; /* padded with zeros to this many bytes */
};

static const struct variant variants[] = {
    {.name = "multicast", .groups = 1},
    {.name = "net-admin", .groups = 1, .net_admin_alone = true},
    {.name = "unicast", .to_process = true},
    {.name = "injected", .through_kernel = true},
    {.name = "credentials", .through_kernel = true, .claims = true, .claimed = 1},
    {.name = "multicast-credentials", .groups = 1, .claims = true, .claimed = 1},
    {.name = "oversize", .groups = 1, .size = OVERSIZE},
    {.name = "kernel-pid", .through_kernel = true, .claims = true, .claimed = 0},
};

struct options {
    const struct variant *variant;
    pid_t pid;
    const char *devpath;
    const char *action;
    unsigned count;
};

static void die(const char *what)
{
    fprintf(stderr, "spoof: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void usage(void)
{
    fprintf(stderr, "usage: spoof VARIANT [--pid PID] [--devpath DEVPATH] [--action ACTION] "
                    "[--count N]\nvariants:");
    for (size_t i = 0; i < ARRAY_SIZE(variants); i++)
        fprintf(stderr, " %s", variants[i].name);
    fprintf(stderr, "\n");
    exit(2);
}

static size_t make_message(const struct options *options, char *message, size_t size)
{
    const char *slash = strrchr(options->devpath, '/');
    int length = snprintf(message, size,
                          "%s@%s%cACTION=%s%cDEVPATH=%s%cSUBSYSTEM=block%cMAJOR=7%cMINOR=4242%c"
                          "DEVNAME=%s%cDEVTYPE=disk%cSEQNUM=1",
                          options->action, options->devpath, 0, options->action, 0,
                          options->devpath, 0, 0, 0, 0, slash ? slash + 1 : "loop4242", 0, 0);
    if (length < 0 || (size_t)length >= size)
        die("the devpath is too long");
    size_t used = (size_t)length + 1;
    if (options->variant->through_kernel)
        used -= sizeof("SEQNUM=1"); /* the kernel puts its own there */
    return options->variant->size > used ? options->variant->size : used;
}

static void put_credentials(struct msghdr *header, void *control, size_t size, pid_t pid)
{
    struct ucred credentials = {.pid = pid};
    memset(control, 0, size);
    header->msg_control = control;
    header->msg_controllen = size;
    struct cmsghdr *part = CMSG_FIRSTHDR(header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_CREDENTIALS;
    part->cmsg_len = CMSG_LEN(sizeof(credentials));
    memcpy(CMSG_DATA(part), &credentials, sizeof(credentials));
}

static void send_to(int fd, const struct options *options, uint32_t port)
{
    static char message[2 * OVERSIZE];
    size_t size = make_message(options, message, OVERSIZE);
    const struct variant *variant = options->variant;
    struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_pid = port, .nl_groups = variant->groups};
    struct nlmsghdr netlink = {
        .nlmsg_len = (uint32_t)(sizeof(netlink) + size),
        .nlmsg_type = NLMSG_MIN_TYPE,
        .nlmsg_flags = NLM_F_REQUEST,
    };
    struct iovec parts[] = {
        {.iov_base = &netlink, .iov_len = variant->through_kernel ? sizeof(netlink) : 0},
        {.iov_base = message, .iov_len = size},
    };
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct msghdr header = {.msg_name = &to,
                            .msg_namelen = sizeof(to),
                            .msg_iov = parts,
                            .msg_iovlen = ARRAY_SIZE(parts)};

    if (variant->claims)
        put_credentials(&header, &control, sizeof(control), variant->claimed);
    if (sendmsg(fd, &header, 0) < 0)
        die(variant->name);
}

/* Whether one of the process's descriptors is the socket of this inode number. */
static bool process_has_socket(pid_t pid, unsigned long inode)
{
    char path[64], link[64], wanted[64], target[64];
    bool found = false;

    snprintf(path, sizeof(path), "/proc/%d/fd", pid);
    snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
    DIR *descriptors = opendir(path);
    if (!descriptors)
        die(path);
    for (struct dirent *entry; !found && (entry = readdir(descriptors));) {
        snprintf(link, sizeof(link), "/proc/%d/fd/%.20s", pid, entry->d_name);
        ssize_t length = readlink(link, target, sizeof(target) - 1);
        target[length > 0 ? length : 0] = '\0';
        found = strcmp(target, wanted) == 0;
    }
    closedir(descriptors);
    return found;
}

/* Returns how many sockets of the process it went to. */
static unsigned send_to_process(int fd, const struct options *options)
{
    unsigned protocol, port, groups, sent = 0;
    unsigned long inode;
    char line[256];

    FILE *sockets = fopen("/proc/self/net/netlink", "re");
    if (!sockets)
        die("/proc/self/net/netlink");
    while (fgets(line, sizeof(line), sockets)) {
        if (sscanf(line, "%*s %u %u %x %*s %*s %*s %*s %*s %lu", &protocol, &port, &groups,
                   &inode) != 4)
            continue;
        if (protocol != NETLINK_KOBJECT_UEVENT || !(groups & 1) || port == 0 ||
            !process_has_socket(options->pid, inode))
            continue;
        send_to(fd, options, port);
        sent++;
    }
    fclose(sockets);
    return sent;
}

static void keep_net_admin_alone(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {.effective = 1u << CAP_NET_ADMIN, .permitted = 1u << CAP_NET_ADMIN}};
    if (syscall(SYS_capset, &header, data) < 0)
        die("dropping capabilities");
}

static const struct variant *find_variant(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(variants); i++)
        if (strcmp(variants[i].name, name) == 0)
            return &variants[i];
    usage();
    return NULL;
}

static struct options parse_options(int argc, char **argv)
{
    static const struct option words[] = {
        {"pid", required_argument, NULL, 'p'},
        {"devpath", required_argument, NULL, 'd'},
        {"action", required_argument, NULL, 'a'},
        {"count", required_argument, NULL, 'c'},
        {0},
    };
    struct options options = {
        .devpath = "/devices/virtual/block/loop4242", .action = "add", .count = 1};
    int option;

    while ((option = getopt_long(argc, argv, "", words, NULL)) >= 0)
        switch (option) {
        case 'p':
            options.pid = atoi(optarg);
            break;
        case 'd':
            options.devpath = optarg;
            break;
        case 'a':
            options.action = optarg;
            break;
        case 'c':
            options.count = (unsigned)atoi(optarg);
            break;
        default:
            usage();
        }
    if (optind + 1 != argc)
        usage();
    options.variant = find_variant(argv[optind]);
    if (options.variant->to_process && options.pid <= 0)
        usage();
    return options;
}

int main(int argc, char **argv)
{
    struct options options = parse_options(argc, argv);

    if (options.variant->net_admin_alone)
        keep_net_admin_alone();
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
    if (fd < 0)
        die("uevent socket");
    for (unsigned i = 0; i < options.count; i++) {
        if (!options.variant->to_process) {
            send_to(fd, &options, 0);
        } else if (send_to_process(fd, &options) == 0) {
            errno = ENOENT;
            die("a socket of that process that listens to uevents here");
        }
    }
    return 0;
}
