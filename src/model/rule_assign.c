/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_assign.h"

#include <errno.h>
#include <stdio.h>

#include "model/rule_substitute.h"

#define BIT(key) (1u << (key))

bool rule_container_named(const struct rule_state *state, const struct rule_token *token,
                          const char **ret_value)
{
    const struct rule_container *container = state->container;
    if (!token->argument)
        *ret_value = container->name;
    else
        *ret_value = container->labels ? property_get(container->labels, token->argument) : NULL;
    /* a container without the label is not one whose label is empty */
    return *ret_value && rule_glob_matches(&token->glob, *ret_value);
}

static int set_text(char **slot, const char *text)
{
    char *copy = text ? strdup(text) : NULL;
    if (text && !copy)
        return -ENOMEM;
    free(*slot);
    *slot = copy;
    return 0;
}

static int give(struct share *share, const struct rule *rule)
{
    int r = set_text(&share->rule_file, rule->file);
    if (r < 0)
        return r;
    share->rule_line = rule->line;
    share->given = true;
    return 0;
}

static void take_back(struct share *share)
{
    (void)set_text(&share->rule_file, NULL);
    share->rule_line = 0;
    share->given = false;
}

static int decide(struct rule_state *state, const struct rule *rule, const struct rule_token *token,
                  bool named)
{
    if (state->final & BIT(RULE_KEY_CONTAINER))
        return 0;
    bool resets = token->op == RULE_SET || token->op == RULE_FINAL;
    if (named && token->op != RULE_REMOVE) {
        int r = give(&state->share, rule);
        if (r < 0)
            return r;
        state->withheld = state->withheld_for_good;
    } else if (named || resets) {
        take_back(&state->share);
    }
    return 0;
}

int rule_assign_container(struct rule_state *state, const struct rule *rule, bool *ret_gives,
                          const struct rule_token **ret_failed)
{
    const struct rule_token *begin = rule_group_begin(rule, RULE_GROUP_CONTAINER);
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_CONTAINER);
    bool holds = begin == end; /* a line that names nobody is for everybody */
    bool closes = false;
    const char *value;

    *ret_failed = NULL;
    for (const struct rule_token *token = begin; token < end; token++) {
        bool named = rule_container_named(state, token, &value);
        int r = decide(state, rule, token, named);
        if (r < 0)
            return r;
        holds |= named;
        closes |= token->op == RULE_FINAL;
        if (!named && !*ret_failed)
            *ret_failed = token;
    }
    *ret_gives =
        holds && begin < end && state->share.given && !(state->final & BIT(RULE_KEY_CONTAINER));
    /* closed behind the line, not within it: "CONTAINER:=" may stand beside another CONTAINER */
    if (closes)
        state->final |= BIT(RULE_KEY_CONTAINER);
    return holds;
}

bool rule_assign_withhold(struct rule_state *state, const struct rule *rule,
                          const struct rule_token **ret_failed)
{
    const struct rule_token *begin = rule_group_begin(rule, RULE_GROUP_CONTAINER);
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_CONTAINER);
    bool holds = begin == end, takes = false, closes = false;
    const char *value;

    *ret_failed = NULL;
    for (const struct rule_token *token = begin; token < end; token++) {
        bool named = rule_container_named(state, token, &value);
        bool resets = token->op == RULE_SET || token->op == RULE_FINAL;
        holds |= named;
        takes |= named ? token->op == RULE_REMOVE : resets;
        closes |= token->op == RULE_FINAL;
        if (!named && !*ret_failed)
            *ret_failed = token;
    }
    takes = takes && !(state->final & BIT(RULE_KEY_CONTAINER));
    state->withheld |= takes;
    state->withheld_for_good |= takes && closes;
    if (holds)
        *ret_failed = NULL;
    return holds || takes;
}

static void assign_options(struct rule_state *state, const struct rule_token *token)
{
    unsigned option = token->number;
    if (option & RULE_OPTION_LAST_RULE)
        state->finished = true;
    if (option & RULE_OPTION_ESCAPE_NONE)
        state->escape = RULE_ESCAPE_NONE;
    if (option & RULE_OPTION_ESCAPE_REPLACE)
        state->escape = RULE_ESCAPE_REPLACE;

    option &= RULE_OPTION_SHARE_MASK;
    if (state->final & BIT(RULE_KEY_OPTIONS))
        return;
    if (token->number & RULE_OPTION_LINK_PRIORITY)
        state->share.link_priority = token->link_priority;
    /* a line of string_escape= or the like alone does not mean the list */
    if (option == 0 && token->number != 0)
        return;
    if (token->op == RULE_REMOVE)
        state->share.options &= ~option;
    else if (token->op == RULE_ADD)
        state->share.options |= option;
    else
        state->share.options = option;
}

/* Which characters stay besides the safe ones; NULL: all do. */
static const char *kept_characters(const struct rule_state *state, enum rule_key key)
{
    bool replaces = state->escape == RULE_ESCAPE_REPLACE;
    if (key == RULE_KEY_NODE || key == RULE_KEY_SYMLINK) {
        /* blanks part links, unless they too are to be replaced */
        const char *kept = key == RULE_KEY_SYMLINK && !replaces ? "/ " : "/";
        return state->escape == RULE_ESCAPE_NONE ? NULL : kept;
    }
    return key == RULE_KEY_ENV && replaces ? "" : NULL;
}

/* The token's value for this device. False where it comes to nothing, or is too long to be meant.
 */
static bool substitute(const struct rule_state *state, const struct rule_token *token,
                       char out[static RULE_VALUE_MAX])
{
    enum rule_key key = token->info->key;
    const char *kept = kept_characters(state, key);
    if (rule_substitute(state, token->value, kept && key != RULE_KEY_ENV, out) < 0)
        return false;
    if (kept)
        rule_substitute_clean(out, kept);
    return out[0] != '\0';
}

static int assign_node(struct rule_state *state, const struct rule_token *token)
{
    char value[RULE_VALUE_MAX];
    return substitute(state, token, value) ? share_set_node(&state->share, value) : 0;
}

static int assign_symlinks(struct rule_state *state, const struct rule_token *token)
{
    struct share *share = &state->share;
    char value[RULE_VALUE_MAX];
    if (token->op == RULE_SET || token->op == RULE_FINAL)
        share_clear_symlinks(share);
    if (!substitute(state, token, value))
        return 0;
    for (const char *name = value + strspn(value, " \t"); *name; name += strspn(name, " \t")) {
        size_t length = strcspn(name, " \t");
        int r = token->op == RULE_REMOVE ? share_drop_symlink(share, name, length)
                                         : share_add_symlink(share, name, length);
        if (r < 0)
            return r;
        name += length;
    }
    return 0;
}

static int assign_name(struct rule_state *state, const struct rule_token *token, char **slot)
{
    char value[RULE_VALUE_MAX];
    return substitute(state, token, value) ? set_text(slot, value) : 0;
}

/* Of net devices only: udev cannot rename a node either. */
static int assign_interface(struct rule_state *state, const struct rule_token *token)
{
    char value[RULE_VALUE_MAX];
    if (state->device->ifindex == 0 || !substitute(state, token, value))
        return 0;
    for (char *c = value; *c && state->escape != RULE_ESCAPE_NONE; c++)
        if (!rule_literal_is_interface_character(*c))
            *c = '_';
    rule_state_settle(state, token->info->name);
    return set_text(&state->share.name, value);
}

static void drop_property(struct property_list *list, const char *key)
{
    for (size_t i = 0; i < list->count; i++) {
        if (!streq(list->items[i].key, key))
            continue;
        free(list->items[i].key);
        free(list->items[i].value);
        list->count--;
        memmove(&list->items[i], &list->items[i + 1], (list->count - i) * sizeof(list->items[0]));
        return;
    }
}

/* += puts a blank and the value behind what is there. ENV{key}="" is kept until the end, so that
 * later rules no longer see the kernel's or udev's property of that name either. */
static int assign_property(struct rule_state *state, const struct rule_token *token)
{
    struct property_list *env = &state->share.env;
    char value[RULE_VALUE_MAX];
    if (!substitute(state, token, value)) {
        if (token->op == RULE_SET && token->value[0] == '\0') {
            rule_state_settle(state, token->argument);
            return property_set(env, token->argument, "");
        }
        return 0;
    }
    const char *before = rule_state_property(state, token->argument);
    if (token->op == RULE_SET)
        rule_state_settle(state, token->argument);
    if (token->op == RULE_SET || !before || before[0] == '\0')
        return property_set(env, token->argument, value);

    _cleanup_free_ char *both = NULL;
    if (asprintf(&both, "%s %s", before, value) < 0)
        return -ENOMEM;
    return strlen(both) < RULE_VALUE_MAX ? property_set(env, token->argument, both) : 0;
}

static int assign_one(struct rule_state *state, const struct rule_token *token)
{
    struct share *share = &state->share;
    switch (token->info->key) {
    case RULE_KEY_NODE:
        return assign_node(state, token);
    case RULE_KEY_NAME:
        return assign_interface(state, token);
    case RULE_KEY_SYMLINK:
        return assign_symlinks(state, token);
    case RULE_KEY_OWNER:
        return assign_name(state, token, &share->owner);
    case RULE_KEY_GROUP:
        return assign_name(state, token, &share->group);
    case RULE_KEY_MODE:
        share->mode = (int)token->number;
        return 0;
    case RULE_KEY_ACCESS:
        share->access = token->number;
        return 0;
    case RULE_KEY_OPTIONS:
        assign_options(state, token);
        return 0;
    case RULE_KEY_ENV:
        return assign_property(state, token);
    case RULE_KEY_CONTAINER:
    case RULE_KEY_GOTO:
    case RULE_KEY_LABEL:
    case RULE_KEY_NONE:
    case RULE_KEY_ACTION:
    case RULE_KEY_DEVPATH:
    case RULE_KEY_KERNEL:
    case RULE_KEY_SUBSYSTEM:
    case RULE_KEY_DRIVER:
    case RULE_KEY_ATTR:
    case RULE_KEY_SYSCTL:
    case RULE_KEY_CONST:
    case RULE_KEY_TAG:
    case RULE_KEY_TEST:
    case RULE_KEY_KERNELS:
    case RULE_KEY_SUBSYSTEMS:
    case RULE_KEY_DRIVERS:
    case RULE_KEY_ATTRS:
    case RULE_KEY_TAGS:
        return 0; /* CONTAINER went before; the others are not assigned */
    }
    return 0;
}

int rule_assign(struct rule_state *state, const struct rule *rule)
{
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_ASSIGN);
    const struct rule_token *token = rule_group_begin(rule, RULE_GROUP_OPTIONS);
    state->escape = RULE_ESCAPE_UNSET; /* of one line, as udevd has it */
    for (; token < end; token++) {
        unsigned bit = BIT(token->info->key);
        /* closed options still jump and set the escape: that is not part of the share */
        if (state->final & bit && token->info->key != RULE_KEY_OPTIONS)
            continue;
        int r = assign_one(state, token);
        if (r < 0)
            return r;
        if (token->op == RULE_FINAL)
            state->final |= bit;
    }
    return 0;
}

void rule_assign_finish(struct rule_state *state)
{
    if (state->withheld)
        take_back(&state->share);
    struct property_list *env = &state->share.env;
    for (size_t i = env->count; i > 0; i--)
        if (env->items[i - 1].key[0] == '.' || env->items[i - 1].value[0] == '\0')
            drop_property(env, env->items[i - 1].key);
}

bool rule_trace_names_container(const struct rule_trace *trace)
{
    const char *value;
    if (!trace->rule || !trace->state)
        return false;
    const struct rule_token *end = rule_group_end(trace->rule, RULE_GROUP_CONTAINER);
    for (const struct rule_token *token = rule_group_begin(trace->rule, RULE_GROUP_CONTAINER);
         token < end; token++)
        if (token->op != RULE_REMOVE && rule_container_named(trace->state, token, &value))
            return true;
    return false;
}
