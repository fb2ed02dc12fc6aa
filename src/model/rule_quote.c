/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_quote.h"

#include <ctype.h>

#include "base/text.h"
#include "model/rule_glob.h"

/* Bytes that are not printable ASCII: as they are where they are valid UTF-8. */
static size_t quote_odd(FILE *out, const char *bytes, size_t length)
{
    size_t count = 0;
    while (count < length && !isprint((unsigned char)bytes[count]))
        count++;
    if (text_is_clean(bytes, count))
        fwrite(bytes, 1, count, out);
    else
        fputc('*', out); /* how many characters those bytes are depends on the locale */
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
        if (!isprint((unsigned char)value[i])) {
            i += quote_odd(out, value + i, length - i);
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
        else if (isprint((unsigned char)*name))
            quote_character(out, *name);
        else
            digits = quote_odd(out, name, strlen(name));
        name += digits ? digits : 1;
    }
    fputc('"', out);
}
