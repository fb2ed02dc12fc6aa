/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/problem.h"

#include "cli/field.h"
#include "model/varlink_message.h"

json_t *problem_list(const struct rule_problems *problems)
{
    _cleanup_json_ json_t *list = json_array();
    for (size_t i = 0; list && i < problems->count; i++) {
        const struct rule_problem *p = &problems->items[i];
        /* a file's name is what the user or a directory says: any bytes */
        _cleanup_free_ char *file = render_printable(p->file ? p->file : "");
        json_t *problem =
            json_pack("{s:s, s:s, s:I, s:I, s:s, s:s}", "severity",
                      p->severity == PROBLEM_ERROR ? "error" : "warning", "file", file ? file : "",
                      "line", (json_int_t)p->line, "column", (json_int_t)p->column, "text",
                      p->text ? p->text : "", "source", p->source ? p->source : "");
        if (json_array_append_new(list, problem) < 0)
            return NULL;
    }
    return TAKE_PTR(list);
}

size_t problem_count(const json_t *problems, const char *severity)
{
    size_t count = 0, index;
    const json_t *problem;
    json_array_foreach(problems, index, problem) count += field_is(problem, "severity", severity);
    return count;
}

/* The source line has one character for each byte of the file's, so that columns can be counted. */
static void print_source(const struct render *render, const char *source, size_t column)
{
    size_t length = strlen(source), caret = column - 1 < length ? column - 1 : length;
    render_printf(render, STYLE_PLAIN, "    %s", source);
    render_newline(render);
    fprintf(render->file, "    %*s", (int)caret, "");
    render_printf(render, STYLE_GOOD, "^");
    render_newline(render);
}

/* "FILE:LINE:COLUMN:", or "FILE:" for what is wrong with the file itself. */
static void print_place(const struct render *render, const json_t *problem)
{
    json_int_t line = field_number(problem, "line", 0), column = field_number(problem, "column", 0);
    render_printf(render, STYLE_STRONG, "%s:", field_text(problem, "file", "?"));
    if (line > 0)
        render_printf(render, STYLE_STRONG, "%" JSON_INTEGER_FORMAT ":", line);
    if (line > 0 && column > 0)
        render_printf(render, STYLE_STRONG, "%" JSON_INTEGER_FORMAT ":", column);
    fputc(' ', render->file);
}

static void print_problem(const struct render *render, const json_t *problem)
{
    bool error = field_is(problem, "severity", "error");
    const char *source = field_text(problem, "source", "");
    json_int_t column = field_number(problem, "column", 0);

    print_place(render, problem);
    render_printf(render, error ? STYLE_BAD : STYLE_WARNING, error ? "error:" : "warning:");
    render_printf(render, STYLE_PLAIN, " %s", field_text(problem, "text", ""));
    render_newline(render);
    if (*source && column > 0)
        print_source(render, source, (size_t)column);
}

void problem_print_all(const struct render *render, const json_t *problems)
{
    size_t index;
    const json_t *problem;
    json_array_foreach(problems, index, problem) print_problem(render, problem);
}
