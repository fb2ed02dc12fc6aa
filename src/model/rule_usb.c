/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_usb.h"

#include "model/rule_assign.h"

static bool names(const struct rule_state *state, const struct rule *rule)
{
    const char *value;
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_CONTAINER);
    for (const struct rule_token *token = rule_group_begin(rule, RULE_GROUP_CONTAINER); token < end;
         token++)
        if (token->op != RULE_REMOVE && rule_container_named(state, token, &value))
            return true;
    return false;
}

static bool takes_subtree(const struct rule *rule)
{
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_OPTIONS);
    for (const struct rule_token *token = rule_group_begin(rule, RULE_GROUP_OPTIONS); token < end;
         token++)
        if (token->op != RULE_REMOVE && token->number & OPTION_SUBTREE)
            return true;
    return false;
}

/* They are called 1-2.3, and usb1 where it is a root hub. */
static bool may_name_usb(const struct rule_glob *glob)
{
    const char *alternative = glob->alternatives;
    for (size_t i = 0; i < glob->count; i++, alternative = rule_glob_next(alternative))
        if (alternative[0] && strchr("0123456789uU*?[\\", alternative[0]))
            return true;
    return false;
}

static bool may_hold_for_usb(const struct rule_token *token)
{
    bool wanted = token->op == RULE_EQUAL;
    enum rule_key key = token->info->key;
    if (key == RULE_KEY_SUBSYSTEM)
        return rule_glob_matches(&token->glob, "usb") == wanted;
    if (key == RULE_KEY_ENV && streq(token->argument, "SUBSYSTEM"))
        return rule_glob_matches(&token->glob, "usb") == wanted;
    if (key == RULE_KEY_ENV && streq(token->argument, "DEVTYPE"))
        return rule_glob_matches(&token->glob, "usb_device") == wanted;
    return key != RULE_KEY_KERNEL || !wanted || may_name_usb(&token->glob);
}

static bool may_give_usb(const struct rule_state *state, const struct rule *rule)
{
    const char *value;
    bool subtree = takes_subtree(rule);
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_DEVICE);
    for (const struct rule_token *token = rule_group_begin(rule, RULE_GROUP_DEVICE); token < end;
         token++) {
        bool holds = token->info->key == RULE_KEY_CONTAINER
                         ? rule_container_named(state, token, &value) == (token->op == RULE_EQUAL)
                         : subtree || may_hold_for_usb(token);
        if (!holds)
            return false;
    }
    return true;
}

bool rule_set_may_give_usb(const struct rule_set *rules, const struct rule_container *container)
{
    const struct rule_state state = {.container = container};
    for (size_t i = 0; i < rules->count; i++)
        if (names(&state, &rules->rules[i]) && may_give_usb(&state, &rules->rules[i]))
            return true;
    return false;
}
