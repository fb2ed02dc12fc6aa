/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The words of a rule file. Two steps: rule_lexer_next_line() joins physical lines (a backslash at
 * the end goes on, comments and leading blanks go away, as udev(7) does), rule_lexer_next() takes
 * one KEY{argument}OPERATOR"value" after the other from the joined line and knows for each where it
 * stood. Internal to the rule modules.
 */

#include "model/rule_set.h"

#define RULE_LINE_MAX (16u * 1024) /* bytes of a joined line */

/* Why something cannot be read, and where. */
struct rule_fault {
    struct rule_position at;
    char text[256];
};

/* Sets *fault and returns -EBADMSG. */
int rule_fault_set(struct rule_fault *fault, struct rule_position at, const char *format, ...)
    _printf_(3, 4);

/* A stretch of the joined line that stood together in the file. */
struct rule_piece {
    size_t offset; /* in the joined line */
    struct rule_position at;
};

struct rule_lexer {
    const char *text; /* the file, borrowed */
    size_t size;
    size_t offset;
    unsigned line_number; /* of the physical line at `offset` */

    char line[RULE_LINE_MAX + 1]; /* joined, NUL-terminated */
    size_t length;
    struct rule_piece *pieces;
    size_t piece_count;
    size_t cursor;

    char argument[RULE_LINE_MAX + 1];
    char value[RULE_LINE_MAX + 1];
};

/* One key with its operator and value. Pointers are into the lexer, good until the next call. */
struct rule_expression {
    const char *name; /* not terminated */
    size_t name_length;
    const char *argument; /* between { and }; NULL where there are no braces */
    enum rule_operator op;
    const char *value;   /* unescaped */
    bool ignore_case;    /* i"…" */
    const char *written; /* not terminated */
    size_t written_length;
    size_t commas; /* before it, or, when there was nothing more, at the line's end */
    struct rule_position at, at_operator, at_value, at_comma;
};

/* Starts at the beginning of `text`. Holds about 50 KiB: not for a small stack. */
void rule_lexer_init(struct rule_lexer *lexer, const char *text, size_t size);
void rule_lexer_done(struct rule_lexer *lexer);

/*
 * Reads the next joined line that is neither empty nor a comment.
 * Returns 1; 0 at the end; -EBADMSG and *ret_fault (that line is passed over, go on); -ENOMEM.
 */
int rule_lexer_next_line(struct rule_lexer *lexer, struct rule_fault *ret_fault);

/*
 * Reads the next expression of the joined line.
 * Returns 1 and *ret; 0 at the line's end (with the commas before it in *ret); -EBADMSG and
 * *ret_fault.
 */
int rule_lexer_next(struct rule_lexer *lexer, struct rule_expression *ret,
                    struct rule_fault *ret_fault);

/* The file's physical line of this number, as it is. Returns its length; 0 where there is none. */
size_t rule_lexer_physical_line(const struct rule_lexer *lexer, unsigned number, const char **ret);
