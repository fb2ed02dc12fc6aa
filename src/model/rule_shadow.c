/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Only identical matches are compared, in whatever order they stand, and only rules that always are
 * reached: one that a GOTO may jump over ends nothing. Rules that end a matter are few, so they are
 * kept in a table by a hash of their matches, and each rule is looked up in it.
 */
#include "model/rule_shadow.h"

#include <errno.h>

#define BUCKETS 256u

struct ender {
    struct ender *next;
    uint64_t hash;
    const struct rule *rule;
};

struct search {
    struct ender *buckets[BUCKETS];
    rule_shadow_fn fn;
    void *userdata;
};

static void search_done(struct search *search)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct ender *ender = search->buckets[i], *next; ender; ender = next) {
            next = ender->next;
            free(ender);
        }
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

/* Without regard to the order of the matches. */
static uint64_t hash_matches(const struct rule *rule)
{
    uint64_t hash = 0;
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_TEST);
    for (const struct rule_token *token = rule->tokens; token < end; token++)
        hash += hash_token(token);
    return hash;
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

static int look_up(struct search *search, const struct rule *rule, uint64_t hash)
{
    for (const struct ender *ender = search->buckets[hash % BUCKETS]; ender; ender = ender->next)
        if (ender->hash == hash && shadows(ender->rule, rule))
            return search->fn(search->userdata, &(struct rule_shadow){rule, ender->rule});
    return 0;
}

static int keep(struct search *search, const struct rule *rule, uint64_t hash)
{
    struct ender **head = &search->buckets[hash % BUCKETS];
    struct ender *ender = malloc(sizeof(*ender));
    if (!ender)
        return -ENOMEM;
    *ender = (struct ender){*head, hash, rule};
    *head = ender;
    return 0;
}

/* The rules of one set in order; `tells` those that are shadowed. */
static int go_through(struct search *search, const struct rule_set *rules, bool tells)
{
    size_t reached = 0; /* up to here a GOTO may have jumped */
    int r = 0;
    for (size_t i = 0; r >= 0 && i < rules->count; i++) {
        const struct rule *rule = &rules->rules[i];
        bool ends = i >= reached && ends_anything(rule);
        uint64_t hash = tells || ends ? hash_matches(rule) : 0;
        if (tells)
            r = look_up(search, rule, hash);
        if (r >= 0 && ends)
            r = keep(search, rule, hash);
        if (rule->skip && i + rule->skip > reached)
            reached = i + rule->skip;
    }
    return r < 0 ? r : 0;
}

int rule_shadow_find(const struct rule_set *earlier, const struct rule_set *later,
                     rule_shadow_fn fn, void *userdata)
{
    _cleanup_(search_done) struct search search = {.fn = fn, .userdata = userdata};
    int r = go_through(&search, earlier, false);
    return r < 0 ? r : go_through(&search, later, true);
}
