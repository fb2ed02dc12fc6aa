/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/device_attachment.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>

#include "kernel/cgroup_group.h"

/*
 * How a program is exchanged depends on how it hangs there. BPF_F_REPLACE is for BPF_F_ALLOW_MULTI
 * alone (EINVAL otherwise); under flags 0 and BPF_F_ALLOW_OVERRIDE there is one program, and
 * attaching another with the same flags takes its place. A program that hangs on a link is not
 * found by BPF_F_REPLACE (ENOENT): there the link is updated. Each is one step for the kernel.
 */

int device_attachments_query(int group_fd, bool effective, struct device_attachments *ret)
{
    struct device_attachments attachments = {0};
    LIBBPF_OPTS(bpf_prog_query_opts, options, .prog_ids = attachments.ids,
                .prog_cnt = DEVICE_ATTACHMENTS_MAX,
                .query_flags = effective ? BPF_F_QUERY_EFFECTIVE : 0);
    int r = bpf_prog_query_opts(group_fd, BPF_CGROUP_DEVICE, &options);
    if (r < 0)
        return r;
    attachments.count = options.prog_cnt;
    attachments.flags = options.attach_flags & (BPF_F_ALLOW_OVERRIDE | BPF_F_ALLOW_MULTI);
    *ret = attachments;
    return 0;
}

bool device_attachments_have(const struct device_attachments *attachments, uint32_t id)
{
    for (size_t i = 0; i < attachments->count; i++)
        if (attachments->ids[i] == id)
            return true;
    return false;
}

/* A descriptor of the link by which the program hangs on the group, -ENOENT where there is none. */
static int find_link(uint64_t group_id, uint32_t program_id)
{
    uint32_t id = 0;
    while (bpf_link_get_next_id(id, &id) == 0) {
        _cleanup_close_ int fd = bpf_link_get_fd_by_id(id);
        struct bpf_link_info info = {0};
        uint32_t length = sizeof(info);
        if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length) < 0)
            continue;
        if (info.type == BPF_LINK_TYPE_CGROUP && info.prog_id == program_id &&
            info.cgroup.cgroup_id == group_id && info.cgroup.attach_type == BPF_CGROUP_DEVICE)
            return TAKE_FD(fd);
    }
    return -ENOENT;
}

static int exchange_on_link(int group_fd, int old_fd, uint32_t old_id, int new_fd)
{
    _cleanup_close_ int link_fd = find_link(cgroup_group_id(group_fd), old_id);
    if (link_fd < 0)
        return link_fd;
    LIBBPF_OPTS(bpf_link_update_opts, options, .flags = BPF_F_REPLACE,
                .old_prog_fd = (uint32_t)old_fd);
    int r = bpf_link_update(link_fd, new_fd, &options);
    return r == -EPERM || r == -ENOLINK ? -ENOENT : r; /* it has another program, or no group */
}

int device_attachments_exchange(int group_fd, int old_fd, uint32_t old_id, int new_fd)
{
    struct device_attachments now;
    int r = device_attachments_query(group_fd, false, &now);
    if (r < 0)
        return r;
    if (!device_attachments_have(&now, old_id))
        return -ENOENT;

    LIBBPF_OPTS(bpf_prog_attach_opts, options, .flags = now.flags);
    if (now.flags & BPF_F_ALLOW_MULTI) {
        options.flags |= BPF_F_REPLACE;
        options.replace_prog_fd = old_fd;
    }
    r = bpf_prog_attach_opts(new_fd, group_fd, BPF_CGROUP_DEVICE, &options);
    return r == -ENOENT ? exchange_on_link(group_fd, old_fd, old_id, new_fd) : r;
}

int device_attachments_drop(int group_fd, int old_fd, uint32_t old_id, uint32_t other_id)
{
    struct device_attachments now;
    int r = device_attachments_query(group_fd, false, &now);
    if (r < 0)
        return r;
    if (!(now.flags & BPF_F_ALLOW_MULTI) || !device_attachments_have(&now, old_id) ||
        !device_attachments_have(&now, other_id))
        return -ENOENT;
    return bpf_prog_detach2(old_fd, group_fd, BPF_CGROUP_DEVICE);
}
