/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A container's labels, as they are written in JSON: an object of strings. */

#include <jansson.h>

#include "model/property.h"

#define LABELS_MAX 64        /* of a container */
#define LABEL_LENGTH_MAX 255 /* bytes of a key, or of a value */

/*
 * Reads labels; `json` may be NULL or null for none. Returns 0 and *ret (property_list_done() it);
 * -EINVAL: no object of strings, or beyond a limit; -ENOMEM.
 */
int labels_parse(const json_t *json, struct property_list *ret);

/* The same labels as a new JSON object, or NULL when memory is short. */
json_t *labels_format(const struct property_list *labels);
