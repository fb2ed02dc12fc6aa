/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The keys of the rule language as a table: which operators each takes, and which are refused
 * and why. Internal to the rule modules.
 */

#include "base/util.h"

enum rule_operator {
    RULE_EQUAL,     /* == */
    RULE_NOT_EQUAL, /* != */
    RULE_SET,       /* =  */
    RULE_ADD,       /* += */
    RULE_REMOVE,    /* -= */
    RULE_FINAL,     /* := */
};

static inline bool rule_operator_is_match(enum rule_operator op)
{
    return op == RULE_EQUAL || op == RULE_NOT_EQUAL;
}

/* As it is written in a rule. */
const char *rule_operator_text(enum rule_operator op);

enum rule_key {
    RULE_KEY_NONE, /* known by name only: every operator is refused */
    RULE_KEY_ACTION,
    RULE_KEY_DEVPATH,
    RULE_KEY_KERNEL,
    RULE_KEY_SUBSYSTEM,
    RULE_KEY_DRIVER,
    RULE_KEY_ATTR,
    RULE_KEY_ENV,
    RULE_KEY_SYSCTL,
    RULE_KEY_CONST,
    RULE_KEY_TAG,
    RULE_KEY_TEST,
    RULE_KEY_KERNELS,
    RULE_KEY_SUBSYSTEMS,
    RULE_KEY_DRIVERS,
    RULE_KEY_ATTRS,
    RULE_KEY_TAGS,
    RULE_KEY_CONTAINER,
    RULE_KEY_NODE,
    RULE_KEY_NAME,
    RULE_KEY_SYMLINK,
    RULE_KEY_OWNER,
    RULE_KEY_GROUP,
    RULE_KEY_MODE,
    RULE_KEY_ACCESS,
    RULE_KEY_OPTIONS,
    RULE_KEY_GOTO,
    RULE_KEY_LABEL,
};

/* KEY{argument}: wrong, needed, or as one likes. */
enum rule_argument { RULE_ARGUMENT_NONE, RULE_ARGUMENT_NEEDED, RULE_ARGUMENT_OPTIONAL };

struct rule_key_info {
    const char *name;
    enum rule_key key;
    enum rule_argument argument;
    unsigned operators; /* bits 1 << enum rule_operator: taken */
    const char *never;  /* why the other operators are refused for ever; NULL: they are mistakes */
};

/* The row of the key of this name, or NULL where there is no such key. */
const struct rule_key_info *rule_key_find(const char *name, size_t length);

/* Whether the key looks at the device's parents too: KERNELS and its like. */
bool rule_key_is_parent(enum rule_key key);

/*
 * Whether the row takes `op`. Returns true, or false and the reason in `reason`; *ret_blame_key
 * tells whether the key is at fault (refused by name) or only the operator.
 */
bool rule_key_takes(const struct rule_key_info *info, enum rule_operator op, char *reason,
                    size_t size, bool *ret_blame_key);
