/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_lexer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "model/rule_string.h"

#define BLANKS " \t\r"

int rule_fault_set(struct rule_fault *fault, struct rule_position at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(fault->text, sizeof(fault->text), format, arguments);
    va_end(arguments);
    fault->at = at;
    return -EBADMSG;
}

void rule_lexer_init(struct rule_lexer *lexer, const char *text, size_t size)
{
    *lexer = (struct rule_lexer){.text = text, .size = size, .line_number = 1};
}

void rule_lexer_done(struct rule_lexer *lexer)
{
    free(lexer->pieces);
    lexer->pieces = NULL;
}

static bool is_blank(char c)
{
    return c != '\0' && strchr(BLANKS, c);
}

/* A physical line, or what is left of it: bytes of the file. */
struct span {
    const char *text;
    size_t length;
    struct rule_position at;
};

static void span_shorten(struct span *span, size_t bytes)
{
    span->text += bytes;
    span->length -= bytes;
    span->at.column += (unsigned)bytes;
}

/* The next physical line, without the blanks before it and the line end. */
static bool read_physical_line(struct rule_lexer *lexer, struct span *ret)
{
    if (lexer->offset >= lexer->size)
        return false;
    const char *begin = lexer->text + lexer->offset;
    size_t rest = lexer->size - lexer->offset;
    const char *newline = memchr(begin, '\n', rest);
    size_t length = newline ? (size_t)(newline - begin) : rest;

    *ret = (struct span){begin, length, {lexer->line_number, 1}};
    lexer->offset += length + 1;
    lexer->line_number++;
    if (ret->length > 0 && ret->text[ret->length - 1] == '\r')
        ret->length--;
    while (ret->length > 0 && is_blank(ret->text[0]))
        span_shorten(ret, 1);
    return true;
}

static int refuse_control_characters(const struct span *span, struct rule_fault *fault)
{
    for (size_t i = 0; i < span->length; i++) {
        unsigned char c = (unsigned char)span->text[i];
        if ((c < 0x20 && c != '\t' && c != '\r') || c == 0x7f)
            return rule_fault_set(
                fault, (struct rule_position){span->at.line, span->at.column + (unsigned)i},
                "a control character (byte 0x%02x)", c);
    }
    return 0;
}

static int append_piece(struct rule_lexer *lexer, const struct span *span, struct rule_fault *fault)
{
    int r = refuse_control_characters(span, fault);
    if (r < 0)
        return r;
    if (lexer->length + span->length > RULE_LINE_MAX)
        return rule_fault_set(fault, span->at, "the line is longer than %u bytes", RULE_LINE_MAX);
    if (span->length == 0)
        return 0;

    struct rule_piece *piece = array_add(&lexer->pieces, &lexer->piece_count, sizeof(*piece));
    if (!piece)
        return -ENOMEM;
    *piece = (struct rule_piece){lexer->length, span->at};
    memcpy(lexer->line + lexer->length, span->text, span->length);
    lexer->length += span->length;
    lexer->line[lexer->length] = '\0';
    return 0;
}

/* Joins from the first physical line on. Goes on to the end of a faulty line, so that it is passed.
 */
static int join_lines(struct rule_lexer *lexer, struct span span, struct rule_fault *fault)
{
    int result = 0;
    for (;;) {
        bool continues = span.length > 0 && span.text[span.length - 1] == '\\';
        if (continues)
            span.length--;
        struct rule_position end = {span.at.line, span.at.column + (unsigned)span.length};
        if (result == 0)
            result = append_piece(lexer, &span, fault);
        if (!continues)
            return result;
        do {
            if (!read_physical_line(lexer, &span))
                return result ? result
                              : rule_fault_set(fault, end,
                                               "the file ends behind a backslash that goes on");
        } while (span.length > 0 && span.text[0] == '#');
    }
}

int rule_lexer_next_line(struct rule_lexer *lexer, struct rule_fault *ret_fault)
{
    struct span span;
    for (;;) {
        if (!read_physical_line(lexer, &span))
            return 0;
        if (span.length == 0 || span.text[0] == '#')
            continue;
        lexer->length = lexer->cursor = 0;
        lexer->line[0] = '\0';
        free(lexer->pieces);
        lexer->pieces = NULL;
        lexer->piece_count = 0;
        int r = join_lines(lexer, span, ret_fault);
        if (r < 0)
            return r;
        if (lexer->length > 0)
            return 1;
    }
}

/* Where the byte at `offset` of the joined line stands in the file. */
static struct rule_position position_of(const struct rule_lexer *lexer, size_t offset)
{
    size_t low = 0, high = lexer->piece_count; /* the last piece that begins at or before offset */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (lexer->pieces[middle].offset <= offset)
            low = middle;
        else
            high = middle;
    }
    struct rule_position at = lexer->pieces[low].at;
    at.column += (unsigned)(offset - lexer->pieces[low].offset);
    return at;
}

static struct rule_position here(const struct rule_lexer *lexer)
{
    return position_of(lexer, lexer->cursor);
}

static char peek(const struct rule_lexer *lexer)
{
    return lexer->line[lexer->cursor];
}

static void skip_blanks(struct rule_lexer *lexer)
{
    while (is_blank(peek(lexer)))
        lexer->cursor++;
}

static void skip_commas(struct rule_lexer *lexer, struct rule_expression *expression)
{
    skip_blanks(lexer);
    expression->at_comma = here(lexer);
    for (; peek(lexer) == ','; skip_blanks(lexer)) {
        expression->at_comma = here(lexer);
        expression->commas++;
        lexer->cursor++;
    }
}

static int read_name(struct rule_lexer *lexer, struct rule_expression *expression,
                     struct rule_fault *fault)
{
    expression->at = here(lexer);
    expression->name = lexer->line + lexer->cursor;
    while ((peek(lexer) >= 'A' && peek(lexer) <= 'Z') ||
           (peek(lexer) >= 'a' && peek(lexer) <= 'z') || peek(lexer) == '_')
        lexer->cursor++;
    expression->name_length = (size_t)(lexer->line + lexer->cursor - expression->name);
    if (expression->name_length > 0)
        return 0;
    if (peek(lexer) == '\\')
        return rule_fault_set(fault, expression->at,
                              "a backslash goes on with the next line only as the last character");
    if (peek(lexer) == '#')
        return rule_fault_set(fault, expression->at, "a comment needs a line of its own");
    return rule_fault_set(fault, expression->at, "a key is expected here, such as KERNEL");
}

static int read_argument(struct rule_lexer *lexer, struct rule_expression *expression,
                         struct rule_fault *fault)
{
    expression->argument = NULL;
    if (peek(lexer) != '{')
        return 0;
    struct rule_position brace = here(lexer);
    const char *begin = lexer->line + lexer->cursor + 1;
    const char *end = strchr(begin, '}');
    if (!end)
        return rule_fault_set(fault, brace, "this { has no }");
    size_t length = (size_t)(end - begin);
    memcpy(lexer->argument, begin, length);
    lexer->argument[length] = '\0';
    expression->argument = lexer->argument;
    lexer->cursor += length + 2;
    return 0;
}

static int read_operator(struct rule_lexer *lexer, struct rule_expression *expression,
                         struct rule_fault *fault)
{
    skip_blanks(lexer);
    expression->at_operator = here(lexer);
    /* RULE_SET last among those that begin alike: "=" begins "==" */
    static const enum rule_operator ORDER[] = {RULE_EQUAL,  RULE_NOT_EQUAL, RULE_ADD,
                                               RULE_REMOVE, RULE_FINAL,     RULE_SET};
    for (size_t i = 0; i < ARRAY_SIZE(ORDER); i++) {
        const char *text = rule_operator_text(ORDER[i]);
        if (!after_prefix(lexer->line + lexer->cursor, text))
            continue;
        expression->op = ORDER[i];
        lexer->cursor += strlen(text);
        return 0;
    }
    return rule_fault_set(fault, expression->at_operator,
                          "one of == != = += -= := is expected here");
}

static int read_value(struct rule_lexer *lexer, struct rule_expression *expression,
                      struct rule_fault *fault)
{
    skip_blanks(lexer);
    expression->at_value = here(lexer);
    struct rule_string string;
    char reason[128];
    int r = rule_string_read(lexer->line + lexer->cursor, lexer->value, &string, reason,
                             sizeof(reason));
    if (r < 0)
        return rule_fault_set(fault, position_of(lexer, lexer->cursor + string.length), "%s",
                              reason);
    expression->value = lexer->value;
    expression->ignore_case = string.ignore_case;
    lexer->cursor += string.length;
    return 0;
}

int rule_lexer_next(struct rule_lexer *lexer, struct rule_expression *ret,
                    struct rule_fault *ret_fault)
{
    *ret = (struct rule_expression){0};
    skip_commas(lexer, ret);
    if (peek(lexer) == '\0')
        return 0;

    size_t begin = lexer->cursor;
    int r = read_name(lexer, ret, ret_fault);
    if (r == 0)
        r = read_argument(lexer, ret, ret_fault);
    if (r == 0)
        r = read_operator(lexer, ret, ret_fault);
    if (r == 0)
        r = read_value(lexer, ret, ret_fault);
    if (r < 0)
        return r;
    ret->written = lexer->line + begin;
    ret->written_length = lexer->cursor - begin;
    return 1;
}

size_t rule_lexer_physical_line(const struct rule_lexer *lexer, unsigned number, const char **ret)
{
    const char *end = lexer->text + lexer->size;
    const char *line = lexer->text;
    for (unsigned i = 1; i < number && line < end; i++) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        line = newline ? newline + 1 : end;
    }
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    *ret = line;
    return (size_t)((newline ? newline : end) - line);
}
