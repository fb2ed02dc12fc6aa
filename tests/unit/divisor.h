/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdlib.h>

/* What large counts are divided by: $DEVOLVE_TEST_DIVISOR, 1 where it is not set. Under valgrind,
 * where all takes twenty times as long, a part of them must do. */
static inline unsigned test_divisor(void)
{
    const char *words = getenv("DEVOLVE_TEST_DIVISOR");
    unsigned long divisor = words ? strtoul(words, NULL, 10) : 1;
    return divisor ? (unsigned)divisor : 1;
}
