/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Rules by the thousand, as text. The same number makes the same rules on every machine. */

#include "base/util.h"

/* A kind of rule: writes the line numbered `number` to `out` as snprintf() would. */
typedef int (*mix_line_fn)(char *out, size_t size, unsigned number);

struct mix {
    const char *name;
    const char *what;
    mix_line_fn line;
};

/* How many kinds of lines MIX_PEOPLE has: line n is of kind n % MIX_PEOPLE_KINDS. */
#define MIX_PEOPLE_KINDS 10u
#define MIX_LINE_MAX 512u

/* What people write: most lines ask for something literally. */
extern const struct mix MIX_PEOPLE;

/* What no index helps with: a kind of line each. */
#define MIX_HOSTILE_COUNT 3u
extern const struct mix MIX_HOSTILE[MIX_HOSTILE_COUNT];

/* What could be slow to load. */
extern const struct mix MIX_ENDINGS;

/* The USB ids that line `number` of MIX_PEOPLE asks for where it is of kind 0, and whom it is for.
 */
unsigned mix_vendor(unsigned number);
unsigned mix_product(unsigned number);
unsigned mix_container(unsigned number);

/* Lines [first, first + count), which the caller frees; it ends the program where memory is short.
 */
char *mix_text(const struct mix *mix, unsigned first, unsigned count);
