/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/mount_line.h"

#include <errno.h>

#include "base/text.h"

/* Whether it begins with \ooo. No name has a NUL in it. */
static bool is_octal(const char *text)
{
    return text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' &&
           text[2] <= '7' && text[3] >= '0' && text[3] <= '7' && strncmp(text, "\\000", 4) != 0;
}

/* Blanks, tabs, newlines and backslashes are written as \ooo. In place. */
static const char *unescape(char *text)
{
    char *out = text;
    for (const char *in = text; *in; out++) {
        bool octal = is_octal(in);
        *out = octal ? (char)((in[1] - '0') * 64 + (in[2] - '0') * 8 + (in[3] - '0')) : *in;
        in += octal ? 4 : 1;
    }
    *out = '\0';
    return text;
}

/* The next field, which a blank ends and which may be empty; NULL at the end of the line. */
static char *next_field(char **rest)
{
    char *field = *rest;
    if (!*field)
        return NULL;
    *rest += strcspn(field, " ");
    if (**rest)
        *(*rest)++ = '\0';
    return field;
}

int mount_line_parse(char *line, struct mount_line *ret)
{
    char *fields[6], *rest = line, *field;
    line[strcspn(line, "\n")] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        if (!(fields[i] = next_field(&rest)) || !*fields[i])
            return -EBADMSG;
    *ret = (struct mount_line){.root = unescape(fields[3]), .point = unescape(fields[4])};
    while ((field = next_field(&rest)) && !streq(field, "-"))
        ret->has_peers = true;
    ret->type = next_field(&rest);
    const char *source = next_field(&rest); /* empty where whoever mounted it gave "" */
    ret->options = next_field(&rest);
    if (!source || !ret->options || !*ret->type || !*ret->options ||
        text_to_number(fields[0], UINT64_MAX, &ret->id) <= 0)
        return -EBADMSG;
    return 0;
}

bool comma_list_has(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, word, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    }
    return false;
}
