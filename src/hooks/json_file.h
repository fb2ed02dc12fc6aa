/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files of a runtime's that hold JSON. */

#include <jansson.h>

#include "base/refusal.h"

/*
 * Reads a file of at most `max` bytes below `dir_fd` (AT_FDCWD, or absolute). Returns 0 and *ret; a
 * negative errno and the reason: -EBADMSG for what is no JSON, -EFBIG.
 */
int json_file_load(int dir_fd, const char *path, size_t max, json_t **ret, struct refusal *why);
