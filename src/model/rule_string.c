/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_string.h"

#include <errno.h>
#include <stdio.h>

struct reading {
    const char *text;
    size_t cursor;
    char *out;
    size_t out_length;
    bool escaped; /* e"…" */
};

static int fail(char *reason, size_t size, const char *text)
{
    (void)snprintf(reason, size, "%s", text);
    return -EBADMSG;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* `digits` digits of base 8 or 16; -1 where they are not. */
static int64_t read_number(struct reading *reading, unsigned digits, unsigned base)
{
    int64_t number = 0;
    for (unsigned i = 0; i < digits; i++) {
        int digit = hex_digit(reading->text[reading->cursor]);
        if (digit < 0 || (unsigned)digit >= base)
            return -1;
        number = number * (int64_t)base + digit;
        reading->cursor++;
    }
    return number;
}

static void put(struct reading *reading, unsigned byte)
{
    reading->out[reading->out_length++] = (char)byte;
}

static bool put_utf8(struct reading *reading, int64_t number)
{
    if (number <= 0 || number > 0x10ffff || (number >= 0xd800 && number <= 0xdfff))
        return false;
    unsigned code = (unsigned)number;
    if (code < 0x80) {
        put(reading, code);
    } else if (code < 0x800) {
        put(reading, 0xc0 | code >> 6);
        put(reading, 0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        put(reading, 0xe0 | code >> 12);
        put(reading, 0x80 | (code >> 6 & 0x3f));
        put(reading, 0x80 | (code & 0x3f));
    } else {
        put(reading, 0xf0 | code >> 18);
        put(reading, 0x80 | (code >> 12 & 0x3f));
        put(reading, 0x80 | (code >> 6 & 0x3f));
        put(reading, 0x80 | (code & 0x3f));
    }
    return true;
}

static bool put_byte(struct reading *reading, int64_t number)
{
    if (number <= 0 || number > 0xff)
        return false;
    put(reading, (unsigned)number);
    return true;
}

/* What stands behind the backslash of an e"…" string. */
static bool read_escape(struct reading *reading)
{
    static const char LETTERS[] = "abfnrtv\\\"'s";
    static const char MEANINGS[] = "\a\b\f\n\r\t\v\\\"' ";
    char c = reading->text[reading->cursor];
    if (c >= '0' && c <= '7')
        return put_byte(reading, read_number(reading, 3, 8));
    if (c == '\0')
        return false;
    reading->cursor++;
    if (c == 'x')
        return put_byte(reading, read_number(reading, 2, 16));
    if (c == 'u')
        return put_utf8(reading, read_number(reading, 4, 16));
    if (c == 'U')
        return put_utf8(reading, read_number(reading, 8, 16));
    const char *letter = strchr(LETTERS, c);
    if (letter)
        put(reading, (unsigned char)MEANINGS[letter - LETTERS]);
    return letter;
}

/* e and i, in any order, each at most once; then the quote. */
static bool read_prefix(struct reading *reading, bool *ret_ignore_case)
{
    for (;; reading->cursor++) {
        char c = reading->text[reading->cursor];
        if (c == 'e' && !reading->escaped)
            reading->escaped = true;
        else if (c == 'i' && !*ret_ignore_case)
            *ret_ignore_case = true;
        else
            return c == '"';
    }
}

/* One character of the string, escape or not. False where an escape is wrong. */
static bool read_character(struct reading *reading)
{
    char c = reading->text[reading->cursor++];
    if (c == '\\' && reading->escaped)
        return read_escape(reading);
    if (c == '\\' && reading->text[reading->cursor] == '"')
        c = reading->text[reading->cursor++];
    put(reading, (unsigned char)c);
    return true;
}

int rule_string_read(const char *text, char *out, struct rule_string *ret, char *reason,
                     size_t size)
{
    struct reading reading = {.text = text, .out = out};
    *ret = (struct rule_string){0};
    if (!read_prefix(&reading, &ret->ignore_case))
        return fail(reason, size, "a value in double quotes is expected here");
    ret->length = reading.cursor;
    reading.cursor++;
    while (text[reading.cursor] != '"') {
        size_t begin = reading.cursor;
        if (text[begin] == '\0')
            return fail(reason, size, "this quote is not closed");
        if (!read_character(&reading)) {
            ret->length = begin;
            return fail(reason, size, "no such escape: see e\"...\" in devolve.rules(5)");
        }
    }
    out[reading.out_length] = '\0';
    ret->length = reading.cursor + 1;
    return 0;
}
