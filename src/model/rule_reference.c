/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_reference.h"

static bool take(char *to, size_t size, const char *from, size_t length)
{
    if (length == 0 || length >= size)
        return false;
    memcpy(to, from, length);
    to[length] = '\0';
    return true;
}

int rule_reference_read(const char *text, struct rule_reference *ret)
{
    if (!rule_reference_is(text))
        return 0;
    const char *subsystem = text + 1;
    const char *slash = strchr(subsystem, '/');
    const char *end = slash ? strchr(slash, ']') : NULL;
    if (!end)
        return 0;
    if (!take(ret->subsystem, sizeof(ret->subsystem), subsystem, (size_t)(slash - subsystem)) ||
        !take(ret->sysname, sizeof(ret->sysname), slash + 1, (size_t)(end - slash - 1)))
        return 0;
    ret->attribute = end + 1 + (end[1] == '/');
    return 1;
}
