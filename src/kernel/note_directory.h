/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Directories below the runtime directory that only root can look into, with small files that are
 * there whole or not at all:
 *   waiting/ID          of containers that were started while devolved was away
 *                       (model/waiting_note.h), named after the container's id;
 *   containers/NAME/... what devolved itself finds again when it was away (engine/state.h).
 *
 * Nothing is synced to a disk: a file outlives the process that wrote it in any case, and when the
 * machine goes down, all containers do.
 */

#include "base/refusal.h"

#define NOTE_MAX (1024u * 1024) /* bytes of one file */

/*
 * Opens RUNTIME_DIRECTORY/NAME. It is made where it is missing, and so is the runtime directory's
 * last part. Returns a descriptor, or a negative errno and the reason: -EPERM where somebody else
 * may write there.
 */
int note_directory_open(const char *runtime_directory, const char *name, struct refusal *why);

/* The same for a directory in one; it is made where it is missing and `make`. */
int note_directory_enter(int directory_fd, const char *name, bool make, struct refusal *why);

/* Writes a note, whole or not at all; one of this id is replaced. Returns 0, or a negative errno
 * and the reason. */
int note_directory_put(int directory_fd, const char *id, const char *text, struct refusal *why);

/*
 * Reads a note: *ret is to be freed, and ends in a NUL behind *ret_size bytes. Returns 0, or a
 * negative errno and the reason: -EBADMSG for what is no file of root's, or above `max` bytes.
 */
int note_directory_read(int directory_fd, const char *id, size_t max, char **ret, size_t *ret_size,
                        struct refusal *why);

/* Removes a note, or a directory that is empty. Returns 0, also where there is none, or a negative
 * errno. */
int note_directory_remove(int directory_fd, const char *id);

/* Calls for each id that there is a note of; it may be removed meanwhile. Stops at a negative
 * answer, which is returned. */
int note_directory_each(int directory_fd, int (*on_id)(void *userdata, const char *id),
                        void *userdata);

/* Removes a directory in one with all its notes. Returns 0, also where there is none, or a negative
 * errno. */
int note_directory_clear(int directory_fd, const char *name);
