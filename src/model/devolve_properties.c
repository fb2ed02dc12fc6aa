/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/devolve_properties.h"

#include <errno.h>
#include <fnmatch.h>

#include "model/rule_literal.h"
#include "model/rule_substitute.h"

#define BLANKS " \t"

static const char *property_of(const struct device *device, const char *key)
{
    return device->initialised ? property_get(&device->udev.properties, key) : NULL;
}

bool devolve_properties_are_there(const struct device *device)
{
    return property_of(device, "DEVOLVE_CONTAINER");
}

/* Whether one of the globs is for the name. Returns 1, 0 or -ENOMEM. */
static int names(const char *globs, const char *name)
{
    _cleanup_free_ char *copy = strdup(globs);
    if (!copy)
        return -ENOMEM;
    char *rest = copy;
    for (char *glob; (glob = strsep(&rest, BLANKS));)
        if (glob[0] && fnmatch(glob, name, 0) == 0)
            return 1;
    return 0;
}

static int copy_text(char **slot, const char *text)
{
    *slot = strdup(text);
    return *slot ? 0 : -ENOMEM;
}

static char *cleaned(const char *text, const char *kept)
{
    char *copy = strdup(text);
    if (copy)
        rule_substitute_clean(copy, kept);
    return copy;
}

static int take_node(struct share *share, const char *value)
{
    _cleanup_free_ char *path = cleaned(value, "/");
    if (!path)
        return -ENOMEM;
    int r = rule_literal_path("NODE", path, strlen(path), NULL);
    return r < 0 ? r : share_set_node(share, path);
}

static int take_owner(struct share *share, const char *value)
{
    int r = rule_literal_owner("OWNER", value, NULL);
    return r < 0 ? r : copy_text(&share->owner, value);
}

static int take_group(struct share *share, const char *value)
{
    int r = rule_literal_owner("GROUP", value, NULL);
    return r < 0 ? r : copy_text(&share->group, value);
}

static int take_mode(struct share *share, const char *value)
{
    unsigned mode;
    int r = rule_literal_mode(value, &mode, NULL);
    if (r == 0)
        share->mode = (int)mode;
    return r;
}

static int take_symlinks(struct share *share, const char *value)
{
    size_t count;
    _cleanup_free_ char *paths = cleaned(value, "/ \t");
    if (!paths)
        return -ENOMEM;
    int r = rule_literal_paths("SYMLINK", paths, &count, NULL);
    char *rest = paths;
    for (char *path; r == 0 && (path = strsep(&rest, BLANKS));)
        if (path[0])
            r = share_add_symlink(share, path, strlen(path));
    return r;
}

static int take_options(struct share *share, const char *value)
{
    struct rule_options options;
    int r = rule_literal_options(value, &options, NULL);
    if (r < 0)
        return r;
    if (options.bits & ~(RULE_OPTION_SHARE_MASK | RULE_OPTION_LINK_PRIORITY))
        return -EINVAL; /* last_rule and string_escape= are for lines of ours */
    share->options = options.bits & RULE_OPTION_SHARE_MASK;
    share->link_priority = options.link_priority;
    return 0;
}

static int take_all(const struct device *device, struct share *share,
                    struct devolve_problem *problem)
{
    static const struct {
        const char *key;
        int (*take)(struct share *share, const char *value);
    } rows[] = {
        {"DEVOLVE_NODE", take_node},        {"DEVOLVE_OWNER", take_owner},
        {"DEVOLVE_GROUP", take_group},      {"DEVOLVE_MODE", take_mode},
        {"DEVOLVE_SYMLINK", take_symlinks}, {"DEVOLVE_OPTIONS", take_options},
    };
    int r = copy_text(&share->rule_file, SHARE_FROM_UDEV);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(rows); i++) {
        const char *value = property_of(device, rows[i].key);
        r = value && value[0] ? rows[i].take(share, value) : 0;
        if (r == -EINVAL)
            *problem = (struct devolve_problem){rows[i].key, value};
    }
    return r;
}

int devolve_properties_read(const struct device *device, const struct rule_container *container,
                            struct share *ret, struct devolve_problem *ret_problem)
{
    const char *globs = property_of(device, "DEVOLVE_CONTAINER");
    int r = globs ? names(globs, container->name) : 0;
    if (r == 0 && globs)
        *ret_problem = (struct devolve_problem){"DEVOLVE_CONTAINER", globs};
    if (r <= 0)
        return r;
    struct share share = {.given = true, .mode = -1};
    r = take_all(device, &share, ret_problem);
    if (r < 0) {
        share_done(&share);
        return r;
    }
    share_done(ret);
    *ret = share;
    return 1;
}
