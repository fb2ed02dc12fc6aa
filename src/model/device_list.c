/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/device_list.h"

#include <stdio.h>

#include "base/text.h"
#include "model/share.h"

struct entry {
    char type; /* 'a', 'b' or 'c' */
    bool any_major, any_minor;
    uint32_t major, minor;
    unsigned access;
};

/* The text up to `end`, copied to `out`; -1 where it does not fit or there is no such end. */
static int take_word(const char **text, char end, char *out, size_t size)
{
    const char *stop = strchr(*text, end);
    if (!stop || (size_t)(stop - *text) >= size)
        return -1;
    memcpy(out, *text, (size_t)(stop - *text));
    out[stop - *text] = '\0';
    *text = stop + 1;
    return 0;
}

static int parse_number(const char *word, bool *ret_any, uint32_t *ret)
{
    *ret_any = streq(word, "*");
    if (*ret_any)
        return 0;
    uint64_t value;
    if (text_to_number(word, UINT32_MAX, &value) < 0)
        return -1;
    *ret = (uint32_t)value;
    return 0;
}

static int parse_access(const char *word, unsigned *ret)
{
    *ret = 0;
    for (; *word; word++)
        if (*word == 'r')
            *ret |= ACCESS_READ;
        else if (*word == 'w')
            *ret |= ACCESS_WRITE;
        else if (*word == 'm')
            *ret |= ACCESS_MKNOD;
        else
            return -1;
    return 0;
}

static int parse_entry(const char *line, struct entry *ret)
{
    char type[2], major[12], minor[12];
    if (take_word(&line, ' ', type, sizeof(type)) < 0 || !strchr("abc", type[0]) ||
        take_word(&line, ':', major, sizeof(major)) < 0 ||
        take_word(&line, ' ', minor, sizeof(minor)) < 0 ||
        parse_number(major, &ret->any_major, &ret->major) < 0 ||
        parse_number(minor, &ret->any_minor, &ret->minor) < 0)
        return -1;
    ret->type = type[0];
    return parse_access(line, &ret->access);
}

static char type_letter(const struct devnum *number)
{
    return number->kind == NODE_BLOCK ? 'b' : 'c';
}

static bool entry_covers(const struct entry *entry, const struct devnum *number)
{
    return (entry->type == 'a' || entry->type == type_letter(number)) &&
           (entry->any_major || entry->major == number->major) &&
           (entry->any_minor || entry->minor == number->minor);
}

static bool entry_is_for(const struct entry *entry, const struct devnum *number)
{
    return entry->type == type_letter(number) && !entry->any_major && !entry->any_minor &&
           entry_covers(entry, number);
}

struct device_list_verdict device_list_judge(const char *text, const struct devnum *number,
                                             unsigned access)
{
    struct device_list_verdict verdict = {0};
    bool covered = false;
    char line[DEVICE_LIST_ENTRY_MAX];

    for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
        struct entry entry = {0};
        const char *rest = text;
        if (take_word(&rest, '\n', line, sizeof(line)) < 0 || parse_entry(line, &entry) < 0)
            continue;
        if (entry.type == 'a')
            verdict.allows_all = true;
        if (entry_is_for(&entry, number))
            verdict.own |= entry.access;
        if (entry_covers(&entry, number) && (access & ~entry.access) == 0)
            covered = true;
    }
    verdict.missing = covered ? 0 : access & ~verdict.own;
    return verdict;
}

const char *device_list_entry(const struct devnum *number, unsigned access,
                              char out[static DEVICE_LIST_ENTRY_MAX])
{
    snprintf(out, DEVICE_LIST_ENTRY_MAX, "%c %u:%u %s%s%s", type_letter(number), number->major,
             number->minor, access & ACCESS_READ ? "r" : "", access & ACCESS_WRITE ? "w" : "",
             access & ACCESS_MKNOD ? "m" : "");
    return out;
}
