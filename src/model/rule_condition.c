/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_condition.h"

#include "model/rule_reference.h"

static bool is_attribute(enum rule_key key)
{
    return key == RULE_KEY_ATTR || key == RULE_KEY_ATTRS;
}

/* Ids and serial numbers tell most: they are asked before other attributes. */
static unsigned rank_of_attribute(const char *name)
{
    static const char *const FIRST[] = {"idVendor", "idProduct", "serial"};
    unsigned rank = 0;
    while (rank < ARRAY_SIZE(FIRST) && !streq(FIRST[rank], name))
        rank++;
    return rank;
}

#define RANK_PARENT 100u
#define RANK_ATTRIBUTE 50u
#define RANK_NONE 1000u

/* The place in the order of questions; RANK_NONE: no condition. */
static unsigned rank_of(const struct rule_token *token)
{
    static const enum rule_key ORDER[] = {
        RULE_KEY_SUBSYSTEM, RULE_KEY_SUBSYSTEMS, RULE_KEY_CONTAINER,
        RULE_KEY_KERNEL,    RULE_KEY_KERNELS,    RULE_KEY_DEVPATH,
        RULE_KEY_DRIVER,    RULE_KEY_DRIVERS,    RULE_KEY_ENV,
    };
    unsigned rank = rule_key_is_parent(token->info->key) ? RANK_PARENT : 0;
    if (is_attribute(token->info->key))
        return rank + RANK_ATTRIBUTE + rank_of_attribute(token->argument);
    for (unsigned i = 0; i < ARRAY_SIZE(ORDER); i++)
        if (ORDER[i] == token->info->key)
            return rank + i;
    return RANK_NONE;
}

/* Names and paths: there a glob is worth something, if it does not begin with a star. */
static bool may_be_prefix(enum rule_key key)
{
    return key == RULE_KEY_KERNEL || key == RULE_KEY_KERNELS || key == RULE_KEY_DEVPATH ||
           key == RULE_KEY_CONTAINER;
}

size_t rule_condition_prefix(const struct rule_token *condition, const char *alternative)
{
    return condition->glob.is_literal ? 0 : strcspn(alternative, "*?[\\");
}

static bool alternative_is_told(const struct rule_token *token, const char *alternative)
{
    if (!token->glob.is_literal)
        return may_be_prefix(token->info->key) && rule_condition_prefix(token, alternative) > 0;
    if (alternative[0] == '\0')
        return false; /* what has no value meets it too */
    /* what udev does to the white space at a value's end is not for a table to know */
    return !is_attribute(token->info->key) ||
           alternative[rule_glob_trimmed_length(alternative)] == '\0';
}

/* Whether each of the alternatives is met by equality, or by how the value begins. */
static bool alternatives_are_told(const struct rule_token *token)
{
    const struct rule_glob *glob = &token->glob;
    const char *alternative = glob->alternatives;
    if (glob->ignore_case || token->substitutes ||
        (is_attribute(token->info->key) && glob->keeps_blanks))
        return false;
    for (size_t i = 0; i < glob->count; i++, alternative = rule_glob_next(alternative))
        if (!alternative_is_told(token, alternative))
            return false;
    return true;
}

static bool argument_is_told(const struct rule_token *token, rule_untouched_fn untouched,
                             void *userdata)
{
    if (token->info->key == RULE_KEY_CONTAINER)
        return !token->argument; /* labels are few and many rules ask for the same */
    if (token->info->key == RULE_KEY_ENV)
        return untouched(userdata, token->argument);
    return !is_attribute(token->info->key) || !rule_reference_is(token->argument);
}

static bool is_of_device(const struct rule_token *token)
{
    enum rule_key key = token->info->key;
    return key != RULE_KEY_ENV && key != RULE_KEY_SYMLINK && key != RULE_KEY_NAME &&
           !token->substitutes;
}

bool rule_is_of_device(const struct rule *rule)
{
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_DEVICE);
    for (const struct rule_token *token = rule->tokens; token < end; token++)
        if (!is_of_device(token))
            return false;
    return true;
}

/*
 * A line that only gives to, or takes from, one named container does nothing to others; but where
 * it has parent keys, later rules may speak of the parent that it found.
 */
static const struct rule_token *find_receiver(const struct rule *rule)
{
    const struct rule_token *begin = rule_group_begin(rule, RULE_GROUP_CONTAINER);
    bool searches = rule->group_end[RULE_GROUP_PARENT] > rule->group_end[RULE_GROUP_DEVICE];
    if (searches || rule_group_end(rule, RULE_GROUP_CONTAINER) - begin != 1)
        return NULL;
    return begin->op == RULE_ADD || begin->op == RULE_REMOVE ? begin : NULL;
}

/* Keeps the tokens ordered by rank, and the last ones out where they are too many. */
static size_t insert(const struct rule_token *tokens[static RULE_CONDITIONS_MAX], size_t count,
                     const struct rule_token *token)
{
    size_t at = count;
    while (at > 0 && rank_of(tokens[at - 1]) > rank_of(token))
        at--;
    if (at == RULE_CONDITIONS_MAX)
        return count;
    size_t moved = (count < RULE_CONDITIONS_MAX ? count : RULE_CONDITIONS_MAX - 1) - at;
    memmove(&tokens[at + 1], &tokens[at], moved * sizeof(tokens[0]));
    tokens[at] = token;
    return count < RULE_CONDITIONS_MAX ? count + 1 : count;
}

size_t rule_conditions(const struct rule *rule, rule_untouched_fn untouched, void *userdata,
                       const struct rule_token *ret[static RULE_CONDITIONS_MAX])
{
    enum rule_group last = rule_is_of_device(rule) ? RULE_GROUP_PARENT : RULE_GROUP_DEVICE;
    const struct rule_token *end = rule_group_end(rule, last);
    const struct rule_token *receiver = find_receiver(rule);
    size_t count = 0;
    for (const struct rule_token *token = rule->tokens; token < end; token++)
        if (token->op == RULE_EQUAL && rank_of(token) != RANK_NONE &&
            argument_is_told(token, untouched, userdata) && alternatives_are_told(token))
            count = insert(ret, count, token);
    if (receiver && argument_is_told(receiver, untouched, userdata) &&
        alternatives_are_told(receiver))
        count = insert(ret, count, receiver);
    return count;
}
