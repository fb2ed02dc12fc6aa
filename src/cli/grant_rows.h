/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Grants as rows of a tree. */

#include <jansson.h>

#include "cli/render.h"

/* Adds one Grant of io.devolve(7): its row, and below it its links and why it was refused. */
void grant_rows_add(struct rows *rows, unsigned depth, const json_t *grant);

/* Adds those of the array that belong to `container`. Returns how many these are. */
size_t grant_rows_add_all(struct rows *rows, unsigned depth, const json_t *grants,
                          const char *container);
