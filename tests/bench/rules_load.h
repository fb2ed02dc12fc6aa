/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Rules of a mix, parsed into a set, or loaded from files as the daemon loads them. */

#include "model/rule_set.h"
#include "rules_mix.h"

/* The first `count` lines. It ends the program where they have an error. */
struct rule_set *load_mix(const struct mix *mix, unsigned count);

struct load_times {
    uint64_t elapsed_ns;
    uint64_t cpu_ns; /* of this process alone, on a machine with other work */
};

/*
 * Writes `count` lines to `files` files below /tmp and loads them, so many `rounds` (at most 101):
 * reading, parsing, checking, indexing. The medians.
 */
struct load_times load_measure(const struct mix *mix, unsigned count, unsigned files,
                               unsigned rounds);
