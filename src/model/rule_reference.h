/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* "[subsystem/sysname]attribute": udev's way to name an attribute of any device of the host.
 * Internal to the rule modules. */

#include "base/util.h"

struct rule_reference {
    char subsystem[64];
    char sysname[256];
    const char *attribute; /* borrowed from what was read; "" where there is none */
};

/* Whether `text` is written like one: it begins with '['. */
static inline bool rule_reference_is(const char *text)
{
    return text[0] == '[';
}

/* Returns 1 and *ret, or 0 where it is none after all. */
int rule_reference_read(const char *text, struct rule_reference *ret);
