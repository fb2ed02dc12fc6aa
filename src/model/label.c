/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/label.h"

#include <errno.h>

static bool is_label(const char *key, const json_t *value)
{
    const char *text = json_string_value(value);
    return *key && strlen(key) <= LABEL_LENGTH_MAX && text &&
           json_string_length(value) <= LABEL_LENGTH_MAX &&
           strlen(text) == json_string_length(value);
}

int labels_parse(const json_t *json, struct property_list *ret)
{
    struct property_list labels = {.count = 0};
    const char *key;
    json_t *value;
    int r = 0;

    if (!json || json_is_null(json)) {
        *ret = labels;
        return 0;
    }
    if (!json_is_object(json) || json_object_size(json) > LABELS_MAX)
        return -EINVAL;
    /* The macro takes no const; nothing is changed. */
    json_object_foreach((json_t *)(uintptr_t)json, key, value)
    {
        if (r == 0)
            r = is_label(key, value) ? property_set(&labels, key, json_string_value(value))
                                     : -EINVAL;
    }
    if (r < 0) {
        property_list_done(&labels);
        return r;
    }
    *ret = labels;
    return 0;
}

json_t *labels_format(const struct property_list *labels)
{
    json_t *json = json_object();
    for (size_t i = 0; json && i < labels->count; i++)
        if (json_object_set_new(json, labels->items[i].key, json_string(labels->items[i].value)) <
            0) {
            json_decref(json);
            return NULL;
        }
    return json;
}
