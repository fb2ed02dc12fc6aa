/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_quote.h"

#include "model/rule_glob.h"

/* Whatever the locale. */
static bool is_plain(char c)
{
    return c >= 0x20 && c < 0x7f;
}

/*
 * Bytes that are not printable ASCII. How many characters they are depends on the locale, so one
 * '*' stands for all of them. Returns how many there are.
 */
static size_t quote_odd(FILE *out, const char *bytes)
{
    size_t count = 0;
    while (bytes[count] && !is_plain(bytes[count]))
        count++;
    fputc('*', out);
    return count;
}

static void quote_character(FILE *out, char c)
{
    if (strchr("*?[", c))
        fprintf(out, "[%c]", c);
    else if (c == '"')
        fputs("\\\"", out);
    else
        fputc(strchr("|\\", c) ? '?' : c, out);
}

void rule_quote(FILE *out, const char *value)
{
    size_t length = rule_glob_trimmed_length(value);
    fputc('"', out);
    for (size_t i = 0; i < length;) {
        if (!is_plain(value[i])) {
            i += quote_odd(out, value + i);
            continue;
        }
        quote_character(out, value[i++]);
    }
    fputc('"', out);
}

void rule_quote_stem(FILE *out, const char *name)
{
    fputc('"', out);
    while (*name) {
        size_t digits = strspn(name, "0123456789");
        if (digits)
            fputs("[0-9]*", out);
        else if (is_plain(*name))
            quote_character(out, *name);
        else
            digits = quote_odd(out, name);
        name += digits ? digits : 1;
    }
    fputc('"', out);
}
