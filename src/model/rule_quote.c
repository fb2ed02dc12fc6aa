/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_quote.h"

#include "model/rule_glob.h"

/* Whatever the locale. */
static bool is_plain(char c)
{
    return c >= 0x20 && c < 0x7f;
}

/* What no pattern says literally in both kinds of strings: udev reads a backslash in its own way.
 */
static bool is_unsayable(char c)
{
    return c == '|' || c == '\\';
}

static size_t plain_length(const char *text, size_t length)
{
    size_t i = 0;
    while (i < length && is_plain(text[i]))
        i++;
    return i;
}

static void quote_character(FILE *out, char c)
{
    if (!is_plain(c))
        fprintf(out, "\\x%02x", (unsigned char)c);
    else if (strchr("*?[", c))
        fprintf(out, "[%c]", c);
    else if (c == '"')
        fputs("\\\"", out);
    else
        fputc(is_unsayable(c) ? '?' : c, out);
}

/* The quote that the string begins with. */
static void open_quote(FILE *out, const char *text, size_t length)
{
    fputs(plain_length(text, length) < length ? "e\"" : "\"", out);
}

static void quote_bytes(FILE *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        quote_character(out, text[i]);
}

void rule_quote(FILE *out, const char *value)
{
    rule_quote_bytes(out, value, rule_glob_trimmed_length(value));
}

void rule_quote_bytes(FILE *out, const char *value, size_t length)
{
    open_quote(out, value, length);
    quote_bytes(out, value, length);
    fputc('"', out);
}

void rule_quote_beginning(FILE *out, const char *value)
{
    size_t length = strlen(value);
    open_quote(out, value, length);
    quote_bytes(out, value, length);
    fputs("*\"", out);
}

void rule_quote_stem(FILE *out, const char *name, size_t open_numbers)
{
    open_quote(out, name, strlen(name));
    while (*name) {
        size_t digits = open_numbers > 0 ? strspn(name, "0123456789") : 0;
        if (digits > 0) {
            fputs("[0-9]*", out);
            open_numbers--;
            name += digits;
        } else {
            quote_character(out, *name++);
        }
    }
    fputc('"', out);
}

bool rule_quote_tells(const char *value)
{
    size_t length = rule_glob_trimmed_length(value);
    for (size_t i = 0; i < length; i++)
        if (!is_unsayable(value[i]))
            return true;
    return false;
}
