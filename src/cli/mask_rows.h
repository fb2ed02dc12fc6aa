/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Rule files that are masked, as rows; for `explain` and `check`. */

#include <jansson.h>

#include "cli/render.h"
#include "kernel/rule_files.h"

/* As the daemon has them: a new reference, or NULL when memory is short. */
json_t *mask_list(const struct rule_masks *masks);

/* A heading and a row for each; nothing where there are none. */
void mask_rows_add(struct rows *rows, const json_t *masked);
