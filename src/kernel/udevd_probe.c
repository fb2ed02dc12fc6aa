/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/udevd_probe.h"

/*
 * The kernel is asked by sock_diag(7), which names the listening sockets alone: the many others
 * that a container may have cost nothing but the kernel's walk past them. On 6.18 a question takes
 * 16 us; 0.7 ms where the container has 16,000 sockets, which are 34 ms of /proc; 6 ms where these
 * listen, all of them.
 *
 * A kernel without unix_diag has /proc/PID/net/unix only, which tells neither owners nor where a
 * name ends: one with a newline in it makes a line of its own. So there the socket's file is looked
 * at as well, which only the container's root can make. That look-up finds what the kernel has at
 * hand and never asks a file system, which might not answer; a socket that listens is always at
 * hand.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/netlink_diag.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "kernel/mount_api.h"
#include "kernel/socket_diag.h"

#define LINES_MAX 16384       /* a container that has more sockets is asked in vain */
#define LISTENING 0x00010000u /* __SO_ACCEPTCON, linux/include/linux/net.h */
#define KERNEL_GROUP 1u       /* what the kernel sends, before udev */
#define CONTROL "/run/udev/control"

DEFINE_CLEANUP(FILE *, fclose)

struct control {
    uint32_t root_uid; /* the host's, of the container's root */
    bool named, owned; /* what the attributes of one socket say */
};

static int on_unix_attribute(const struct nlattr *attr, void *userdata)
{
    struct control *control = userdata;
    /* With its NUL: no abstract name begins so, and no other path ends so. */
    if (mnl_attr_get_type(attr) == UNIX_DIAG_NAME)
        control->named = mnl_attr_get_payload_len(attr) == sizeof(CONTROL) &&
                         memcmp(mnl_attr_get_payload(attr), CONTROL, sizeof(CONTROL)) == 0;
    else if (mnl_attr_get_type(attr) == UNIX_DIAG_UID)
        control->owned = mnl_attr_get_payload_len(attr) == sizeof(control->root_uid) &&
                         mnl_attr_get_u32(attr) == control->root_uid;
    return MNL_CB_OK;
}

static bool is_control(const struct nlmsghdr *header, void *userdata)
{
    struct control *control = userdata;
    const struct unix_diag_msg *socket = mnl_nlmsg_get_payload(header);
    if (mnl_nlmsg_get_payload_len(header) < sizeof(*socket) ||
        socket->udiag_type != SOCK_SEQPACKET || socket->udiag_state != TCP_LISTEN)
        return false;
    control->named = control->owned = false;
    (void)mnl_attr_parse(header, sizeof(*socket), on_unix_attribute, control);
    return control->named && control->owned;
}

static int find_control(const struct namespaces *namespaces, uint32_t root_uid)
{
    const struct unix_diag_req request = {.sdiag_family = AF_UNIX,
                                          .udiag_states = 1u << TCP_LISTEN,
                                          .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_UID};
    struct control control = {.root_uid = root_uid};
    return socket_diag_find(namespaces->net_fd, &request, sizeof(request), is_control, &control);
}

/* The groups are an array of unsigned longs. */
static int on_netlink_attribute(const struct nlattr *attr, void *userdata)
{
    unsigned long *groups = userdata;
    if (mnl_attr_get_type(attr) == NETLINK_DIAG_GROUPS &&
        mnl_attr_get_payload_len(attr) >= sizeof(*groups))
        memcpy(groups, mnl_attr_get_payload(attr), sizeof(*groups));
    return MNL_CB_OK;
}

static bool hears_kernel(const struct nlmsghdr *header, void *userdata)
{
    unsigned long groups = 0;
    (void)userdata;
    if (mnl_nlmsg_get_payload_len(header) >= sizeof(struct netlink_diag_msg))
        (void)mnl_attr_parse(header, sizeof(struct netlink_diag_msg), on_netlink_attribute,
                             &groups);
    return groups & KERNEL_GROUP;
}

static int find_listener(const struct namespaces *namespaces)
{
    const struct netlink_diag_req request = {.sdiag_family = AF_NETLINK,
                                             .sdiag_protocol = NETLINK_KOBJECT_UEVENT,
                                             .ndiag_show = NDIAG_SHOW_GROUPS};
    return socket_diag_find(namespaces->net_fd, &request, sizeof(request), hears_kernel, NULL);
}

bool udevd_probe_control_line(const char *line)
{
    unsigned flags, type;
    int name = 0;
    /* Num RefCount Protocol Flags Type St Inode Path: proc(5) */
    return sscanf(line, "%*[^: ]: %*8x %*8x %8x %4x %*2x %*u%n", &flags, &type, &name) == 2 &&
           name > 0 && flags == LISTENING && type == SOCK_SEQPACKET &&
           streq(line + name, " " CONTROL "\n");
}

bool udevd_probe_uevent_line(const char *line)
{
    unsigned protocol, groups;
    /* sk Eth Pid Groups ...: net/netlink/af_netlink.c */
    return sscanf(line, "%*s %u %*u %x", &protocol, &groups) == 2 &&
           protocol == NETLINK_KOBJECT_UEVENT && (groups & KERNEL_GROUP);
}

static int find_line(const struct namespaces *namespaces, const char *file,
                     bool (*is_it)(const char *line))
{
    char path[64], line[256];
    bool found = false;
    size_t count = 0;

    snprintf(path, sizeof(path), "/proc/%d/net/%s", (int)namespaces->pid, file);
    _cleanup_(fclosep) FILE *sockets = fopen(path, "re");
    if (!sockets)
        return -errno;
    while (!found && count < LINES_MAX && fgets(line, sizeof(line), sockets)) {
        found = is_it(line);
        count++;
    }
    return count == LINES_MAX && !found ? -E2BIG : found;
}

/*
 * Whether a socket of the container's root lies at the path. Returns 1, 0, or -EOPNOTSUPP: the
 * kernel cannot look so (before 5.12). What is not at hand (EAGAIN) is no socket that listens.
 */
static int look_at_control(const struct namespaces *namespaces, uint32_t root_uid)
{
    struct stat st;
    _cleanup_close_ int fd = open_at_hand(namespaces->root_fd, &CONTROL[1], O_PATH | O_NOFOLLOW);
    if (fd < 0 && errno == EINVAL)
        return -EOPNOTSUPP;
    return fd >= 0 && fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_uid == root_uid;
}

/* Where the kernel does not answer. What no line names is not there, however little is known. */
static int find_control_line(const struct namespaces *namespaces, uint32_t root_uid)
{
    int lies = look_at_control(namespaces, root_uid);
    if (lies == 0)
        return 0;
    int listens = find_line(namespaces, "unix", udevd_probe_control_line);
    return listens > 0 ? lies : listens;
}

int udevd_probe(const struct namespaces *namespaces)
{
    uint32_t root_uid;
    if (!idmap_to_host(&namespaces->uids, 0, &root_uid))
        return 0;
    int r = find_control(namespaces, root_uid);
    if (r == -EOPNOTSUPP)
        r = find_control_line(namespaces, root_uid);
    if (r <= 0)
        return namespaces_alive(namespaces) ? r : -ESRCH;
    r = find_listener(namespaces);
    if (r == -EOPNOTSUPP)
        r = find_line(namespaces, "netlink", udevd_probe_uevent_line);
    /* Perhaps it was another process'. */
    return namespaces_alive(namespaces) ? r : -ESRCH;
}
