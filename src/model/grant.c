/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/grant.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "model/path.h"

#define MODE_WITHOUT_GROUP 0600
#define MODE_WITH_GROUP 0660

/* Where the grant comes from, for reasons: "70-lab.rules:12", or "attach". */
struct origin {
    const char *file;
    unsigned line;
};

/* Like refuse(), with the origin before the reason. */
static _printf_(4, 5) int refuse_at(const struct origin *origin, int error, struct refusal *why,
                                    const char *format, ...)
{
    char reason[REFUSAL_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);

    if (!origin->file)
        return refuse(why, error, "%s", reason);
    if (!origin->line)
        return refuse(why, error, "%s: %s", origin->file, reason);
    return refuse(why, error, "%s:%u: %s", origin->file, origin->line, reason);
}

static int out_of_memory(struct refusal *why)
{
    return refuse(why, ENOMEM, "out of memory");
}

static int check_path(const struct origin *origin, const char *key, const char *path,
                      struct refusal *why)
{
    const char *below = after_prefix(path, "/dev/");

    if (!below)
        return refuse_at(origin, EINVAL, why, "%s \"%s\" is not below /dev", key, path);
    if (!path_is_plain(below))
        return refuse_at(origin, EINVAL, why, "%s \"%s\" has an empty, \".\" or \"..\" component",
                         key, path);
    if (!text_is_clean(path, strlen(path)))
        return refuse_at(origin, EINVAL, why, "%s \"%s\" is not printable UTF-8", key, path);
    if (strlen(path) >= GRANT_PATH_MAX)
        return refuse_at(origin, EINVAL, why, "%s is longer than %d bytes", key,
                         GRANT_PATH_MAX - 1);
    return 0;
}

static int set_node(struct grant *grant, const struct share *share, const struct device *device,
                    const struct origin *origin, struct refusal *why)
{
    _cleanup_free_ char *node = NULL;

    if (device->number.kind == NODE_NONE || (share->options & OPTION_NO_NODE))
        return 0;
    if (share->node)
        node = strdup(share->node);
    else if (asprintf(&node, "/dev/%s", device->devname) < 0)
        node = NULL;
    if (!node)
        return out_of_memory(why);

    int r = check_path(origin, "NODE", node, why);
    if (r < 0)
        return r;
    grant->node = TAKE_PTR(node);
    return 0;
}

/* dev_valid_name() in linux/net/core/dev.c, but for "%d", in place of which it puts a number. */
static bool is_interface_name(const char *name)
{
    size_t length = strlen(name);
    return length > 0 && length < GRANT_INTERFACE_MAX && !streq(name, ".") && !streq(name, "..") &&
           !strpbrk(name, "/:% ") && text_is_clean(name, length);
}

static int set_interface(struct grant *grant, const struct share *share,
                         const struct device *device, const struct origin *origin,
                         struct refusal *why)
{
    const char *own = property_get(&device->properties, "INTERFACE");
    const char *name = share->name ? share->name : own ? own : device->sysname;

    if (share->name && !device_is_interface(device))
        return refuse_at(origin, EINVAL, why,
                         "NAME=\"%s\" is for network interfaces, and %s is none", share->name,
                         device->sysname);
    if (!device_is_interface(device) || (share->options & OPTION_NO_NODE))
        return 0;
    if (!is_interface_name(name))
        return refuse_at(origin, EINVAL, why,
                         "NAME \"%s\" cannot be an interface's: 1 to %d bytes without blanks, "
                         "\"/\", \":\" and \"%%\"",
                         name, GRANT_INTERFACE_MAX - 1);
    grant->interface = strdup(name);
    grant->ifindex = device->ifindex;
    return grant->interface ? 0 : out_of_memory(why);
}

/* Whether one path would have to be a directory for the other to exist. */
static bool path_is_above(const char *above, const char *path)
{
    const char *rest = after_prefix(path, above);
    return rest && *rest == '/';
}

static bool paths_collide(const char *a, const char *b)
{
    return path_is_above(a, b) || path_is_above(b, a);
}

/* Whether the link is wanted beside what the grant has already. Returns 1, 0 (it is there),
 * -EINVAL. */
static int judge_symlink(const struct grant *grant, const char *link, const struct origin *origin,
                         struct refusal *why)
{
    int r = check_path(origin, "SYMLINK", link, why);
    if (r < 0)
        return r;
    for (size_t i = 0; i <= grant->symlink_count; i++) {
        const char *other = i < grant->symlink_count ? grant->symlinks[i] : grant->node;
        if (streq(link, other))
            return 0;
        if (paths_collide(link, other))
            return refuse_at(origin, EINVAL, why, "SYMLINK \"%s\" and \"%s\" exclude each other",
                             link, other);
    }
    return 1;
}

static int set_symlinks(struct grant *grant, const struct share *share, const struct origin *origin,
                        struct refusal *why)
{
    if (!grant->node)
        return 0;
    for (size_t i = 0; i < share->symlink_count; i++) {
        int r = judge_symlink(grant, share->symlinks[i], origin, why);
        if (r < 0)
            return r;
        if (r == 0)
            continue;
        _cleanup_free_ char *copy = strdup(share->symlinks[i]);
        char **slot =
            copy ? array_add(&grant->symlinks, &grant->symlink_count, sizeof(*slot)) : NULL;
        if (!slot)
            return out_of_memory(why);
        *slot = TAKE_PTR(copy);
    }
    return 0;
}

/* OWNER or GROUP: NULL is 0, digits are a number, anything else a name that is looked up inside. */
static int set_id(const char *text, const char *key, const struct origin *origin, uint32_t *ret_id,
                  char **ret_name, struct refusal *why)
{
    uint64_t id = 0;
    int r = text ? text_to_number(text, UINT32_MAX - 1, &id) : 1;

    if (r > 0) {
        *ret_id = (uint32_t)id;
        return 0;
    }
    if (r == -ERANGE)
        return refuse_at(origin, EINVAL, why, "%s %s is above the largest id", key, text);
    if (!*text || strlen(text) >= GRANT_NAME_MAX || !text_is_clean(text, strlen(text)) ||
        text[0] == '-' || strpbrk(text, ":/ "))
        return refuse_at(origin, EINVAL, why, "%s \"%s\" is neither a number nor a name", key,
                         text);
    *ret_name = strdup(text);
    return *ret_name ? 0 : out_of_memory(why);
}

static mode_t choose_mode(const struct share *share, const struct device *device)
{
    if (share->mode >= 0)
        return (mode_t)share->mode;
    if (device->devmode >= 0)
        return (mode_t)device->devmode;
    return share->group ? MODE_WITH_GROUP : MODE_WITHOUT_GROUP;
}

/* What needs no judging: copies of what the device and the share say. */
static int copy_facts(struct grant *grant, const struct share *share, const struct device *device)
{
    grant->devpath = strdup(device->devpath);
    grant->inode = device->inode;
    grant->number = device->number;
    grant->mode = choose_mode(share, device);
    grant->access = share->access ? share->access : ACCESS_READ | ACCESS_WRITE;
    grant->options = share->options;
    grant->link_priority = share->link_priority;
    grant->rule_file = share->rule_file ? strdup(share->rule_file) : NULL;
    grant->rule_line = share->rule_line;
    if (!grant->devpath || (share->rule_file && !grant->rule_file))
        return -ENOMEM;
    return property_merge(&grant->env, &share->env);
}

int grant_new(const struct share *share, const struct device *device, struct grant **ret,
              struct refusal *why)
{
    const struct origin origin = {.file = share->rule_file, .line = share->rule_line};

    _cleanup_grant_ struct grant *grant = calloc(1, sizeof(*grant));
    if (!grant || copy_facts(grant, share, device) < 0)
        return out_of_memory(why);

    int r = set_node(grant, share, device, &origin, why);
    if (r == 0)
        r = set_interface(grant, share, device, &origin, why);
    if (r == 0)
        r = set_symlinks(grant, share, &origin, why);
    if (r == 0)
        r = set_id(share->owner, "OWNER", &origin, &grant->uid, &grant->owner, why);
    if (r == 0)
        r = set_id(share->group, "GROUP", &origin, &grant->gid, &grant->group, why);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(grant);
    return 0;
}

bool grant_path_is_sound(const char *path)
{
    const char *below = after_prefix(path, "/dev/");
    return below && path_is_plain(below) && strlen(path) < GRANT_PATH_MAX;
}

void grant_free(struct grant *grant)
{
    if (!grant)
        return;
    free(grant->devpath);
    free(grant->node);
    free(grant->interface);
    free(grant->owner);
    free(grant->group);
    for (size_t i = 0; i < grant->symlink_count; i++)
        free(grant->symlinks[i]);
    free(grant->symlinks);
    property_list_done(&grant->env);
    free(grant->rule_file);
    free(grant);
}

bool grant_same_key(const struct grant *a, const struct grant *b)
{
    return a->inode == b->inode && streq(a->devpath, b->devpath) && streq_null(a->node, b->node) &&
           streq_null(a->interface, b->interface);
}

bool grant_same_owner(const struct grant *a, const struct grant *b)
{
    return streq_null(a->owner, b->owner) && (a->owner || a->uid == b->uid) &&
           streq_null(a->group, b->group) && (a->group || a->gid == b->gid);
}

bool grant_same_links(const struct grant *a, const struct grant *b)
{
    if (a->symlink_count != b->symlink_count)
        return false;
    for (size_t i = 0; i < a->symlink_count; i++)
        if (!streq(a->symlinks[i], b->symlinks[i]))
            return false;
    return true;
}

bool grant_equal(const struct grant *a, const struct grant *b)
{
    return grant_same_key(a, b) && devnum_equal(&a->number, &b->number) && grant_same_owner(a, b) &&
           a->mode == b->mode && a->access == b->access && a->options == b->options &&
           grant_same_links(a, b) && property_list_equal(&a->env, &b->env);
}

/* One id; `kind` is "uid" or "gid". */
static int translate(const struct grant *grant, const struct idmap *map, const char *kind,
                     uint32_t id, uint32_t *ret, struct refusal *why)
{
    const struct origin origin = {.file = grant->rule_file, .line = grant->rule_line};
    char ranges[256];
    if (idmap_to_host(map, id, ret))
        return 0;
    return refuse_at(
        &origin, EOVERFLOW, why,
        "%s %u is not in the container's %s_map, which has %s: %s must be one of those", kind, id,
        kind, idmap_describe(map, ranges, sizeof(ranges)), *kind == 'u' ? "OWNER" : "GROUP");
}

void grant_adopt_origin(struct grant *grant, struct grant *newer)
{
    char *file = grant->rule_file;
    unsigned line = grant->rule_line;
    grant->rule_file = newer->rule_file;
    grant->rule_line = newer->rule_line;
    newer->rule_file = file;
    newer->rule_line = line;
}

int grant_translate(const struct grant *grant, uint32_t uid, uint32_t gid, const struct idmap *uids,
                    const struct idmap *gids, uint32_t *ret_uid, uint32_t *ret_gid,
                    struct refusal *why)
{
    uint32_t host_uid, host_gid;
    int r = translate(grant, uids, "uid", uid, &host_uid, why);
    if (r == 0)
        r = translate(grant, gids, "gid", gid, &host_gid, why);
    if (r < 0)
        return r;
    *ret_uid = host_uid;
    *ret_gid = host_gid;
    return 0;
}
