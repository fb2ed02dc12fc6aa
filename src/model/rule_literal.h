/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Assigned values that stand for themselves: a mode, options, a path below /dev. They come from
 * rule files and from udev's DEVOLVE_* properties, and are checked here for both. Each function
 * returns 0, or -EINVAL and the reason. Internal to the rule modules and devolve_properties.h.
 */

#include "base/refusal.h"
#include "base/util.h"

/* What OPTIONS can say besides enum share_option; kept in the same word. */
#define RULE_OPTION_LAST_RULE (1u << 16)
#define RULE_OPTION_ESCAPE_NONE (1u << 17)
#define RULE_OPTION_ESCAPE_REPLACE (1u << 18)
#define RULE_OPTION_LINK_PRIORITY (1u << 19)
#define RULE_OPTION_SHARE_MASK 0xffffu

struct rule_options {
    unsigned bits; /* enum share_option and RULE_OPTION_* */
    int link_priority;
};

/* Octal, up to 07777. */
int rule_literal_mode(const char *text, unsigned *ret, struct refusal *why);

/* r, w and m into enum share_access. */
int rule_literal_access(const char *text, unsigned *ret, struct refusal *why);

/* Words between blanks or commas; none is right, too. */
int rule_literal_options(const char *text, struct rule_options *ret, struct refusal *why);

/* What one bit of struct rule_options is called; "link_priority=" is all of that but the number.
 * NULL: there is no such bit. */
const char *rule_literal_option_name(unsigned option);

/*
 * A path that may still hold substitutions: what is literal of it must lie below /dev, written with
 * /dev/ or without, and climb nowhere. `key` is for the reason.
 */
int rule_literal_path(const char *key, const char *path, size_t length, struct refusal *why);

/* Paths between blanks; *ret_count tells how many, up to SHARE_SYMLINKS_MAX. */
int rule_literal_paths(const char *key, const char *text, size_t *ret_count, struct refusal *why);

/* A number up to 4294967294, or a name as useradd(8) lets it be: the container's own files say who
 * that is. */
int rule_literal_owner(const char *key, const char *text, struct refusal *why);

/* A net device's name: 1 to 15 characters, and what the kernel takes as one. */
int rule_literal_interface(const char *text, struct refusal *why);

/* Whether `c` may be in a net device's name: printable ASCII, but neither blank nor any of / : %.
 */
bool rule_literal_is_interface_character(char c);
