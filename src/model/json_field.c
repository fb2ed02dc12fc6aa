/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/json_field.h"

#include <errno.h>

struct json_writer json_writer_new(void)
{
    return (struct json_writer){.object = json_object()};
}

json_t *json_writer_take(struct json_writer *writer)
{
    return TAKE_PTR(writer->object);
}

void json_write_take(struct json_writer *writer, const char *key, json_t *value)
{
    if (!writer->object) {
        json_decref(value);
        return;
    }
    if (!value || json_object_set_new(writer->object, key, value) < 0)
        json_decref(TAKE_PTR(writer->object));
}

/* Bytes from 0x80 on become the two bytes that UTF-8 has for the character of that number. */
static json_t *encode(const char *bytes, size_t size)
{
    _cleanup_free_ char *text = malloc(2 * size + 1);
    size_t length = 0;
    if (!text)
        return NULL;
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte >= 0x80)
            text[length++] = (char)(0xc0 | byte >> 6);
        text[length++] = (char)(byte >= 0x80 ? 0x80 | (byte & 0x3f) : byte);
    }
    return json_stringn(text, length);
}

/* The way back, in place. Returns the size, or -1 for a character above 0xff. */
static ssize_t decode(char *text, size_t length)
{
    size_t size = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte < 0x80) {
            text[size++] = (char)byte;
            continue;
        }
        if ((byte & 0xfc) != 0xc0 || ++i == length)
            return -1;
        text[size++] = (char)((byte & 0x03) << 6 | ((unsigned char)text[i] & 0x3f));
    }
    return (ssize_t)size;
}

void json_write_bytes(struct json_writer *writer, const char *key, const char *bytes, size_t size)
{
    if (bytes)
        json_write_take(writer, key, encode(bytes, size));
}

void json_write_text(struct json_writer *writer, const char *key, const char *text)
{
    if (text)
        json_write_bytes(writer, key, text, strlen(text));
}

void json_write_number(struct json_writer *writer, const char *key, uint64_t number)
{
    json_write_take(writer, key, json_integer((json_int_t)number));
}

void json_write_flag(struct json_writer *writer, const char *key, bool flag)
{
    if (flag)
        json_write_take(writer, key, json_true());
}

void json_append_take(json_t **array, json_t *element)
{
    if (!*array)
        json_decref(element);
    else if (json_array_append_new(*array, element) < 0)
        json_decref(TAKE_PTR(*array));
}

void json_write_texts(struct json_writer *writer, const char *key, char *const *texts, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_append_take(&array, encode(texts[i], strlen(texts[i])));
    json_write_take(writer, key, array);
}

void json_write_properties(struct json_writer *writer, const char *key,
                           const struct property_list *properties)
{
    json_t *array = json_array();
    for (size_t i = 0; i < properties->count; i++) {
        const struct property *property = &properties->items[i];
        json_append_take(&array, json_pack("[o, o]", encode(property->key, strlen(property->key)),
                                           encode(property->value, strlen(property->value))));
    }
    json_write_take(writer, key, array);
}

struct json_reader json_reader_of(const json_t *object)
{
    return (struct json_reader){.object = object, .error = json_is_object(object) ? 0 : -EBADMSG};
}

static void fail(struct json_reader *reader, int error)
{
    if (reader->error == 0)
        reader->error = error;
}

/* NULL where there is none; one of another kind is a mistake. */
static const json_t *member(struct json_reader *reader, const char *key, json_type type)
{
    const json_t *value = reader->error ? NULL : json_object_get(reader->object, key);
    if (value && json_typeof(value) != type) {
        fail(reader, -EBADMSG);
        return NULL;
    }
    return value;
}

static char *copy_bytes(struct json_reader *reader, const json_t *value, size_t *ret_size)
{
    size_t length = json_string_length(value);
    _cleanup_free_ char *bytes = malloc(length + 1);
    if (!bytes) {
        fail(reader, -ENOMEM);
        return NULL;
    }
    memcpy(bytes, json_string_value(value), length);
    ssize_t size = decode(bytes, length);
    if (size < 0) {
        fail(reader, -EBADMSG);
        return NULL;
    }
    bytes[size] = '\0';
    *ret_size = (size_t)size;
    return TAKE_PTR(bytes);
}

/* The same for what must not have a NUL in it. */
static char *copy_text(struct json_reader *reader, const json_t *value)
{
    size_t size = 0;
    _cleanup_free_ char *text = copy_bytes(reader, value, &size);
    if (text && strlen(text) != size) {
        fail(reader, -EBADMSG);
        return NULL;
    }
    return TAKE_PTR(text);
}

char *json_read_bytes(struct json_reader *reader, const char *key, size_t *ret_size)
{
    const json_t *value = member(reader, key, JSON_STRING);
    *ret_size = 0;
    return value ? copy_bytes(reader, value, ret_size) : NULL;
}

char *json_read_text(struct json_reader *reader, const char *key)
{
    const json_t *value = member(reader, key, JSON_STRING);
    return value ? copy_text(reader, value) : NULL;
}

uint64_t json_read_number(struct json_reader *reader, const char *key, uint64_t max)
{
    const json_t *value = member(reader, key, JSON_INTEGER);
    json_int_t number = value ? json_integer_value(value) : 0;
    if (number >= 0 && (uint64_t)number <= max)
        return (uint64_t)number;
    fail(reader, -EBADMSG);
    return 0;
}

bool json_read_flag(struct json_reader *reader, const char *key)
{
    return member(reader, key, JSON_TRUE) != NULL;
}

const json_t *json_read_object(struct json_reader *reader, const char *key)
{
    return member(reader, key, JSON_OBJECT);
}

const json_t *json_read_array(struct json_reader *reader, const char *key)
{
    return member(reader, key, JSON_ARRAY);
}

/* An element of an array; NULL: the reader has an error then. */
static char *read_element(struct json_reader *reader, const json_t *element)
{
    if (!reader->error && json_is_string(element))
        return copy_text(reader, element);
    fail(reader, -EBADMSG);
    return NULL;
}

size_t json_read_texts(struct json_reader *reader, const char *key, char **ret, size_t max)
{
    const json_t *array = member(reader, key, JSON_ARRAY);
    size_t count = 0;
    if (json_array_size(array) > max)
        fail(reader, -EBADMSG);
    while (!reader->error && count < json_array_size(array)) {
        ret[count] = read_element(reader, json_array_get(array, count));
        if (!ret[count])
            break;
        count++;
    }
    return count;
}

static void read_property(struct json_reader *reader, const json_t *pair, struct property_list *ret)
{
    _cleanup_free_ char *key = read_element(reader, json_array_get(pair, 0));
    _cleanup_free_ char *value = read_element(reader, json_array_get(pair, 1));
    if (key && value && property_set(ret, key, value) < 0)
        fail(reader, -ENOMEM);
}

void json_read_properties(struct json_reader *reader, const char *key, struct property_list *ret)
{
    const json_t *array = member(reader, key, JSON_ARRAY);
    for (size_t i = 0; !reader->error && i < json_array_size(array); i++)
        read_property(reader, json_array_get(array, i), ret);
}
