/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"

#include <errno.h>

size_t text_printable(char *out, size_t size, const char *in, size_t length)
{
    static const char hex[] = "0123456789abcdef";
    size_t used = 0;

    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)in[i];
        bool plain = byte >= 0x20 && byte < 0x7f && byte != '\\';
        if (used + (plain ? 1 : 4) >= size)
            break;
        if (plain) {
            out[used++] = (char)byte;
            continue;
        }
        out[used++] = '\\';
        out[used++] = 'x';
        out[used++] = hex[byte >> 4];
        out[used++] = hex[byte & 15];
    }
    out[used] = '\0';
    return used;
}

/* The length of the UTF-8 sequence at `text`, 0 where there is none: RFC 3629, section 4. */
static size_t utf8_sequence(const unsigned char *text, size_t left)
{
    unsigned char lead = text[0];
    size_t length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (length == 0 || length > left || lead > 0xf4)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    if ((lead == 0xe0 && text[1] < 0xa0) || (lead == 0xed && text[1] > 0x9f) ||
        (lead == 0xf0 && text[1] < 0x90) || (lead == 0xf4 && text[1] > 0x8f))
        return 0;
    return length;
}

bool text_is_clean(const char *text, size_t length)
{
    for (size_t i = 0; i < length;) {
        const unsigned char *at = (const unsigned char *)text + i;
        size_t step = utf8_sequence(at, length - i);
        if (step == 0 || at[0] < 0x20 || at[0] == 0x7f)
            return false;
        i += step;
    }
    return true;
}

static int to_number(const char *text, unsigned base, uint64_t max, uint64_t *ret)
{
    uint64_t value = 0;
    if (!*text)
        return -EINVAL;
    for (const char *p = text; *p; p++) {
        unsigned digit = (unsigned)(*p - '0');
        if (digit >= base)
            return -EINVAL;
        if (value > (max - digit) / base || digit > max)
            return -ERANGE;
        value = value * base + digit;
    }
    *ret = value;
    return 1;
}

int text_to_number(const char *text, uint64_t max, uint64_t *ret)
{
    return to_number(text, 10, max, ret);
}

int text_to_octal(const char *text, uint64_t max, uint64_t *ret)
{
    return to_number(text, 8, max, ret);
}
