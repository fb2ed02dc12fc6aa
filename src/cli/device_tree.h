/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The host's devices as they hang below each other, and who holds them. */

#include <jansson.h>

#include "cli/render.h"

/*
 * Adds a row for each Device of io.devolve(7) with who has it of the array of Grants. Unless `all`,
 * devices that have no node and are nobody's are left out, but for those at which the tree
 * branches. Returns 0 or -ENOMEM.
 */
int device_tree_add(struct rows *rows, const json_t *devices, const json_t *grants, bool all);
