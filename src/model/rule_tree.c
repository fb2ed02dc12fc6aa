/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_tree.h"

#include <errno.h>

#define ANSWERS_MIN 4u

int rule_numbers_append(struct rule_numbers *numbers, size_t number)
{
    if (numbers->count > 0 && numbers->items[numbers->count - 1] == number)
        return 0; /* "a|a" */
    uint32_t *slot = array_add(&numbers->items, &numbers->count, sizeof(*slot));
    if (!slot)
        return -ENOMEM;
    *slot = (uint32_t)number;
    return 0;
}

void rule_numbers_cut(struct rule_numbers *numbers, size_t first)
{
    while (numbers->count > 0 && numbers->items[numbers->count - 1] >= first)
        numbers->count--;
}

static bool questions_equal(const struct rule_question *a, const struct rule_question *b)
{
    return a->key == b->key && a->gives == b->gives && a->prefix == b->prefix &&
           streq_null(a->argument, b->argument);
}

struct rule_branch *rule_tree_branch(struct rule_node *node, const struct rule_question *question)
{
    struct rule_branch **slot = &node->branches;
    while (*slot && !questions_equal(&(*slot)->question, question))
        slot = &(*slot)->next;
    if (!*slot) {
        *slot = calloc(1, sizeof(**slot));
        if (*slot)
            (*slot)->question = *question;
    }
    return *slot;
}

/* FNV-1a, folded, as a table looks at the low bits only. */
static uint64_t hash_of(const char *value, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)value[i]) * 0x100000001b3u;
    return hash ^ hash >> 32;
}

static struct rule_answer *find(const struct rule_branch *branch, uint64_t hash, const char *value,
                                size_t length)
{
    if (branch->count == 0)
        return NULL;
    struct rule_answer *answer = branch->answers[hash & (branch->capacity - 1)];
    while (answer && (answer->hash != hash || answer->length != length ||
                      memcmp(answer->value, value, length) != 0))
        answer = answer->next;
    return answer;
}

const struct rule_answer *rule_tree_find(const struct rule_branch *branch, const char *value,
                                         size_t length)
{
    return find(branch, hash_of(value, length), value, length);
}

static void insert(struct rule_answer **answers, size_t capacity, struct rule_answer *answer)
{
    struct rule_answer **head = &answers[answer->hash & (capacity - 1)];
    answer->next = *head;
    *head = answer;
}

static int grow(struct rule_branch *branch)
{
    size_t capacity = branch->capacity ? branch->capacity * 2 : ANSWERS_MIN;
    struct rule_answer **answers = calloc(capacity, sizeof(struct rule_answer *));
    if (!answers)
        return -ENOMEM;
    for (size_t i = 0; i < branch->capacity; i++)
        for (struct rule_answer *answer = branch->answers[i], *next; answer; answer = next) {
            next = answer->next;
            insert(answers, capacity, answer);
        }
    free(branch->answers);
    branch->answers = answers;
    branch->capacity = capacity;
    return 0;
}

struct rule_answer *rule_tree_answer(struct rule_branch *branch, const char *value, size_t length)
{
    uint64_t hash = hash_of(value, length);
    struct rule_answer *answer = find(branch, hash, value, length);
    if (answer || (branch->count >= branch->capacity && grow(branch) < 0))
        return answer;
    answer = calloc(1, sizeof(*answer));
    if (!answer)
        return NULL;
    answer->hash = hash;
    answer->value = value;
    answer->length = length;
    insert(branch->answers, branch->capacity, answer);
    branch->count++;
    return answer;
}

void rule_tree_cut(struct rule_node *node, size_t first)
{
    rule_numbers_cut(&node->numbers, first);
    for (struct rule_branch *branch = node->branches; branch; branch = branch->next) {
        rule_numbers_cut(&branch->below, first);
        for (size_t i = 0; i < branch->capacity; i++)
            for (struct rule_answer *answer = branch->answers[i]; answer; answer = answer->next)
                rule_tree_cut(&answer->node, first);
    }
}

void rule_branch_done(struct rule_branch *branch)
{
    for (size_t i = 0; i < branch->capacity; i++)
        for (struct rule_answer *answer = branch->answers[i], *next; answer; answer = next) {
            next = answer->next;
            rule_tree_done(&answer->node);
            free(answer);
        }
    free(branch->below.items);
    free(branch->answers);
}

void rule_tree_done(struct rule_node *node)
{
    for (struct rule_branch *branch = node->branches, *next; branch; branch = next) {
        next = branch->next;
        rule_branch_done(branch);
        free(branch);
    }
    free(node->numbers.items);
}
