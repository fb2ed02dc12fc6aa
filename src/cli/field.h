/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Members of the daemon's replies. Every one has a fallback: a daemon of another version that
 * leaves one out, or gives it another type, makes a poorer picture and no crash.
 */

#include <jansson.h>

#include "base/util.h"

/* The text, borrowed; `fallback` (may be NULL) where there is none. */
const char *field_text(const json_t *object, const char *name, const char *fallback);

/* The number; `fallback` where there is none. */
json_int_t field_number(const json_t *object, const char *name, json_int_t fallback);

/* The array or object, borrowed; NULL, which jansson's iterators accept as empty. */
json_t *field_array(const json_t *object, const char *name);
json_t *field_object(const json_t *object, const char *name);

/* Whether it is there and true. */
bool field_true(const json_t *object, const char *name);

/* Whether the text is there and equals `text`. */
bool field_is(const json_t *object, const char *name, const char *text);
