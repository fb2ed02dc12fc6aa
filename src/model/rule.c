/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule.h"

#include <errno.h>

#include "model/rule_index.h"
#include "model/rule_set.h"

#define BLOCK_SIZE 16384u

struct rule_block {
    struct rule_block *next;
    size_t size;
    size_t used;
    uint64_t bytes[];
};

struct rule_set *rule_set_new(void)
{
    return calloc(1, sizeof(struct rule_set));
}

void rule_set_free(struct rule_set *rules)
{
    if (!rules)
        return;
    struct rule_block *next;
    for (struct rule_block *block = rules->blocks; block; block = next) {
        next = block->next;
        free(block);
    }
    rule_index_free(rules->index);
    free(rules->rules);
    free(rules);
}

size_t rule_set_count(const struct rule_set *rules)
{
    return rules->count;
}

size_t rule_set_file_count(const struct rule_set *rules)
{
    return rules->file_count;
}

bool rule_set_needs_udev(const struct rule_set *rules)
{
    return rules->needs_udev;
}

static struct rule_block *add_block(struct rule_set *rules, size_t size)
{
    struct rule_block *block = malloc(sizeof(*block) + size);
    if (!block)
        return NULL;
    *block = (struct rule_block){.next = rules->blocks, .size = size};
    rules->blocks = block;
    return block;
}

void *rule_set_allocate(struct rule_set *rules, size_t size)
{
    size_t rounded = (size + sizeof(uint64_t) - 1) / sizeof(uint64_t) * sizeof(uint64_t);
    struct rule_block *block = rules->blocks;
    if (!block || block->size - block->used < rounded)
        block = add_block(rules, rounded > BLOCK_SIZE ? rounded : BLOCK_SIZE);
    if (!block)
        return NULL;
    void *memory = (char *)block->bytes + block->used;
    block->used += rounded;
    return memory;
}

char *rule_set_copy(struct rule_set *rules, const char *text, size_t length)
{
    char *copy = rule_set_allocate(rules, length + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

static void splice_blocks(struct rule_set *rules, struct rule_set *from)
{
    struct rule_block **tail = &rules->blocks;
    while (*tail)
        tail = &(*tail)->next;
    *tail = from->blocks;
    from->blocks = NULL;
}

int rule_set_absorb(struct rule_set *rules, struct rule_set *from)
{
    if (from->count > 0) {
        size_t total = rules->count + from->count;
        struct rule *grown = reallocarray(rules->rules, total, sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        memcpy(grown + rules->count, from->rules, from->count * sizeof(*grown));
        rules->rules = grown;
        int r = rule_index_add(&rules->index, grown + rules->count, rules->count, from->count);
        if (r < 0)
            return r;
        rules->count = total;
    }
    splice_blocks(rules, from);
    rules->file_count += from->file_count;
    rules->needs_udev |= from->needs_udev;
    free(from->rules);
    from->rules = NULL;
    from->count = from->file_count = 0;
    from->needs_udev = false;
    return 0;
}
