/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Writing down what is wrong with rules: for the parser and for who reads the files. */

#include "model/rule_parser.h"

/* What is to be written down; everything is borrowed. */
struct rule_complaint {
    enum problem_severity severity;
    const char *file;
    unsigned line, column; /* 0, 0: the file as a whole */
    const char *text;
    const char *source; /* the physical line, not terminated; NULL: none */
    size_t source_length;
};

/*
 * Appends one problem. Whatever is not printable ASCII in its texts is shown as '?', byte for byte,
 * so that columns stay true. Returns 0 or -ENOMEM.
 */
int rule_problems_add(struct rule_problems *problems, const struct rule_complaint *complaint);

#define RULE_PLACE_MAX 320 /* a file's name, and two numbers */

/* "50-a.rules:3:14", or "50-a.rules" for what is wrong with the file as a whole. Returns `out`. */
const char *rule_problem_place(const struct rule_problem *problem, char out[static RULE_PLACE_MAX]);
