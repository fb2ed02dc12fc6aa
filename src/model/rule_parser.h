/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Text of one *.rules file into a rule set. No I/O: kernel/rule_files.h reads the files. */

#include "model/rule.h"

#define RULE_TEXT_MAX (1024u * 1024) /* bytes of a file */

enum problem_severity {
    PROBLEM_ERROR,   /* the file is refused */
    PROBLEM_WARNING, /* the rule stands, but hardly does what its writer meant */
};

struct rule_problem {
    enum problem_severity severity;
    char *file;      /* as given to rule_parse() */
    unsigned line;   /* 1-based: the physical line */
    unsigned column; /* 1-based byte column in that line */
    char *text;      /* what is wrong and what would be right; printable ASCII */
    char *source;    /* the physical line, for a caret below it; printable ASCII */
};

struct rule_problems {
    struct rule_problem *items;
    size_t count;
    size_t errors;     /* how many of them are PROBLEM_ERROR */
    bool without_udev; /* set by the caller: no udevd runs here, warn of rules that wait for it */
};

void rule_problems_done(struct rule_problems *problems);

/*
 * Parses `text` (`size` bytes, any content) and appends its rules to `rules`, in order. `file` is
 * the name that problems and shares carry. All problems of the file are reported, not only the
 * first (at most 100 of a file). Returns 0, -EBADMSG when the file has an error (nothing of it was
 * added then), -ENOMEM.
 */
int rule_parse(struct rule_set *rules, const char *file, const char *text, size_t size,
               struct rule_problems *problems);
