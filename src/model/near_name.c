/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/near_name.h"

#include <strings.h>

#define NAME_MAX_NEAR 64
#define LONG_NAME 6  /* where two mistakes are still a mistyped name ... */
#define SHORT_NAME 3 /* ... and where one is: "a" is not a mistyped "b" */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/*
 * The optimal string alignment distance, row by row: one more letter of `a` in each. A swap of
 * neighbours looks two rows back.
 */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][NAME_MAX_NEAR];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    size_t length = strlen(b);
    for (size_t j = 0; j <= length; j++)
        above[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        row[0] = i;
        for (size_t j = 1; j <= length; j++) {
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *free_row = before;
        before = above;
        above = row;
        row = free_row;
    }
    return above[length];
}

bool near_name(const char *written, const char *name)
{
    size_t length = least(strlen(written), strlen(name));
    if (streq(written, name) || strlen(written) >= NAME_MAX_NEAR || strlen(name) >= NAME_MAX_NEAR)
        return false;
    if (strcasecmp(written, name) == 0)
        return true;
    size_t mistakes = length >= LONG_NAME ? 2 : length >= SHORT_NAME ? 1 : 0;
    return distance(written, name) <= mistakes;
}
