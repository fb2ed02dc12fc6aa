/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A note (note_directory.h) of ours to ourselves: a JSON object behind a checksum, so that what was
 * damaged is refused as a whole.
 */

#include <jansson.h>

#include "base/refusal.h"

/* Returns 0, or a negative errno and the reason. A NULL for `json` is -ENOMEM. */
int state_file_put(int directory_fd, const char *id, const json_t *json, struct refusal *why);

/* Returns 0 and *ret, to json_decref(); -EBADMSG where it is damaged; or another negative errno;
 * with the reason. */
int state_file_read(int directory_fd, const char *id, json_t **ret, struct refusal *why);
