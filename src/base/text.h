/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/util.h"

/*
 * Copies `length` bytes to `out` (of `size` bytes, size > 0) so that only printable ASCII stays:
 * any other byte and the backslash become \xNN. Always NUL-terminated, cut where it does not fit.
 * Returns the length of what is in `out`.
 */
size_t text_printable(char *out, size_t size, const char *in, size_t length);

/* Whether the bytes are valid UTF-8 (RFC 3629) without control characters (below 0x20, 0x7f). */
bool text_is_clean(const char *text, size_t length);

/*
 * A decimal number: digits only, no sign or blank, at most `max`.
 * Returns 1 and *ret, or -EINVAL (no number), -ERANGE (above max).
 */
int text_to_number(const char *text, uint64_t max, uint64_t *ret);

/* Like text_to_number() for an octal number, as file modes are written. */
int text_to_octal(const char *text, uint64_t max, uint64_t *ret);
