/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any text as a configuration of which one member is replaced: what is found lies within the text,
 * nothing else changes, and jansson, which reads all of it, agrees on what is there before and
 * after.
 */

#include <stdio.h>
#include <strings.h>

#include "model/json_span.h"
#include "model/varlink_message.h"

#define KEY "hooks"
#define FRESH "{\"a\":[1,\"}\"]}"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static json_t *read_json(const char *text, size_t size)
{
    return json_loadb(
        text, size,
        JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);
}

/* Whether there is anything that json_span_find() refuses, although it is JSON. (jansson overlooks
 * a byte of zero behind a number.) */
static bool is_doubtful(const json_t *json, const char *text, size_t size)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)json, key, value)
    {
        if (strcasecmp(key, KEY) == 0 && !streq(key, KEY))
            return true;
    }
    return memchr(text, '\\', size) || memchr(text, '\0', size);
}

static void try_value(const json_t *json, const char *text, const struct json_span *span, int found)
{
    const json_t *value = json_object_get(json, KEY);
    check((found > 0) == (value != NULL));
    if (!value)
        return;
    _cleanup_json_ json_t *its = read_json(text + span->start, span->end - span->start);
    check(its && json_equal(its, value));
}

static void try_made(json_t *json, const char *made)
{
    _cleanup_json_ json_t *fresh = read_json(FRESH, strlen(FRESH));
    _cleanup_json_ json_t *its = read_json(made, strlen(made));
    check(its && json_object_set(json, KEY, fresh) == 0 && json_equal(its, json));
}

static char *replace(const char *text, size_t size, const struct json_span *span)
{
    struct refusal why;
    struct json_span again;
    char *made = json_span_replace(text, size, KEY, span, FRESH);
    check(made != NULL);
    size_t length = strlen(made), behind = size - span->end;
    check(json_span_find(made, length, KEY, &again, &why) == 1);
    check(again.end - again.start == strlen(FRESH));
    check(memcmp(made + again.start, FRESH, strlen(FRESH)) == 0);
    check(memcmp(made, text, span->start) == 0);
    check(length >= behind && memcmp(made + length - behind, text + span->end, behind) == 0);
    return made;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct json_span span = {.start = 0};
    struct refusal why;
    _cleanup_free_ char *made = NULL;
    int r = json_span_find(text, size, KEY, &span, &why);
    if (r >= 0) {
        check(span.start <= span.end && span.end <= size);
        made = replace(text, size, &span);
    }
    _cleanup_json_ json_t *json = read_json(text, size);
    if (!json_is_object(json))
        return 0;
    if (r < 0) {
        check(is_doubtful(json, text, size));
        return 0;
    }
    try_value(json, text, &span, r);
    try_made(json, made);
    return 0;
}
