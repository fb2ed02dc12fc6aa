/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/json_span.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

struct scan {
    const char *text;
    size_t size, at;
};

static void skip_blanks(struct scan *scan)
{
    while (scan->at < scan->size && strchr(" \t\r\n", scan->text[scan->at]))
        scan->at++;
}

static bool take(struct scan *scan, char character)
{
    skip_blanks(scan);
    if (scan->at == scan->size || scan->text[scan->at] != character)
        return false;
    scan->at++;
    return true;
}

/* A string; *ret_start and *ret_end are what is between the quotes. */
static bool skip_string(struct scan *scan, size_t *ret_start, size_t *ret_end)
{
    if (!take(scan, '"'))
        return false;
    *ret_start = scan->at;
    for (; scan->at < scan->size; scan->at++) {
        if (scan->text[scan->at] == '"') {
            *ret_end = scan->at++;
            return true;
        }
        scan->at += scan->text[scan->at] == '\\';
    }
    return false;
}

/* Objects and arrays, with whatever is in them: brackets outside of strings go in pairs. */
static bool skip_nested(struct scan *scan)
{
    size_t depth = 0, ignored;
    do {
        skip_blanks(scan);
        char c = scan->at < scan->size ? scan->text[scan->at] : '\0';
        if (c == '"') {
            if (!skip_string(scan, &ignored, &ignored))
                return false;
            continue;
        }
        if (c == '\0')
            return false;
        if (c == '{' || c == '[')
            depth++;
        else if (c == '}' || c == ']')
            depth--;
        scan->at++;
    } while (depth > 0);
    return true;
}

/* true, null, a number: everything up to the next mark. */
static bool skip_word(struct scan *scan)
{
    size_t start = scan->at;
    while (scan->at < scan->size && scan->text[scan->at] &&
           !strchr(",]} \t\r\n\":{[", scan->text[scan->at]))
        scan->at++;
    return scan->at > start;
}

static bool skip_value(struct scan *scan)
{
    size_t ignored;
    skip_blanks(scan);
    if (scan->at == scan->size)
        return false;
    switch (scan->text[scan->at]) {
    case '"':
        return skip_string(scan, &ignored, &ignored);
    case '{':
    case '[':
        return skip_nested(scan);
    default:
        return skip_word(scan);
    }
}

/*
 * Whether the key at this place is the one that is looked for. Returns 1, 0, or -EBADMSG where
 * another reader may take it for that: some know no case, and an escape may stand for any letter.
 */
static int compare_key(const struct scan *scan, size_t start, size_t end, const char *key)
{
    const char *its = scan->text + start;
    size_t length = end - start;
    if (memchr(its, '\\', length))
        return -EBADMSG;
    if (length != strlen(key) || strncasecmp(its, key, length) != 0)
        return 0;
    return memcmp(its, key, length) == 0 ? 1 : -EBADMSG;
}

/* One member, and whether it is the one that is looked for. */
static bool scan_member(struct scan *scan, const char *key, int *ret_is, struct json_span *ret)
{
    size_t start, end;
    if (!skip_string(scan, &start, &end) || !take(scan, ':'))
        return false;
    *ret_is = compare_key(scan, start, end, key);
    skip_blanks(scan);
    ret->start = scan->at;
    if (!skip_value(scan))
        return false;
    ret->end = scan->at;
    return true;
}

static int refuse_text(const struct scan *scan, struct refusal *why)
{
    return refuse(why, EBADMSG, "it is no JSON object: byte %zu", scan->at);
}

int json_span_find(const char *text, size_t size, const char *key, struct json_span *ret,
                   struct refusal *why)
{
    struct scan scan = {.text = text, .size = size};
    struct json_span span = {.start = 0}, member = {.start = 0};
    bool found = false;
    int is = 0;
    if (memchr(text, '\0', size))
        return refuse(why, EBADMSG, "it has a byte of zero in it");
    if (!take(&scan, '{'))
        return refuse_text(&scan, why);
    span.start = span.end = scan.at;
    span.first = take(&scan, '}');
    for (bool more = !span.first; more;) {
        if (!scan_member(&scan, key, &is, &member))
            return refuse_text(&scan, why);
        if (is < 0)
            return refuse(why, EBADMSG, "the key before byte %zu may be taken for \"%s\"",
                          member.start, key);
        if (is > 0 && found)
            return refuse(why, EBADMSG, "it has \"%s\" twice", key);
        if (is > 0)
            span = member;
        found |= is > 0;
        more = take(&scan, ',');
        if (!more && !take(&scan, '}'))
            return refuse_text(&scan, why);
    }
    skip_blanks(&scan);
    if (scan.at != size)
        return refuse_text(&scan, why);
    *ret = span;
    return found;
}

int json_span_load(const char *text, size_t size, const char *key, json_t **ret,
                   struct refusal *why)
{
    struct json_span span;
    json_error_t error;
    int r = json_span_find(text, size, key, &span, why);
    if (r <= 0)
        return r;
    *ret = json_loadb(text + span.start, span.end - span.start, JSON_DECODE_ANY, &error);
    return *ret ? 1 : refuse(why, EBADMSG, "\"%s\": %s", key, error.text);
}

char *json_span_replace(const char *text, size_t size, const char *key,
                        const struct json_span *span, const char *value)
{
    char *made;
    bool there = span->end > span->start;
    int n = there ? asprintf(&made, "%.*s%s%.*s", (int)span->start, text, value,
                             (int)(size - span->end), text + span->end)
                  : asprintf(&made, "%.*s\"%s\":%s%s%.*s", (int)span->start, text, key, value,
                             span->first ? "" : ",", (int)(size - span->end), text + span->end);
    return n < 0 ? NULL : made;
}
