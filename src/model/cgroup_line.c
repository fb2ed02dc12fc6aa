/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/cgroup_line.h"

#include <errno.h>
#include <stdio.h>

int cgroup_line_parse(char *line, struct cgroup_line *ret)
{
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group)
        return -EBADMSG;
    *controllers++ = '\0';
    *group++ = '\0';
    *ret = (struct cgroup_line){
        .unified = streq(line, "0") && !*controllers, .controllers = controllers, .group = group};
    return 0;
}

int cgroup_line_path(const char *point, const char *root, const char *group, char **ret)
{
    const char *rest = streq(root, "/") ? group : after_prefix(group, root);
    if (!rest || (*rest != '/' && *rest != '\0'))
        return 0;
    /* "/.." is outside of our cgroup namespace */
    if (after_prefix(group, "/..") || strstr(group, " (deleted)"))
        return 0;
    return asprintf(ret, "%s%s", point, streq(rest, "/") ? "" : rest) < 0 ? -ENOMEM : 1;
}
