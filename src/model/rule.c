/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule.h"

#include <errno.h>

#include "model/rule_index.h"
#include "model/rule_set.h"
#include "model/rule_shadow.h"

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
    rule_enders_free(rules->enders);
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

/* Behind the block that is being filled. */
static void splice_blocks(struct rule_set *rules, struct rule_set *from)
{
    struct rule_block **slot = rules->blocks ? &rules->blocks->next : &rules->blocks;
    struct rule_block **tail = &from->blocks;
    while (*tail)
        tail = &(*tail)->next;
    *tail = *slot;
    *slot = from->blocks;
    from->blocks = NULL;
}

/* Doubles, so that many small files are not copied over and over. */
static int reserve(struct rule_set *rules, size_t count)
{
    size_t capacity = rules->capacity ? rules->capacity : 1;
    while (capacity < count)
        capacity *= 2;
    if (capacity == rules->capacity)
        return 0;
    struct rule *grown = reallocarray(rules->rules, capacity, sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    rules->rules = grown;
    rules->capacity = capacity;
    return 0;
}

static int absorb_rules(struct rule_set *rules, struct rule_set *from)
{
    int r = reserve(rules, rules->count + from->count);
    if (r < 0)
        return r;
    struct rule *added = rules->rules + rules->count;
    memcpy(added, from->rules, from->count * sizeof(*added));
    r = rule_index_add(&rules->index, added, rules->count, from->count);
    if (r < 0)
        splice_blocks(rules, from); /* the index may hold strings of it */
    else
        rules->count += from->count;
    return r;
}

int rule_set_absorb(struct rule_set *rules, struct rule_set *from)
{
    int r = rule_shadow_reserve(rules, from);
    if (r == 0 && from->count > 0)
        r = absorb_rules(rules, from);
    if (r < 0)
        return r;
    rule_shadow_absorb(rules, from);
    splice_blocks(rules, from);
    rules->file_count += from->file_count;
    rules->needs_udev |= from->needs_udev;
    free(from->rules);
    from->rules = NULL;
    from->count = from->capacity = from->file_count = 0;
    from->needs_udev = false;
    return 0;
}
