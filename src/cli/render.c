/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/render.h"

#include <assert.h>
#include <errno.h>
#include <langinfo.h>
#include <stdarg.h>

#include "base/text.h"

#define BRANCH_WIDTH 3 /* columns of a branch at each depth */
#define COLUMN_GAP 2

struct render render_to(FILE *file)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    return (struct render){
        .file = file,
        .colour =
            isatty(fileno(file)) && !(no_color && *no_color) && !(term && streq(term, "dumb")),
        .utf8 = streq(nl_langinfo(CODESET), "UTF-8"),
    };
}

static bool is_printable(const char *text)
{
    for (; *text; text++)
        if (*text < 0x20 || *text > 0x7e)
            return false;
    return true;
}

char *render_printable(const char *text)
{
    if (is_printable(text))
        return strdup(text);
    size_t length = strlen(text), size = length * 4 + 1;
    char *printable = malloc(size);
    if (printable)
        text_printable(printable, size, text, length);
    return printable;
}

static char *format_printable(const char *format, va_list arguments) _printf_(1, 0);

static char *format_printable(const char *format, va_list arguments)
{
    char *raw;
    if (vasprintf(&raw, format, arguments) < 0)
        return NULL;
    char *text = render_printable(raw);
    free(raw);
    return text;
}

static void put(const struct render *render, enum style style, const char *text)
{
    static const char *const codes[] = {
        [STYLE_PLAIN] = "",        [STYLE_STRONG] = "\033[1m",   [STYLE_FAINT] = "\033[2m",
        [STYLE_GOOD] = "\033[32m", [STYLE_WARNING] = "\033[33m", [STYLE_BAD] = "\033[31m",
    };
    if (!render->colour || style == STYLE_PLAIN || !*text)
        fputs(text, render->file);
    else
        fprintf(render->file, "%s%s\033[0m", codes[style], text);
}

void render_printf(const struct render *render, enum style style, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    _cleanup_free_ char *text = format_printable(format, arguments);
    va_end(arguments);
    put(render, style, text ? text : "(memory is short)");
}

void render_newline(const struct render *render)
{
    fputc('\n', render->file);
}

struct row *rows_add(struct rows *rows, unsigned depth)
{
    struct row *row = array_add(&rows->items, &rows->count, sizeof(*row));
    if (row)
        row->depth = depth;
    else
        rows->short_of_memory = true;
    return row;
}

/* Takes the text. */
static void add_cell(struct rows *rows, struct row *row, enum style style, char *text)
{
    if (!row || !text) {
        rows->short_of_memory = true;
        free(text);
        return;
    }
    assert(row->count < ROW_CELLS_MAX);
    row->cells[row->count].text = text;
    row->cells[row->count++].style = style;
}

void rows_add_text(struct rows *rows, unsigned depth, enum style style, const char *format, ...)
{
    struct row *row = rows_add(rows, depth);
    if (row)
        row->wide = true;
    va_list arguments;
    va_start(arguments, format);
    add_cell(rows, row, style, format_printable(format, arguments));
    va_end(arguments);
}

void row_add(struct rows *rows, struct row *row, enum style style, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_cell(rows, row, style, format_printable(format, arguments));
    va_end(arguments);
}

/* The column of a row's first character: its branches come before it. */
static size_t indent(const struct row *row)
{
    return (size_t)row->depth * BRANCH_WIDTH;
}

static size_t cell_width(const struct row *row, size_t cell)
{
    return strlen(row->cells[cell].text) + (cell == 0 ? indent(row) : 0);
}

/* The blanks between a cell and the next one. */
static int gap(const struct row *row, size_t cell, const size_t widths[ROW_CELLS_MAX])
{
    size_t fill = row->wide ? 0 : widths[cell] - cell_width(row, cell);
    return (int)(fill + COLUMN_GAP);
}

static void measure(const struct rows *rows, size_t widths[ROW_CELLS_MAX])
{
    memset(widths, 0, ROW_CELLS_MAX * sizeof(*widths));
    for (size_t i = 0; i < rows->count; i++) {
        const struct row *row = &rows->items[i];
        for (size_t cell = 0; !row->wide && cell < row->count; cell++)
            if (cell_width(row, cell) > widths[cell])
                widths[cell] = cell_width(row, cell);
    }
}

/* Whether another row hangs below row `index` on the same branch of depth `depth`. */
static bool branch_goes_on(const struct rows *rows, size_t index, unsigned depth)
{
    for (size_t i = index + 1; i < rows->count; i++)
        if (rows->items[i].depth <= depth)
            return rows->items[i].depth == depth;
    return false;
}

static void put_branches(const struct rows *rows, size_t index, const struct render *render)
{
    static const char *const ascii[] = {"|- ", "`- ", "|  ", "   "};
    static const char *const lines[] = {"├─ ", "└─ ", "│  ", "   "};
    const char *const *branches = render->utf8 ? lines : ascii;
    unsigned depth = rows->items[index].depth;

    for (unsigned d = 1; d < depth; d++)
        put(render, STYLE_FAINT, branches[branch_goes_on(rows, index, d) ? 2 : 3]);
    if (depth > 0)
        put(render, STYLE_FAINT, branches[branch_goes_on(rows, index, depth) ? 0 : 1]);
}

int rows_print(const struct rows *rows, const struct render *render)
{
    size_t widths[ROW_CELLS_MAX];
    measure(rows, widths);

    for (size_t i = 0; i < rows->count; i++) {
        const struct row *row = &rows->items[i];
        put_branches(rows, i, render);
        for (size_t cell = 0; cell < row->count; cell++) {
            put(render, row->cells[cell].style, row->cells[cell].text);
            if (cell + 1 < row->count)
                fprintf(render->file, "%*s", gap(row, cell, widths), "");
        }
        render_newline(render);
    }
    return rows->short_of_memory ? -ENOMEM : 0;
}

void rows_done(struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        for (size_t cell = 0; cell < rows->items[i].count; cell++)
            free(rows->items[i].cells[cell].text);
    free(rows->items);
    *rows = (struct rows){0};
}
