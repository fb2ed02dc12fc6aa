/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Delegation rules: udev(7)'s language, for containers; devolve.rules(5). A rule set is a value:
 * parsed once, then only read. The parser (rule_parser.h) fills it, the judge (rule_match.h) reads
 * it.
 */

#include "base/refusal.h"
#include "base/util.h"

struct rule_set;

/* An empty set, or NULL when memory is short. */
struct rule_set *rule_set_new(void);

/* NULL accepted. */
void rule_set_free(struct rule_set *rules);
DEFINE_CLEANUP(struct rule_set *, rule_set_free)
#define _cleanup_rule_set_ _cleanup_(rule_set_freep)

/* How many rules (logical lines with at least one key) it holds. */
size_t rule_set_count(const struct rule_set *rules);

/* How many files were parsed into it. */
size_t rule_set_file_count(const struct rule_set *rules);

/*
 * Whether any rule asks for what only udev knows (ENV{ID_*}, TAG, SYMLINK and so on): such rules
 * wait for udev's word on each device, and never match where no udevd runs.
 */
bool rule_set_needs_udev(const struct rule_set *rules);

/*
 * Calls `fn` for each rule that asks for what only udev knows and no earlier rule assigns, with the
 * first key that does, as it is written. Everything is borrowed.
 */
void rule_set_each_waiting(const struct rule_set *rules,
                           void (*fn)(void *userdata, const char *file, unsigned line,
                                      const char *key),
                           void *userdata);
