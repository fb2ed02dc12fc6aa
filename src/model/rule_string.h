/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The quoted strings of udev(7): "plain", e"C-style escapes", i"ignore case". Internal to the
 * rules. */

#include "base/util.h"

struct rule_string {
    size_t length;    /* read, from the prefix to the closing quote; on failure: up to the fault */
    bool ignore_case; /* i"…" */
};

/*
 * Reads the string that `text` begins with. What it says is written to `out`, which needs as many
 * bytes as `text` has (escapes only shrink). In a plain string \" is a quote, and any other
 * backslash stands for itself. Returns 0 and *ret; -EBADMSG, the reason, and ret->length where the
 * fault is.
 */
int rule_string_read(const char *text, char *out, struct rule_string *ret, char *reason,
                     size_t size);
