/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any text as /proc/PID/mountinfo and as /proc/PID/cgroup: what is found in a line is in it, names
 * are what they were before the kernel escaped them, and a group's path is below the mount that
 * shows it.
 */

#include <stdio.h>

#include "model/cgroup_line.h"
#include "model/mount_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_inside(const char *text, const char *line, size_t size)
{
    check(text >= line && text + strlen(text) <= line + size);
}

/* As fs/seq_file.c does it: mangle_path(), with " \t\n\\". */
static void escape(const char *text, char *out)
{
    for (; *text; text++)
        if (strchr(" \t\n\\", *text))
            out += sprintf(out, "\\%03o", (unsigned char)*text);
        else
            *out++ = *text;
    *out = '\0';
}

/* Any text is a name: it comes back through a line of the kernel's. */
static void check_name(const char *name, size_t size)
{
    struct mount_line mount;
    _cleanup_free_ char *line = malloc(8 * size + 64), *escaped = malloc(4 * size + 1);
    check(line != NULL && escaped != NULL);
    if (!*name)
        return;
    escape(name, escaped);
    sprintf(line, "1 0 0:1 %s %s rw shared:1 - tmpfs x rw\n", escaped, escaped);
    check(mount_line_parse(line, &mount) == 0 && mount.id == 1 && mount.has_peers);
    check(streq(mount.root, name) && streq(mount.point, name));
    check(streq(mount.type, "tmpfs") && streq(mount.options, "rw"));
}

static void check_group(const struct mount_line *mount, const char *group)
{
    _cleanup_free_ char *path = NULL;
    int r = cgroup_line_path(mount->point, mount->root, group, &path);
    check(r == 0 || r == 1);
    if (r == 0)
        return;
    const char *rest = after_prefix(path, mount->point);
    check(rest && (!*rest || *rest == '/'));
    check(strlen(rest) <= strlen(group));
    check(!*rest || streq(rest, group + strlen(group) - strlen(rest)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_free_ char *text = strndup((const char *)data, size);
    check(text != NULL);
    check_name(text, size);

    struct mount_line mount, last = {.point = "/cg", .root = "/"};
    struct cgroup_line group;
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n"));) {
        _cleanup_free_ char *copy = strdup(line);
        size_t length = strlen(line);
        check(copy != NULL);
        if (mount_line_parse(line, &mount) == 0) {
            check_inside(mount.root, line, length);
            check_inside(mount.point, line, length);
            check_inside(mount.type, line, length);
            check_inside(mount.options, line, length);
            check(*mount.root && *mount.type && *mount.options);
            (void)comma_list_has(mount.options, "devices");
            last = mount;
        } else if (cgroup_line_parse(copy, &group) == 0) {
            check_inside(group.controllers, copy, length);
            check_inside(group.group, copy, length);
            if (*group.group == '/')
                check_group(&last, group.group);
        }
    }
    return 0;
}
