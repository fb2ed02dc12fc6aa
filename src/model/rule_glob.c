/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_glob.h"

#include <ctype.h>
#include <fnmatch.h>
#include <strings.h>

#define WHITE_SPACE " \t\n\r" /* what udevd takes away; \v and \f stay */

struct rule_glob rule_glob_compile(char *pattern, bool ignore_case)
{
    /* udevd looks at the end of the first alternative that is not empty, and at no other */
    const char *first = pattern + strspn(pattern, "|");
    size_t length = strcspn(first, "|");
    struct rule_glob glob = {
        .alternatives = pattern,
        .count = 1,
        .is_literal = !strpbrk(pattern, "*?["),
        .ignore_case = ignore_case,
        .keeps_blanks = length == 0 || isspace((unsigned char)first[length - 1]),
    };
    for (char *bar = strchr(pattern, '|'); bar; bar = strchr(bar + 1, '|')) {
        *bar = '\0';
        glob.count++;
    }
    return glob;
}

/*
 * Where one alternative is a glob, all are read as globs, as udevd has it: only then does a
 * backslash mean the next character.
 */
static bool alternative_matches(const struct rule_glob *glob, const char *alternative,
                                const char *value)
{
    if (glob->is_literal)
        return glob->ignore_case ? strcasecmp(alternative, value) == 0 : streq(alternative, value);
    return fnmatch(alternative, value, glob->ignore_case ? FNM_CASEFOLD : 0) == 0;
}

bool rule_glob_matches(const struct rule_glob *glob, const char *value)
{
    const char *alternative = glob->alternatives;
    for (size_t i = 0; i < glob->count; i++, alternative = rule_glob_next(alternative))
        if (alternative_matches(glob, alternative, value ? value : ""))
            return true;
    return false;
}

size_t rule_glob_trimmed_length(const char *value)
{
    size_t length = strlen(value);
    while (length > 0 && strchr(WHITE_SPACE, value[length - 1]))
        length--;
    return length;
}

bool rule_glob_matches_attribute(const struct rule_glob *glob, const char *value)
{
    size_t length = rule_glob_trimmed_length(value);
    char trimmed[4097]; /* a sysfs attribute is at most a page of 4096 bytes, save for a few tables
                         */
    if (glob->keeps_blanks || value[length] == '\0' || length >= sizeof(trimmed))
        return rule_glob_matches(glob, value);
    memcpy(trimmed, value, length);
    trimmed[length] = '\0';
    return rule_glob_matches(glob, trimmed);
}
