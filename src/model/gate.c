/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/gate.h"

#include <errno.h>
#include <sys/stat.h>

const char *gate_name(enum gate gate)
{
    static const char *const names[] = {
        [GATE_CONTAINER] = "container", [GATE_RULES] = "rules",   [GATE_UDEV] = "udev",
        [GATE_NETNS] = "netns",         [GATE_DEV] = "dev",       [GATE_NODE] = "node",
        [GATE_SHADOWED] = "shadowed",   [GATE_NODEV] = "nodev",   [GATE_IDS] = "ids",
        [GATE_MODE] = "mode",           [GATE_CGROUP] = "cgroup", [GATE_INTERFACE] = "interface",
        [GATE_MARKER] = "marker",       [GATE_RECORD] = "record",
    };
    return names[gate];
}

/* Making something inside: either the whole of /dev is closed, or this one path is taken. */
static enum gate gate_of_making(int error)
{
    switch (error) {
    case EROFS:
    case EACCES:
    case EPERM:
    case ENOENT:
        return GATE_DEV;
    default:
        return GATE_NODE;
    }
}

enum gate gate_of_step(enum step_kind kind, int error)
{
    switch (kind) {
    case STEP_IDENTIFY:
        return GATE_IDS;
    case STEP_NODE_MAKE:
    case STEP_NODE_CHANGE:
        return error == EOVERFLOW ? GATE_IDS : GATE_NODE;
    case STEP_NODE_ATTACH:
    case STEP_LINK_MAKE:
        return gate_of_making(error);
    case STEP_ACCESS_ALLOW:
    case STEP_ACCESS_DENY:
        return GATE_CGROUP;
    case STEP_INTERFACE_MOVE:
    case STEP_INTERFACE_RETURN:
        return GATE_INTERFACE;
    case STEP_EVENT:
    case STEP_UDEV_EVENT:
        return GATE_NETNS;
    case STEP_RECORD_WRITE:
    case STEP_RECORD_REMOVE:
        return GATE_RECORD;
    case STEP_NODE_REVOKE:
    case STEP_LINK_REMOVE:
    case STEP_NODE_DETACH:
    case STEP_NODE_DESTROY:
        return GATE_NODE;
    }
    return GATE_NODE;
}

/* What lies at the path is not our inode. A placeholder (courier_attach.c) is all that is left of
 * it when the container unmounts it. */
static enum gate gate_of_another(const struct gate_node *node, const struct sight *sight,
                                 struct refusal *why)
{
    bool placeholder = (S_ISCHR(sight->mode) && sight->number == 0) || S_ISREG(sight->mode);
    if (sight->flags & SIGHT_MOUNT)
        refuse(why, ENXIO, "%s is shadowed: something else is mounted over it inside", node->path);
    else if (placeholder)
        refuse(why, ENXIO, "%s was unmounted inside: only the placeholder below it is left",
               node->path);
    else
        refuse(why, ENXIO, "something else lies at %s inside (mode %06o), which is not ours",
               node->path, sight->mode);
    return sight->flags & SIGHT_MOUNT || !placeholder ? GATE_SHADOWED : GATE_NODE;
}

static enum gate gate_of_access(const struct gate_node *node, int access, struct refusal *why)
{
    uint32_t id;
    /* the courier is not in the container's cgroup: what another device cgroup says is no matter */
    if (access == 0 || access == -EPERM)
        return GATE_NONE;
    if (access != -EACCES) {
        refuse(why, -access, "%s cannot be used inside: %s", node->path, strerrordesc_np(-access));
        return GATE_NODE;
    }
    bool mapped =
        idmap_to_inside(node->uids, node->uid, &id) && idmap_to_inside(node->gids, node->gid, &id);
    if (mapped && node->overrides)
        return GATE_NONE;
    if (mapped)
        refuse(why, EACCES,
               "%s has mode %04o and does not belong to root inside, which lacks DAC_OVERRIDE",
               node->path, node->mode & 07777);
    else
        refuse(why, EACCES,
               "%s belongs to %u:%u of the host, which is not mapped inside: there it is 65534",
               node->path, node->uid, node->gid);
    return mapped ? GATE_MODE : GATE_IDS;
}

enum gate gate_of_node(const struct gate_node *node, const struct sight *sight, struct refusal *why)
{
    if (sight->flags & SIGHT_HOST) {
        refuse(why, EPERM, "/dev inside is the host's own now, which is never written to");
        return GATE_DEV;
    }
    if (!(sight->flags & SIGHT_FOUND)) {
        refuse(why, ENOENT, "%s is not there any more: somebody inside removed or hid it",
               node->path);
        return GATE_NODE;
    }
    if (sight->device != node->device || sight->inode != node->inode)
        return gate_of_another(node, sight, why);
    if (sight->flags & SIGHT_NODEV) {
        refuse(why, EACCES, "%s was mounted anew with nodev inside", node->path);
        return GATE_NODEV;
    }
    return gate_of_access(node, sight->access, why);
}

enum gate gate_of_dev(const struct sight *sight, struct refusal *why)
{
    if (!(sight->flags & SIGHT_DIRECTORY))
        refuse(why, ENOENT, "there is no /dev inside");
    else if (sight->flags & SIGHT_HOST)
        refuse(why, EPERM, "/dev inside is the host's own, which is never written to");
    else if (sight->directory_access == -EROFS)
        refuse(why, EROFS, "/dev inside is mounted read-only: no node can be made there");
    else if (sight->directory_access < 0)
        refuse(why, -sight->directory_access, "root inside cannot write to /dev: %s",
               strerrordesc_np(-sight->directory_access));
    else
        return GATE_NONE;
    return GATE_DEV;
}

enum gate gate_of_udev(enum gate gate, const char *path, const struct sight *sight,
                       struct refusal *why)
{
    const char *closed = sight->directory_access == -EROFS && sight->flags & SIGHT_DIRECTORY
                             ? " (it is mounted read-only there)"
                             : "";
    if (sight->flags & (SIGHT_FOUND | SIGHT_HOST))
        return GATE_NONE;
    if (gate == GATE_MARKER)
        refuse(
            why, ENOENT,
            "%s is not there inside%s: libudev takes it that there is no udev, and monitors that "
            "are opened now stay deaf",
            path, closed);
    else
        refuse(why, ENOENT, "%s is not there inside%s: libudev takes the device for uninitialised",
               path, closed);
    return gate;
}
