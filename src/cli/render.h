/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a person sees: styled text, rows in aligned columns, trees. Everything that is shown passes
 * through here and comes out as printable ASCII (but for the branches of a tree), whatever a device
 * or a container calls itself: an escape sequence in a name never reaches the terminal.
 */

#include <stdio.h>

#include "base/util.h"

enum style { STYLE_PLAIN, STYLE_STRONG, STYLE_FAINT, STYLE_GOOD, STYLE_WARNING, STYLE_BAD };

struct render {
    FILE *file;
    bool colour; /* styles are shown */
    bool utf8;   /* branches are drawn with lines, else with ASCII */
};

/*
 * Decides for `file`: colour on a terminal only, and not with NO_COLOR (no-color.org) or TERM=dumb;
 * lines where the locale's character set (setlocale() was called) is UTF-8.
 */
struct render render_to(FILE *file);

/*
 * A copy to free(): `text` itself where it is printable ASCII, else as text_printable() has it. So
 * a text that was escaped before is not escaped twice. NULL when memory is short.
 */
char *render_printable(const char *text);

/* Writes formatted text in a style. A newline in it is escaped too: render_newline() ends lines. */
void render_printf(const struct render *render, enum style style, const char *format, ...)
    _printf_(3, 4);
void render_newline(const struct render *render);

#define ROW_CELLS_MAX 8

/* One line of a table or tree. */
struct row {
    unsigned depth; /* in the tree; 0: no branch before it */
    bool wide;      /* free text: its width does not count for the columns */
    size_t count;
    struct {
        char *text;
        enum style style;
    } cells[ROW_CELLS_MAX];
};

struct rows {
    struct row *items;
    size_t count;
    bool short_of_memory; /* a row or cell is missing: rows_print() says so */
};

/*
 * Appends a row; the branches before it follow from the depths of all rows. Returns it for
 * row_add(), valid until the next rows_add(); NULL when memory is short, which row_add() accepts.
 */
struct row *rows_add(struct rows *rows, unsigned depth);

/* The same for a line of free text. */
void rows_add_text(struct rows *rows, unsigned depth, enum style style, const char *format, ...)
    _printf_(4, 5);

/* Appends a cell to the row. */
void row_add(struct rows *rows, struct row *row, enum style style, const char *format, ...)
    _printf_(4, 5);

/* Returns 0, or -ENOMEM when something is missing for want of memory. */
int rows_print(const struct rows *rows, const struct render *render);

void rows_done(struct rows *rows);
