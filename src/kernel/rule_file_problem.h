/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Problems of a rule file, or of a directory of them, as a whole: their line is 0. */

#include <sys/stat.h>

#include "base/util.h"
#include "model/rule_problem.h"

/* Adds an error. Returns -EBADMSG, or -ENOMEM. */
int rule_file_refuse(struct rule_problems *problems, const char *file, const char *format, ...)
    _printf_(3, 4);

/* Adds a warning. Returns 0 or -ENOMEM. */
int rule_file_warn(struct rule_problems *problems, const char *file, const char *text);

/* Whether nobody but root and us can write it: 0; else as rule_file_refuse(). */
int rule_file_check_owner(const struct stat *st, const char *file, struct rule_problems *problems);

/*
 * The same as a warning: a draft need not be safe yet, but as it is the daemon would not have it.
 * Returns 0 or -ENOMEM.
 */
int rule_file_warn_of_owner(const struct stat *st, const char *file,
                            struct rule_problems *problems);
