/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The compiled form of rules, which parser and judge share. Every string and token lives in the
 * set's arena, whose blocks never move: a set is filled once, then only read, then freed as a
 * whole.
 */

#include "model/rule.h"
#include "model/rule_glob.h"
#include "model/rule_key.h"
#include "model/rule_literal.h"
#include "model/share.h"

/* Where something is written: 1-based physical line and byte column. */
struct rule_position {
    unsigned line;
    unsigned column;
};

/* A rule's tokens are sorted by this, and stay as written within each group. */
enum rule_group {
    RULE_GROUP_DEVICE,    /* matches on the device and the container */
    RULE_GROUP_PARENT,    /* matches that one parent must answer all of */
    RULE_GROUP_TEST,      /* matches that may speak of the parent found: TEST=="...%b" */
    RULE_GROUP_CONTAINER, /* CONTAINER assignments: whom the rest of the line is for */
    RULE_GROUP_OPTIONS,   /* before the rest, because string_escape= changes how it is read */
    RULE_GROUP_OWNER,     /* then in udev's order: OWNER, GROUP, MODE, ACCESS ... */
    RULE_GROUP_ENV,       /* ... properties, with what the lines before have done ... */
    RULE_GROUP_ASSIGN,    /* ... and names: NAME, NODE, SYMLINK */
    RULE_GROUP_COUNT,
};

struct rule_token {
    const struct rule_key_info *info;
    enum rule_operator op;
    const char *argument;  /* of ATTR{} and the like; CONTAINER: the label's key, or NULL: names */
    const char *value;     /* assignments and TEST: with substitutions still in it */
    struct rule_glob glob; /* matches and CONTAINER */
    unsigned number;       /* MODE, ACCESS, OPTIONS; the mask of TEST{mask} */
    int link_priority;     /* OPTIONS+="link_priority=" */
    bool substitutes;      /* there are substitutions in the argument */
    bool reads_udev;       /* it asks for what only udev knows: rule_udev.h */
    bool reads_parent;     /* a substitution speaks of the parent that was found: %b %s{} */
    const char *written;   /* KEY{argument}=="value", as in the file */
    struct rule_position at;
};

struct rule {
    const char *file;
    unsigned line;
    const struct rule_token *tokens;
    size_t group_end[RULE_GROUP_COUNT]; /* group g is [g ? group_end[g - 1] : 0, group_end[g]) */
    const char *label;                  /* or NULL */
    const char *go_to;                  /* or NULL */
    struct rule_position go_to_at;
    size_t skip;     /* GOTO: so many rules on; 0: none */
    bool reads_udev; /* any of its tokens does */
    bool inherits;   /* it speaks of a parent that an earlier rule found, in an assignment ... */
    bool inherits_early; /* ... or in a match */
};

struct rule_block;

struct rule_index;

struct rule_enders;

struct rule_set {
    struct rule *rules;
    size_t count;
    size_t capacity; /* of `rules`; not kept while a file is parsed into a set of its own */
    size_t file_count;
    bool needs_udev;
    struct rule_index *index;   /* of all of `rules`; NULL while there are none */
    struct rule_enders *enders; /* rules that end a matter: rule_shadow.h; NULL: none yet */
    struct rule_block *blocks;
};

/* Tokens of one group. */
static inline const struct rule_token *rule_group_begin(const struct rule *rule,
                                                        enum rule_group group)
{
    return rule->tokens + (group == 0 ? 0 : rule->group_end[group - 1]);
}

static inline const struct rule_token *rule_group_end(const struct rule *rule,
                                                      enum rule_group group)
{
    return rule->tokens + rule->group_end[group];
}

/* Memory that lives as long as the set, aligned for pointers and 64-bit numbers; NULL when memory
 * is short. */
void *rule_set_allocate(struct rule_set *rules, size_t size);

/* A copy of `length` bytes and a NUL in the arena, or NULL when memory is short. */
char *rule_set_copy(struct rule_set *rules, const char *text, size_t length);

/* Moves everything of `from` behind what is in `rules`; `from` is empty then. 0 or -ENOMEM (as
 * before). */
int rule_set_absorb(struct rule_set *rules, struct rule_set *from);
