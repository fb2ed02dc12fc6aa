/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Rule files that we write ourselves: whole or not at all, also when the power fails. */

#include "base/refusal.h"
#include "model/name_list.h"

/*
 * Writes a file of mode 0644 into a directory, which is made where it is missing, and so is the one
 * above it. Returns 0; or a negative errno and the reason, and what was there is as it was.
 */
int rule_drop_in_write(const char *directory, const char *name, const char *text,
                       struct refusal *why);

/* Returns 0; or a negative errno and the reason: -ENOENT where there is none. */
int rule_drop_in_remove(const char *directory, const char *name, struct refusal *why);

/*
 * Adds the names of the directory's files that attach_rule_is_name() knows for `container`. One
 * that cannot be read has none. Returns 0 or -ENOMEM.
 */
int rule_drop_in_list(const char *directory, const char *container, struct name_list *names);
