/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Where a member of a JSON object is in its text: so that one can be replaced and all the rest
 * stays as it is, byte for byte. (Numbers above 2^63, as limits have them, are beyond most
 * libraries.)
 */

#include <jansson.h>

#include "base/refusal.h"

struct json_span {
    size_t start, end; /* of the value; equal where there is no such member: it would go there */
    bool first;        /* where there is none: the object is empty */
};

/*
 * Finds the member of the outermost object; RFC 8259 as far as it matters for where things begin
 * and end. Returns 1 and *ret, 0 where there is none, or -EBADMSG and the reason, also for one that
 * is there twice, or where another reader might find it in what is not it: a key that differs in
 * case alone, or any with an escape in it.
 */
int json_span_find(const char *text, size_t size, const char *key, struct json_span *ret,
                   struct refusal *why);

/* The member's value by itself, parsed: 1 and *ret, 0 where there is none, or a negative errno and
 * the reason. */
int json_span_load(const char *text, size_t size, const char *key, json_t **ret,
                   struct refusal *why);

/* The text with another value for the member. NULL when memory is short; caller frees. */
char *json_span_replace(const char *text, size_t size, const char *key,
                        const struct json_span *span, const char *value);
