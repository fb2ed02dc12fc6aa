/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * RUNTIME_DIR/waiting: notes of containers that were started while devolved was away, one file
 * each (model/waiting_note.h), named after the container's id. Only root can look into it.
 */

#include "base/refusal.h"

/*
 * Opens the directory. It is made where it is missing, and so is the runtime directory's last part.
 * Returns a descriptor, or a negative errno and the reason: -EPERM where somebody else may write
 * there.
 */
int waiting_directory_open(const char *runtime_directory, struct refusal *why);

/* Writes a note, whole or not at all; one of this id is replaced. Returns 0, or a negative errno
 * and the reason. */
int waiting_directory_put(int directory_fd, const char *id, const char *text, struct refusal *why);

/*
 * Reads a note: *ret is to be freed, and ends in a NUL behind *ret_size bytes. Returns 0, or a
 * negative errno and the reason: -EBADMSG for what is no file of root's, or too large.
 */
int waiting_directory_read(int directory_fd, const char *id, char **ret, size_t *ret_size,
                           struct refusal *why);

/* Returns 0, also where there is none, or a negative errno. */
int waiting_directory_remove(int directory_fd, const char *id);

/* Calls for each id that there is a note of; it may be removed meanwhile. Stops at a negative
 * answer, which is returned. */
int waiting_directory_each(int directory_fd, int (*on_id)(void *userdata, const char *id),
                           void *userdata);
