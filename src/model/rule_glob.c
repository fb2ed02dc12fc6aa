/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_glob.h"

#include <fnmatch.h>
#include <strings.h>

#define WHITE_SPACE " \t\n\v\f\r"

struct rule_glob rule_glob_compile(char *pattern, bool ignore_case)
{
    size_t length = strlen(pattern);
    struct rule_glob glob = {
        .alternatives = pattern,
        .count = 1,
        .ignore_case = ignore_case,
        .keeps_blanks = length > 0 && strchr(WHITE_SPACE, pattern[length - 1]),
    };
    for (char *bar = strchr(pattern, '|'); bar; bar = strchr(bar + 1, '|')) {
        *bar = '\0';
        glob.count++;
    }
    return glob;
}

static bool alternative_matches(const char *alternative, const char *value, bool ignore_case)
{
    if (!strpbrk(alternative, "*?["))
        return ignore_case ? strcasecmp(alternative, value) == 0 : streq(alternative, value);
    return fnmatch(alternative, value, ignore_case ? FNM_CASEFOLD : 0) == 0;
}

bool rule_glob_matches(const struct rule_glob *glob, const char *value)
{
    const char *alternative = glob->alternatives;
    for (size_t i = 0; i < glob->count; i++) {
        if (alternative_matches(alternative, value ? value : "", glob->ignore_case))
            return true;
        alternative += strlen(alternative) + 1;
    }
    return false;
}

bool rule_glob_matches_attribute(const struct rule_glob *glob, const char *value)
{
    size_t length = strlen(value);
    if (glob->keeps_blanks || length == 0 || !strchr(WHITE_SPACE, value[length - 1]))
        return rule_glob_matches(glob, value);

    while (length > 0 && strchr(WHITE_SPACE, value[length - 1]))
        length--;
    char trimmed[4097]; /* a sysfs attribute is at most a page of 4096 bytes, save for a few tables
                         */
    if (length >= sizeof(trimmed))
        return rule_glob_matches(glob, value);
    memcpy(trimmed, value, length);
    trimmed[length] = '\0';
    return rule_glob_matches(glob, trimmed);
}
