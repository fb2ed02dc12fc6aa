/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a path must look like before anybody resolves it. */

#include "base/text.h"
#include "base/util.h"

/* Whether each component of a relative path is a name: none is empty, "." or "..". */
static inline bool path_is_plain(const char *path)
{
    for (;;) {
        size_t length = strcspn(path, "/");
        if (length == 0 || (length <= 2 && strspn(path, ".") == length))
            return false;
        if (!path[length])
            return true;
        path += length + 1;
    }
}

/* Whether a relative path cannot lead above where it begins: none of its components is "..". */
static inline bool path_stays_below(const char *path)
{
    if (path[0] == '/' || path[0] == '\0')
        return false;
    for (; *path; path += strspn(path, "/")) {
        size_t length = strcspn(path, "/");
        if (length == 2 && strspn(path, ".") == 2)
            return false;
        path += length;
    }
    return true;
}

/* Whether it can be a devpath: absolute, plain, UTF-8 without control characters. */
static inline bool path_is_devpath(const char *path)
{
    return path[0] == '/' && path_is_plain(path + 1) && text_is_clean(path, strlen(path));
}
