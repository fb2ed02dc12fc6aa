/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What outlives the daemon, as JSON: grants, what was attached, udev's words. */

#include "model/grant.h"
#include "model/json_field.h"
#include "model/udev_word.h"

/* A new object, or NULL when memory is short. */
json_t *saved_grant_format(const struct grant *grant);
json_t *saved_share_format(const struct share *share);
json_t *saved_word_format(const struct udev_word *word);

/* A device number as members of an object. */
void saved_number_write(struct json_writer *writer, const struct devnum *number);
struct devnum saved_number_read(struct json_reader *reader);

/* Each returns 0 and *ret, which is to be freed as usual; -EBADMSG: it was not written by us;
 * -ENOMEM. */
int saved_grant_parse(const json_t *json, struct grant **ret);
int saved_share_parse(const json_t *json, struct share *ret);
int saved_word_parse(const json_t *json, struct udev_word **ret);
