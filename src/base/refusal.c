/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/refusal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

int refuse(struct refusal *refusal, int error, const char *format, ...)
{
    if (!refusal)
        return -error;

    char raw[REFUSAL_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(raw, sizeof(raw), format, arguments);
    va_end(arguments);

    refusal->error = error;
    text_printable(refusal->text, sizeof(refusal->text), raw, strlen(raw));
    return -error;
}

int refusal_prefix(struct refusal *refusal, const char *format, ...)
{
    if (!refusal)
        return -EINVAL;

    char raw[REFUSAL_MAX], rest[REFUSAL_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(raw, sizeof(raw), format, arguments);
    va_end(arguments);

    memcpy(rest, refusal->text, sizeof(rest));
    size_t used = text_printable(refusal->text, sizeof(refusal->text), raw, strlen(raw));
    snprintf(refusal->text + used, sizeof(refusal->text) - used, ": %s", rest);
    return -refusal->error;
}
