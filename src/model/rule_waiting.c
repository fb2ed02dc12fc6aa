/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_waiting.h"

#include "model/rule_set.h"
#include "model/rule_token.h"
#include "model/rule_udev.h"

void rule_waiting_init(struct rule_waiting *waiting)
{
    *waiting = (struct rule_waiting){.device.sysname = ""};
    rule_state_init(&waiting->state, &waiting->device, NULL);
}

void rule_waiting_done(struct rule_waiting *waiting)
{
    rule_state_done(&waiting->state);
}

const struct rule_token *rule_waiting_find(const struct rule_waiting *waiting,
                                           const struct rule *rule)
{
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_ASSIGN);
    for (const struct rule_token *token = rule->tokens; token < end; token++)
        if (rule_token_waits(&waiting->state, token))
            return token;
    return NULL;
}

int rule_waiting_pass(struct rule_waiting *waiting, const struct rule *rule)
{
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_ENV);
    int r = 0;
    for (const struct rule_token *token = rule_group_begin(rule, RULE_GROUP_ENV);
         r == 0 && token < end; token++)
        if (rule_udev_knows(token->argument, strlen(token->argument)))
            r = property_set(&waiting->state.share.env, token->argument, "");
    return r;
}

void rule_set_each_waiting(const struct rule_set *rules,
                           void (*fn)(void *userdata, const char *file, unsigned line,
                                      const char *key),
                           void *userdata)
{
    struct rule_waiting waiting;
    rule_waiting_init(&waiting);
    for (size_t i = 0; i < rules->count; i++) {
        const struct rule *rule = &rules->rules[i];
        const struct rule_token *key = rule_waiting_find(&waiting, rule);
        if (key)
            fn(userdata, rule->file, rule->line, key->written);
        (void)rule_waiting_pass(&waiting, rule); /* short of memory, one too many is told */
    }
    rule_waiting_done(&waiting);
}
