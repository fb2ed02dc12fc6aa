/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which files the rule directories have. */

#include <sys/stat.h>

#include "kernel/rule_files.h"

/* One file of the directories. */
struct rule_file {
    char *name;
    size_t directory;           /* index: the lower one masks */
    const char *directory_path; /* borrowed */
    int directory_fd;           /* borrowed */
    const char *text;           /* borrowed: what is to be read in its place; NULL: itself */
};

struct rule_listing {
    struct rule_file *files;
    size_t file_count;
    int *directory_fds;
    size_t directory_count;
};

void rule_listing_done(struct rule_listing *listing);

/*
 * Adds all files of the directories, in any order. Directories that are missing are none; one that
 * others can write is a problem. Returns 0; -EBADMSG, after all were read; -ENOMEM.
 */
int rule_listing_read(struct rule_listing *listing, const char *const *directories, size_t count,
                      struct rule_problems *problems);

/*
 * Puts the draft, which is borrowed, in the place of the file that it stands for, or takes that out
 * of the listing. Returns 0 or -ENOMEM.
 */
int rule_listing_suppose(struct rule_listing *listing, const char *const *directories, size_t count,
                         const struct rule_draft *draft);

/* Whether what lies there, links followed, is /dev/null. */
bool rule_file_is_disabled(const struct stat *st);

/* By name, and files of one name in the order of their directories. */
void rule_listing_sort(struct rule_listing *listing);
