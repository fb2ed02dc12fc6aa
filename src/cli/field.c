/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/field.h"

const char *field_text(const json_t *object, const char *name, const char *fallback)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : fallback;
}

json_int_t field_number(const json_t *object, const char *name, json_int_t fallback)
{
    const json_t *value = json_object_get(object, name);
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

json_t *field_array(const json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);
    return json_is_array(value) ? value : NULL;
}

json_t *field_object(const json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);
    return json_is_object(value) ? value : NULL;
}

bool field_true(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

bool field_is(const json_t *object, const char *name, const char *text)
{
    const char *value = field_text(object, name, NULL);
    return value && streq(value, text);
}
