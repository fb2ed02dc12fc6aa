/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Rules in a tree of questions and answers. A node holds the rules that ask nothing more, and the
 * questions that others still ask; each answer leads to a node of its own. Strings are the rule
 * set's. Internal to the rule modules.
 */

#include "model/rule_set.h"

struct rule_numbers {
    uint32_t *items; /* numbers of rules, ascending */
    size_t count;
};

/* Of the device, of one and the same parent for all such keys on a way down, or of the container.
 */
struct rule_question {
    enum rule_key key;
    bool gives;           /* RULE_KEY_CONTAINER: whom the rule gives the device, not a match */
    const char *argument; /* of ATTR{} and ENV{}, or NULL */
    size_t prefix;        /* so many first bytes of the value count; 0: all */
};

struct rule_node {
    struct rule_numbers numbers;
    struct rule_branch *branches; /* the questions */
};

struct rule_answer {
    struct rule_answer *next;
    uint64_t hash;
    const char *value;
    size_t length;
    struct rule_node node;
};

struct rule_branch {
    struct rule_branch *next;
    struct rule_question question;
    struct rule_numbers below; /* ENV: all rules of the branch, for who does not know the answer */
    struct rule_answer **answers;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
};

/* Finds or makes; NULL when memory is short. */
struct rule_branch *rule_tree_branch(struct rule_node *node, const struct rule_question *question);
struct rule_answer *rule_tree_answer(struct rule_branch *branch, const char *value, size_t length);

/* NULL where there is no such answer. */
const struct rule_answer *rule_tree_find(const struct rule_branch *branch, const char *value,
                                         size_t length);

/* Numbers come in ascending order; the last one may come again. Returns 0 or -ENOMEM. */
int rule_numbers_append(struct rule_numbers *numbers, size_t number);

/* Takes away all numbers from `first` on. */
void rule_numbers_cut(struct rule_numbers *numbers, size_t first);
void rule_tree_cut(struct rule_node *node, size_t first);

/* Frees what the node, or the branch, holds. */
void rule_tree_done(struct rule_node *node);
void rule_branch_done(struct rule_branch *branch);
