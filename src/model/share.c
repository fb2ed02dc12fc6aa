/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/share.h"

#include <errno.h>
#include <stdio.h>

void share_done(struct share *share)
{
    free(share->node);
    free(share->name);
    free(share->owner);
    free(share->group);
    free(share->rule_file);
    share_clear_symlinks(share);
    property_list_done(&share->env);
    *share = (struct share){.mode = -1};
}

/* Returns 0 or -ENOMEM; NULL is copied as NULL. */
static int copy_string(char **to, const char *from)
{
    *to = from ? strdup(from) : NULL;
    return from && !*to ? -ENOMEM : 0;
}

/* What the two structs would share otherwise. Goes on after a failure, so that all of it is owned.
 */
static int copy_owned(struct share *to, const struct share *from)
{
    int r = copy_string(&to->node, from->node);
    r |= copy_string(&to->name, from->name);
    r |= copy_string(&to->owner, from->owner);
    r |= copy_string(&to->group, from->group);
    r |= copy_string(&to->rule_file, from->rule_file);
    for (size_t i = 0; i < from->symlink_count; i++)
        r |= copy_string(&to->symlinks[i], from->symlinks[i]);
    to->env = (struct property_list){.count = 0};
    r |= property_merge(&to->env, &from->env);
    return r;
}

int share_copy(struct share *to, const struct share *from)
{
    struct share copy = *from;
    if (copy_owned(&copy, from) < 0) {
        share_done(&copy);
        return -ENOMEM;
    }
    *to = copy;
    return 0;
}

static char *path_below_dev(const char *path, size_t length)
{
    char *copy = NULL;
    const char *dev = length > 0 && path[0] == '/' ? "" : "/dev/";
    return asprintf(&copy, "%s%.*s", dev, (int)length, path) < 0 ? NULL : copy;
}

int share_set_node(struct share *share, const char *path)
{
    char *node = path_below_dev(path, strlen(path));
    if (!node)
        return -ENOMEM;
    free(share->node);
    share->node = node;
    return 0;
}

static void drop(struct share *share, const char *path)
{
    size_t at = 0;
    while (at < share->symlink_count && !streq(share->symlinks[at], path))
        at++;
    if (at == share->symlink_count)
        return;
    free(share->symlinks[at]);
    share->symlink_count--;
    memmove(&share->symlinks[at], &share->symlinks[at + 1],
            (share->symlink_count - at) * sizeof(share->symlinks[0]));
    share->symlinks[share->symlink_count] = NULL;
}

int share_drop_symlink(struct share *share, const char *path, size_t length)
{
    _cleanup_free_ char *whole = path_below_dev(path, length);
    if (!whole)
        return -ENOMEM;
    drop(share, whole);
    return 0;
}

int share_add_symlink(struct share *share, const char *path, size_t length)
{
    _cleanup_free_ char *whole = path_below_dev(path, length);
    if (!whole)
        return -ENOMEM;
    drop(share, whole);
    if (share->symlink_count < SHARE_SYMLINKS_MAX)
        share->symlinks[share->symlink_count++] = TAKE_PTR(whole);
    return 0;
}

void share_clear_symlinks(struct share *share)
{
    while (share->symlink_count > 0)
        free(share->symlinks[--share->symlink_count]);
}
