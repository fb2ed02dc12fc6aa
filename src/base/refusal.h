/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Why something was not done, in words for a person: what was asked, which gate refused, what to
 * do. The floor that knows the reason writes it; the floor that decides what becomes of it shows
 * it.
 */

#include "base/util.h"

#define REFUSAL_MAX 512

struct refusal {
    int error;              /* positive errno; 0: nothing was refused */
    char text[REFUSAL_MAX]; /* printable ASCII, no newline, NUL-terminated */
};

/*
 * Sets *refusal (which may be NULL) and returns -error, so that a function can end with
 * `return refuse(why, EPERM, "...")`. What is outside printable ASCII is shown as \xNN; a text that
 * is too long is cut.
 */
int refuse(struct refusal *refusal, int error, const char *format, ...) _printf_(3, 4);

/* Puts "format: " before a text that is already there: context from the caller. Returns -error. */
int refusal_prefix(struct refusal *refusal, const char *format, ...) _printf_(2, 3);
