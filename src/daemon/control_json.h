/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Values of io.devolve from ours. Each returns a new reference, or NULL when memory is short. */

#include <jansson.h>

#include "engine/delegation.h"
#include "kernel/rule_files.h"

json_t *json_container(const struct door *door, const struct container *container);
json_t *json_device(const struct device *device);
/* `delivery` may be NULL: a grant that is only desired. */
json_t *json_grant(const struct container *container, const struct grant *grant,
                   const struct delivery *delivery);
json_t *json_problems(const struct rule_problems *problems);
json_t *json_masks(const struct rule_masks *masks);
json_t *json_activity(const struct activity *activity);

/* A string, made valid UTF-8 by escaping where it is not; JSON null for NULL. */
json_t *json_text(const char *text);
