/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Rule files from directories, as udev(7) has it: *.rules, ordered by file name over all
 * directories, one name in an earlier directory masks the later ones, a link to /dev/null disables.
 */

#include "model/rule_parser.h"

#define RULE_FILE_MAX RULE_TEXT_MAX /* bytes */

/*
 * Reads and parses all files of `directories` (missing ones are skipped) into a new set. Files and
 * directories must belong to root or to us and not be writable by others, and files must be
 * regular: anything else is a problem (PROBLEM_ERROR, line 0) that names it. A link to nothing and
 * a file that vanishes are left out (PROBLEM_WARNING, line 0). Every file is parsed, so that all
 * problems are found. Returns 0 and *ret; -EBADMSG where a file has an error, and then
 * *ret is NULL; -ENOMEM.
 */
int rule_files_load(const char *const *directories, size_t count, struct rule_set **ret,
                    struct rule_problems *problems);

/* A file as it may be soon: it is read so, whatever is there now. */
struct rule_draft {
    const char *directory; /* one of those that are read */
    const char *name;
    const char *text; /* NULL: as if there were no such file */
};

/* rule_files_load(), supposing the draft (may be NULL). */
int rule_files_try(const char *const *directories, size_t count, const struct rule_draft *draft,
                   struct rule_set **ret, struct rule_problems *problems);

/*
 * Reads one file, wherever it is, and parses it into `rules`: for `check FILE`. An owner or a mode
 * that rule_files_load() would refuse is a warning.
 */
int rule_file_load(const char *path, struct rule_set *rules, struct rule_problems *problems);

/* A file of the rule directories that is not read. */
struct rule_mask {
    char *path;
    char *by; /* the file of the same name that goes before it, or "/dev/null" for a link to that */
};

struct rule_masks {
    struct rule_mask *items;
    size_t count;
};

void rule_masks_done(struct rule_masks *masks);

/*
 * Adds to `masks` what rule_files_load() would pass over now, in the order of the names.
 * Directories that cannot be read are passed over too. Returns 0 or -ENOMEM.
 */
int rule_files_masked(const char *const *directories, size_t count, struct rule_masks *masks);
