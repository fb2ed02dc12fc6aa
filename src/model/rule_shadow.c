/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Only identical matches are compared, in whatever order they stand, and only rules that always are
 * reached: one that a GOTO may jump over ends nothing. Rules that end a matter are few, so they are
 * kept in a table of the set by a hash of their matches (and of the containers, where it is ended
 * for these alone), and each rule is looked up in it.
 */
#include "model/rule_shadow.h"

#include <errno.h>

#define BUCKETS_MIN 64u

struct ender {
    struct ender *next;
    uint64_t hash;
    struct rule rule; /* a copy: the set's own moves when it grows */
};

struct rule_enders {
    struct ender **buckets;
    size_t capacity; /* a power of two */
    size_t count;
};

struct search {
    const struct rule_set *earlier;
    struct rule_set *later;
    rule_shadow_fn fn;
    void *userdata;
};

void rule_enders_free(struct rule_enders *enders)
{
    if (!enders)
        return;
    for (size_t i = 0; i < enders->capacity; i++)
        for (struct ender *ender = enders->buckets[i], *next; ender; ender = next) {
            next = ender->next;
            free(ender);
        }
    free(enders->buckets);
    free(enders);
}

static void insert(struct rule_enders *enders, struct ender *ender)
{
    struct ender **head = &enders->buckets[ender->hash & (enders->capacity - 1)];
    ender->next = *head;
    *head = ender;
}

/* Puts all of `from`, which is empty then, before what is in `to`; later ones stay before earlier.
 */
static void move_all(struct rule_enders *to, struct rule_enders *from)
{
    for (size_t i = 0; i < from->capacity; i++) {
        struct ender *reversed = NULL;
        for (struct ender *ender = from->buckets[i], *next; ender; ender = next) {
            next = ender->next;
            ender->next = reversed;
            reversed = ender;
        }
        for (struct ender *ender = reversed, *next; ender; ender = next) {
            next = ender->next;
            insert(to, ender);
        }
        from->buckets[i] = NULL;
    }
    to->count += from->count;
    from->count = 0;
}

static size_t count_of(const struct rule_enders *enders)
{
    return enders ? enders->count : 0;
}

/* Room for so many. The table is made where there is none. */
static int reserve(struct rule_enders **enders, size_t count)
{
    size_t capacity = *enders ? (*enders)->capacity : BUCKETS_MIN;
    while (capacity < count)
        capacity *= 2;
    if (*enders && capacity == (*enders)->capacity)
        return 0;
    struct rule_enders *grown = calloc(1, sizeof(*grown));
    struct ender **buckets = calloc(capacity, sizeof(struct ender *));
    if (!grown || !buckets) {
        free(grown);
        free(buckets);
        return -ENOMEM;
    }
    *grown = (struct rule_enders){.buckets = buckets, .capacity = capacity};
    if (*enders)
        move_all(grown, *enders);
    rule_enders_free(*enders);
    *enders = grown;
    return 0;
}

static uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
    return hash;
}

static size_t glob_size(const struct rule_glob *glob)
{
    const char *end = glob->alternatives;
    for (size_t i = 0; i < glob->count; i++)
        end = rule_glob_next(end);
    return (size_t)(end - glob->alternatives);
}

static uint64_t hash_token(const struct rule_token *token)
{
    uint64_t hash = 0xcbf29ce484222325u ^ ((uint64_t)token->info->key << 8 | token->op);
    if (token->argument)
        hash = hash_bytes(hash, token->argument, strlen(token->argument));
    if (token->value)
        hash = hash_bytes(hash, token->value, strlen(token->value));
    return hash_bytes(hash, token->glob.alternatives, glob_size(&token->glob));
}

/* Without regard to the order of the tokens. */
static uint64_t hash_tokens(const struct rule_token *begin, const struct rule_token *end)
{
    uint64_t hash = 0;
    for (const struct rule_token *token = begin; token < end; token++)
        hash += hash_token(token);
    return hash;
}

static uint64_t hash_matches(const struct rule *rule)
{
    return hash_tokens(rule->tokens, rule_group_end(rule, RULE_GROUP_TEST));
}

/* 0 where the rule names nobody. */
static uint64_t hash_containers(const struct rule *rule)
{
    return hash_tokens(rule_group_begin(rule, RULE_GROUP_CONTAINER),
                       rule_group_end(rule, RULE_GROUP_CONTAINER));
}

static bool tokens_equal(const struct rule_token *a, const struct rule_token *b)
{
    size_t size = glob_size(&a->glob);
    return a->info == b->info && a->op == b->op && streq_null(a->argument, b->argument) &&
           streq_null(a->value, b->value) && a->number == b->number &&
           a->glob.ignore_case == b->glob.ignore_case && a->glob.count == b->glob.count &&
           size == glob_size(&b->glob) &&
           (size == 0 || memcmp(a->glob.alternatives, b->glob.alternatives, size) == 0);
}

static bool has_equal(const struct rule_token *begin, const struct rule_token *end,
                      const struct rule_token *wanted)
{
    for (const struct rule_token *token = begin; token < end; token++)
        if (tokens_equal(token, wanted))
            return true;
    return false;
}

/* The same tokens in two rules' stretch of groups, in any order. */
static bool stretches_equal(const struct rule *a, const struct rule *b, enum rule_group first,
                            enum rule_group last)
{
    const struct rule_token *a_begin = rule_group_begin(a, first), *a_end = rule_group_end(a, last);
    const struct rule_token *b_begin = rule_group_begin(b, first), *b_end = rule_group_end(b, last);
    if (a_end - a_begin != b_end - b_begin)
        return false;
    for (const struct rule_token *token = a_begin; token < a_end; token++)
        if (!has_equal(b_begin, b_end, token))
            return false;
    for (const struct rule_token *token = b_begin; token < b_end; token++)
        if (!has_equal(a_begin, a_end, token))
            return false;
    return true;
}

static bool is_for_all(const struct rule *rule)
{
    return rule_group_begin(rule, RULE_GROUP_CONTAINER) ==
           rule_group_end(rule, RULE_GROUP_CONTAINER);
}

static bool ends_all(const struct rule *rule)
{
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_OPTIONS);
    for (const struct rule_token *token = rule_group_begin(rule, RULE_GROUP_OPTIONS); token < end;
         token++)
        if (token->number & RULE_OPTION_LAST_RULE)
            return true;
    return false;
}

/* Whether `rule` closes the key for whom its other assignments hold; CONTAINER for everybody. */
static bool closes(const struct rule *rule, enum rule_key key, bool same_containers)
{
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_ASSIGN);
    for (const struct rule_token *token = rule_group_begin(rule, RULE_GROUP_CONTAINER); token < end;
         token++)
        if (token->info->key == key && token->op == RULE_FINAL)
            return same_containers || key == RULE_KEY_CONTAINER;
    return false;
}

/* Options that jump or change how values are read are carried out even where OPTIONS is closed. */
static bool has_effects(const struct rule *rule)
{
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_OPTIONS);
    for (const struct rule_token *token = rule_group_begin(rule, RULE_GROUP_OPTIONS); token < end;
         token++)
        if (token->number > RULE_OPTION_SHARE_MASK)
            return true;
    return rule->go_to || rule->label;
}

static bool shadows(const struct rule *by, const struct rule *rule)
{
    bool same =
        is_for_all(by) || stretches_equal(by, rule, RULE_GROUP_CONTAINER, RULE_GROUP_CONTAINER);
    const struct rule_token *token = rule_group_begin(rule, RULE_GROUP_CONTAINER);
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_ASSIGN);
    if (!stretches_equal(by, rule, RULE_GROUP_DEVICE, RULE_GROUP_TEST) || rule->label)
        return false;
    if (ends_all(by))
        return same;
    if (token == end || has_effects(rule))
        return false;
    while (token < end && closes(by, token->info->key, same))
        token++;
    return token == end;
}

/* What earlier rules set may be different by the time that the later one is judged. */
static bool asks_for_what_changes(const struct rule *rule)
{
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_TEST);
    for (const struct rule_token *token = rule->tokens; token < end; token++) {
        enum rule_key key = token->info->key;
        if (key == RULE_KEY_ENV || key == RULE_KEY_SYMLINK || key == RULE_KEY_NAME ||
            token->substitutes || token->reads_parent)
            return true;
    }
    return false;
}

static bool ends_anything(const struct rule *rule)
{
    if (asks_for_what_changes(rule))
        return false;
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_ASSIGN);
    for (const struct rule_token *token = rule_group_begin(rule, RULE_GROUP_CONTAINER); token < end;
         token++)
        if (token->op == RULE_FINAL)
            return true;
    return ends_all(rule);
}

static const struct rule *find_ender(const struct rule_enders *enders, uint64_t hash,
                                     const struct rule *rule)
{
    const struct ender *ender = enders ? enders->buckets[hash & (enders->capacity - 1)] : NULL;
    while (ender && (ender->hash != hash || !shadows(&ender->rule, rule)))
        ender = ender->next;
    return ender ? &ender->rule : NULL;
}

/* Later rules before earlier ones, those that end it for everybody before those for some. */
static int look_up(const struct search *search, const struct rule *rule, uint64_t hash)
{
    const struct rule_enders *const tables[] = {search->later->enders, search->earlier->enders};
    uint64_t containers = hash_containers(rule);
    const struct rule *by = NULL;
    for (size_t i = 0; !by && i < ARRAY_SIZE(tables); i++) {
        by = find_ender(tables[i], hash, rule);
        if (!by && containers)
            by = find_ender(tables[i], hash + containers, rule);
    }
    return by ? search->fn(search->userdata, &(struct rule_shadow){rule, by}) : 0;
}

static int keep(struct rule_set *rules, const struct rule *rule, uint64_t hash)
{
    int r = reserve(&rules->enders, count_of(rules->enders) + 1);
    struct ender *ender = r < 0 ? NULL : malloc(sizeof(*ender));
    if (!ender)
        return -ENOMEM;
    if (!closes(rule, RULE_KEY_CONTAINER, false))
        hash += hash_containers(rule);
    *ender = (struct ender){NULL, hash, *rule};
    insert(rules->enders, ender);
    rules->enders->count++;
    return 0;
}

int rule_shadow_find(const struct rule_set *earlier, struct rule_set *later, rule_shadow_fn fn,
                     void *userdata)
{
    const struct search search = {earlier, later, fn, userdata};
    size_t reached = 0; /* up to here a GOTO may have jumped */
    int r = 0;
    for (size_t i = 0; r >= 0 && i < later->count; i++) {
        const struct rule *rule = &later->rules[i];
        uint64_t hash = hash_matches(rule);
        r = look_up(&search, rule, hash);
        if (r >= 0 && i >= reached && ends_anything(rule))
            r = keep(later, rule, hash);
        if (rule->skip && i + rule->skip > reached)
            reached = i + rule->skip;
    }
    return r < 0 ? r : 0;
}

int rule_shadow_reserve(struct rule_set *rules, const struct rule_set *from)
{
    size_t more = count_of(from->enders);
    return more > 0 ? reserve(&rules->enders, count_of(rules->enders) + more) : 0;
}

void rule_shadow_absorb(struct rule_set *rules, struct rule_set *from)
{
    if (count_of(from->enders) > 0)
        move_all(rules->enders, from->enders);
}

void rule_shadow_describe(const struct rule_shadow *shadow, struct rule_fault *ret)
{
    struct rule_position at = {shadow->rule->line, 1};
    if (rule_group_end(shadow->rule, RULE_GROUP_ASSIGN) > shadow->rule->tokens)
        at = shadow->rule->tokens[0].at;
    (void)rule_fault_set(ret, at,
                         "this rule comes too late: %.100s:%u matches the same, and ends the "
                         "matter with := or last_rule",
                         shadow->by->file, shadow->by->line);
}
