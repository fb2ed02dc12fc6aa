/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/cgroup_group.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "kernel/cgroup.h"
#include "kernel/namespace.h"

void cgroup_groups_done(struct cgroup_groups *groups)
{
    for (size_t i = 0; i < groups->count; i++)
        free(groups->paths[i]);
    free(groups->paths);
    *groups = (struct cgroup_groups){0};
}

char *cgroup_group_parent(const char *group)
{
    const char *slash = strrchr(group, '/');
    return strndup(group, slash ? (size_t)(slash - group) : 0);
}

int cgroup_groups_find(struct cgroup_groups *ret, const char *group, const char *mount,
                       pid_t init_pid, int pid_fd)
{
    _cleanup_(cgroup_groups_done) struct cgroup_groups groups = {0};
    _cleanup_free_ char *path = strdup(group);
    if (!path)
        return -ENOMEM;
    int alone;
    while ((alone = cgroup_holds_only(path, mount, init_pid)) > 0) {
        char **element = array_add(&groups.paths, &groups.count, sizeof(*groups.paths));
        char *parent = cgroup_group_parent(path);
        if (element)
            *element = TAKE_PTR(path);
        path = parent;
        if (!element || !parent)
            return -ENOMEM;
    }
    if (!namespaces_alive(&(struct namespaces){.pid_fd = pid_fd}))
        return -ESRCH;
    if (alone < 0)
        return alone;
    *ret = groups;
    groups = (struct cgroup_groups){0};
    return 0;
}

uint64_t cgroup_group_id(int fd)
{
    struct stat status;
    return fstat(fd, &status) < 0 ? 0 : status.st_ino;
}

int cgroup_group_open(const char *group, uint64_t id)
{
    _cleanup_close_ int fd = open(group, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (id != 0 && cgroup_group_id(fd) != id)
        return -ENOENT;
    return TAKE_FD(fd);
}
