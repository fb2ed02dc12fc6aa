/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/udevd_probe.h"

#include <errno.h>
#include <stdio.h>

#define SOCKETS_MAX 16384     /* a container that has more is asked in vain */
#define LISTENING 0x00010000u /* __SO_ACCEPTCON, linux/include/linux/net.h */
#define CONTROL "/run/udev/control"

DEFINE_CLEANUP(FILE *, fclose)

bool udevd_probe_line(const char *line)
{
    unsigned flags;
    char path[sizeof(CONTROL) + 1];
    /* Num RefCount Protocol Flags Type St Inode Path: proc(5) */
    return sscanf(line, "%*s %*x %*x %x %*x %*x %*u %18s", &flags, path) == 2 &&
           (flags & LISTENING) && streq(path, CONTROL);
}

int udevd_probe(const struct namespaces *namespaces)
{
    char path[64], line[256];
    bool found = false;
    size_t count = 0;

    snprintf(path, sizeof(path), "/proc/%d/net/unix", (int)namespaces->pid);
    _cleanup_(fclosep) FILE *sockets = fopen(path, "re");
    if (!sockets)
        return -errno;
    while (!found && count < SOCKETS_MAX && fgets(line, sizeof(line), sockets)) {
        found = udevd_probe_line(line);
        count++;
    }
    if (!namespaces_alive(namespaces)) /* perhaps it was another process' */
        return -ESRCH;
    return count == SOCKETS_MAX ? -E2BIG : found;
}
