/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/udevd_probe.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>

#define SOCKETS_MAX 16384     /* a container that has more is asked in vain */
#define LISTENING 0x00010000u /* __SO_ACCEPTCON, linux/include/linux/net.h */
#define KERNEL_GROUP 1u       /* what the kernel sends, before udev */
#define CONTROL "/run/udev/control"

DEFINE_CLEANUP(FILE *, fclose)

bool udevd_probe_control_line(const char *line)
{
    unsigned flags;
    char path[sizeof(CONTROL) + 1];
    /* Num RefCount Protocol Flags Type St Inode Path: proc(5) */
    return sscanf(line, "%*s %*x %*x %x %*x %*x %*u %18s", &flags, path) == 2 &&
           (flags & LISTENING) && streq(path, CONTROL);
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
    while (!found && count < SOCKETS_MAX && fgets(line, sizeof(line), sockets)) {
        found = is_it(line);
        count++;
    }
    return count == SOCKETS_MAX && !found ? -E2BIG : found;
}

int udevd_probe(const struct namespaces *namespaces)
{
    int r = find_line(namespaces, "unix", udevd_probe_control_line);
    if (r > 0)
        r = find_line(namespaces, "netlink", udevd_probe_uevent_line);
    /* Perhaps it was another process'. */
    return namespaces_alive(namespaces) ? r : -ESRCH;
}
