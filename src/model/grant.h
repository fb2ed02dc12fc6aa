/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A grant: this container shall have this device, under this path, with these ids. All questions
 * are answered but two: names of owner and group, which only the container's own files can answer.
 */

#include <assert.h>

#include "base/refusal.h"
#include "model/device.h"
#include "model/idmap.h"
#include "model/share.h"

#define GRANT_PATH_MAX 256     /* of a node or link path, with the NUL */
#define GRANT_NAME_MAX 64      /* of a user or group name, with the NUL */
#define GRANT_INTERFACE_MAX 16 /* of a network interface's name, with the NUL: IFNAMSIZ */

static_assert(SHARE_SYMLINKS_MAX <= 32, "grant.yielded has a bit for each link");

struct grant {
    /* key, within a container */
    char *devpath;
    uint64_t inode; /* incarnation */
    char *node;     /* absolute, below /dev; NULL: a device without node, or OPTIONS+="no_node" */

    char *interface; /* a network interface: its name inside; NULL: another device, or "no_node" */
    int ifindex;     /* of the interface on the host */

    struct devnum number;
    uint32_t uid, gid; /* inside; meaningful where the name beside it is NULL */
    char *owner;       /* a name that is still to be looked up inside, or NULL */
    char *group;       /* likewise */
    mode_t mode;
    unsigned access; /* of enum share_access */
    unsigned options;
    char **symlinks; /* absolute, below /dev */
    size_t symlink_count;
    int link_priority; /* as in share.h */
    uint32_t yielded;  /* bit i: symlinks[i] is not there, another delivery has it */
    struct property_list env;
    char *rule_file;
    unsigned rule_line;
};

/*
 * Answers a share's questions for a device: node path (default /dev/DEVNAME; an answer outside
 * /dev, with
 * "." or ".." components, with anything but printable UTF-8 or longer than GRANT_PATH_MAX is
 * refused), numbers, mode (default as udev(7): the kernel's DEVMODE, else 0660 where GROUP was
 * given, else 0600), access (default read and write). A symlink equal to the node or to an earlier
 * one is left out, and all are where there is no node to point to; "/dev" itself is refused, and so
 * is a link above or below the node or another link. A network interface has a name inside in place
 * of a node (NAME, default its own): one that the kernel would not take is refused, and so is NAME
 * for any other device. Returns 0 and *ret (grant_free() it); -EINVAL and the reason, naming rule
 * file and line; -ENOMEM.
 */
int grant_new(const struct share *share, const struct device *device, struct grant **ret,
              struct refusal *why);

/* Whether it can be a path of ours inside at all: below /dev, without "." or ".." components, and
 * not too long. */
bool grant_path_is_sound(const char *path);

/* NULL accepted. */
void grant_free(struct grant *grant);
DEFINE_CLEANUP(struct grant *, grant_free)
#define _cleanup_grant_ _cleanup_(grant_freep)

/* Same key: same device incarnation at the same path, or under the same interface name. */
bool grant_same_key(const struct grant *a, const struct grant *b);

/* Same links in the same order, yielded or not. */
bool grant_same_links(const struct grant *a, const struct grant *b);

/* Whether symlinks[index] is there, as far as it is up to the grant. */
static inline bool grant_has_link(const struct grant *grant, size_t index)
{
    return !(grant->yielded >> index & 1);
}

/* Same owner and group, as far as can be told without looking names up. */
bool grant_same_owner(const struct grant *a, const struct grant *b);

/*
 * Whether everything that is delivered is the same too, later events included (env, options): then
 * nothing needs doing. Which rule said so does not count, and neither do the priority and the links
 * that are yielded: what follows from these is a matter between several grants.
 */
bool grant_equal(const struct grant *a, const struct grant *b);

/* The same under another rule: `grant` tells from now on that the rule of `newer` gave it. */
void grant_adopt_origin(struct grant *grant, struct grant *newer);

/*
 * The host's ids for a node: `uid` and `gid` (inside) through the container's maps.
 * Returns 0, or -EOVERFLOW with the id, the rule, the map's name and what it has in the reason.
 */
int grant_translate(const struct grant *grant, uint32_t uid, uint32_t gid, const struct idmap *uids,
                    const struct idmap *gids, uint32_t *ret_uid, uint32_t *ret_gid,
                    struct refusal *why);
