/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Members of JSON objects, written and read one by one; the first mistake sticks, so that it is
 * asked for once, at the end. Texts are bytes: what is no UTF-8 (a descriptor may have anything in
 * it) is kept by writing each byte as the character of its number.
 */

#include <jansson.h>

#include "model/property.h"

/* Frees a json_t reference that goes out of scope. */
static inline void json_freep(json_t **json)
{
    json_decref(*json);
}
#define _cleanup_json_ _cleanup_(json_freep)

/* --- writing: NULL when memory was short --- */

struct json_writer {
    json_t *object; /* NULL: memory was short */
};

struct json_writer json_writer_new(void);
/* The object, which belongs to the caller. */
json_t *json_writer_take(struct json_writer *writer);

/* NULL leaves the member out. */
void json_write_text(struct json_writer *writer, const char *key, const char *text);
/* Bytes that may have NULs among them; NULL leaves the member out. */
void json_write_bytes(struct json_writer *writer, const char *key, const char *bytes, size_t size);
void json_write_number(struct json_writer *writer, const char *key, uint64_t number);
/* False leaves the member out. */
void json_write_flag(struct json_writer *writer, const char *key, bool flag);
/* Takes `value`, whose NULL means that memory was short. */
void json_write_take(struct json_writer *writer, const char *key, json_t *value);

/* Takes `element` to the end of *array, which is freed and NULL where memory is short; from then
 * on, too. */
void json_append_take(json_t **array, json_t *element);

void json_write_texts(struct json_writer *writer, const char *key, char *const *texts,
                      size_t count);
/* An array of [KEY, VALUE], in their order. */
void json_write_properties(struct json_writer *writer, const char *key,
                           const struct property_list *properties);

/* --- reading --- */

struct json_reader {
    const json_t *object;
    int error; /* 0, -EBADMSG, -ENOMEM */
};

struct json_reader json_reader_of(const json_t *object);

/* Caller frees; NULL where there is none. */
char *json_read_text(struct json_reader *reader, const char *key);
/* The same, and how many bytes; a NUL is behind them. */
char *json_read_bytes(struct json_reader *reader, const char *key, size_t *ret_size);
/* 0 where there is none; above `max` is a mistake. */
uint64_t json_read_number(struct json_reader *reader, const char *key, uint64_t max);
bool json_read_flag(struct json_reader *reader, const char *key);
/* Borrowed; NULL where there is none. */
const json_t *json_read_object(struct json_reader *reader, const char *key);
const json_t *json_read_array(struct json_reader *reader, const char *key);

/* At most `max` texts into `ret` (caller frees each); how many there were. */
size_t json_read_texts(struct json_reader *reader, const char *key, char **ret, size_t max);
/* Into a list that is empty; the caller frees what is there, also where the reader has an error. */
void json_read_properties(struct json_reader *reader, const char *key, struct property_list *ret);
