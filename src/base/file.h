/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whole small files: of /proc, of sysfs, of rules. */

#include <sys/types.h>

#include "base/util.h"

/*
 * Reads from `fd` to the end of the file into `text` (`size` bytes, size > 0) and puts a NUL behind
 * it. Returns the length; -EFBIG where the file and its NUL need more room; or what read(2) says.
 */
ssize_t file_read(int fd, char *text, size_t size);

/* Writes all of the text. Returns 0, or what write(2) says. */
int file_write(int fd, const char *text);

/* Opens 0 to 2 on /dev/null where they are closed: what is opened next would get that number.
 * CLOEXEC is not set. */
void file_fill_standard(void);

/* Opens `path` below `dir_fd` (AT_FDCWD, or absolute) for reading only, and reads it likewise. */
ssize_t file_read_at(int dir_fd, const char *path, char *text, size_t size);
