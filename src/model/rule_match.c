/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_match.h"

#include <errno.h>

#include "model/rule_assign.h"
#include "model/rule_set.h"

/* How a rule's matches came out: for the trace. */
struct answer {
    bool matched;
    const struct rule_token *failed;
    const char *value; /* what was found there */
};

/* What `device` has to say to the key of `token`; NULL where it has no such thing. */
static const char *value_of(const struct rule_state *state, struct device *device,
                            const struct rule_token *token)
{
    switch (token->info->key) {
    case RULE_KEY_ACTION:
        return "add";
    case RULE_KEY_DEVPATH:
        return device->devpath;
    case RULE_KEY_KERNEL:
    case RULE_KEY_KERNELS:
        return device->sysname;
    case RULE_KEY_SUBSYSTEM:
    case RULE_KEY_SUBSYSTEMS:
        return device->subsystem;
    case RULE_KEY_DRIVER:
    case RULE_KEY_DRIVERS:
        return device->driver;
    case RULE_KEY_ATTR:
    case RULE_KEY_ATTRS:
        return device_attribute(device, token->argument);
    case RULE_KEY_ENV:
        return rule_state_property(state, token->argument);
    case RULE_KEY_CONTAINER:
    case RULE_KEY_NODE:
    case RULE_KEY_SYMLINK:
    case RULE_KEY_OWNER:
    case RULE_KEY_GROUP:
    case RULE_KEY_MODE:
    case RULE_KEY_ACCESS:
    case RULE_KEY_OPTIONS:
    case RULE_KEY_GOTO:
    case RULE_KEY_LABEL:
    case RULE_KEY_NONE:
        return NULL; /* not matched on a device */
    }
    return NULL;
}

/* An attribute that is not there meets neither == nor !=; anything else that is not there is empty.
 */
static bool token_matches(const struct rule_state *state, struct device *device,
                          const struct rule_token *token, const char **ret_value)
{
    bool equal;
    if (token->info->key == RULE_KEY_CONTAINER) {
        equal = rule_container_named(state, token, ret_value);
        return equal == (token->op == RULE_EQUAL);
    }
    *ret_value = value_of(state, device, token);
    if (token->info->key == RULE_KEY_ATTR || token->info->key == RULE_KEY_ATTRS) {
        if (!*ret_value)
            return false;
        equal = rule_glob_matches_attribute(&token->glob, *ret_value);
    } else {
        equal = rule_glob_matches(&token->glob, *ret_value);
    }
    return equal == (token->op == RULE_EQUAL);
}

static void match_device(const struct rule_state *state, const struct rule *rule,
                         struct answer *answer)
{
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_DEVICE);
    const struct rule_token *token = rule_group_begin(rule, RULE_GROUP_DEVICE);
    for (; token < end; token++) {
        if (token_matches(state, state->device, token, &answer->value))
            continue;
        answer->failed = token;
        return;
    }
    *answer = (struct answer){.matched = true};
}

/*
 * All parent keys at one and the same device, from this one upwards. Where none does, the answer is
 * of the device that came furthest: that is the one the rule's writer had in mind.
 */
static void match_parents(struct rule_state *state, const struct rule *rule, struct answer *answer)
{
    const struct rule_token *begin = rule_group_begin(rule, RULE_GROUP_PARENT);
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_PARENT);
    if (begin == end)
        return;

    *answer = (struct answer){.failed = begin};
    for (struct device *device = state->device; device; device = device_parent(device)) {
        const struct rule_token *token = begin;
        const char *value = NULL;
        while (token < end && token_matches(state, device, token, &value))
            token++;
        if (token == end) {
            state->parent = device;
            *answer = (struct answer){.matched = true};
            return;
        }
        if (token > answer->failed || (token == answer->failed && !answer->value))
            *answer = (struct answer){.failed = token, .value = value};
    }
    state->parent = NULL;
}

struct judge {
    const struct rule_set *rules;
    struct rule_state state;
    rule_trace_fn trace;
    void *userdata;
};

static void tell(const struct judge *judge, const struct rule *rule, enum rule_verdict verdict,
                 const struct answer *answer, bool gives)
{
    if (!judge->trace)
        return;
    struct rule_trace trace = {
        .file = rule->file,
        .line = rule->line,
        .verdict = verdict,
        .key = answer->failed ? answer->failed->written : NULL,
        .value = answer->failed ? answer->value : NULL,
        .gives = gives,
    };
    judge->trace(judge->userdata, &trace);
}

/* One rule. Returns 1 when it matched and holds for the container, 0 when not, -ENOMEM. */
static int judge_rule(struct judge *judge, const struct rule *rule)
{
    struct rule_state *state = &judge->state;
    struct answer answer = {0};
    bool gives = false;
    match_device(state, rule, &answer);
    if (answer.matched)
        match_parents(state, rule, &answer);

    int r = answer.matched;
    if (answer.matched)
        r = rule_assign_container(state, rule, &gives, &answer.failed);
    if (r > 0) {
        int assigned = rule_assign(state, rule);
        if (assigned < 0)
            return assigned;
        answer = (struct answer){0};
    } else if (r == 0 && answer.matched) {
        (void)rule_container_named(state, answer.failed, &answer.value);
    }
    if (r >= 0)
        tell(judge, rule, r > 0 ? RULE_MATCHED : RULE_NO_MATCH, &answer, gives);
    return r;
}

/* All rules in order. Returns 0 or -ENOMEM. */
static int judge_all(struct judge *judge)
{
    const struct answer none = {0};
    const struct rule_set *rules = judge->rules;
    for (size_t i = 0, next; i < rules->count; i = next) {
        int r = judge_rule(judge, &rules->rules[i]);
        if (r < 0)
            return r;
        next = r > 0 && rules->rules[i].skip ? i + rules->rules[i].skip : i + 1;
        if (judge->state.finished)
            next = rules->count;
        for (size_t skipped = i + 1; judge->trace && skipped < next; skipped++)
            tell(judge, &rules->rules[skipped], RULE_SKIPPED, &none, false);
    }
    return 0;
}

int rule_judge(const struct rule_set *rules, struct device *device,
               const struct rule_container *container, rule_trace_fn trace, void *userdata,
               struct share *ret)
{
    struct judge judge = {.rules = rules, .trace = trace, .userdata = userdata};
    rule_state_init(&judge.state, device, container);
    int r = judge_all(&judge);
    if (r < 0) {
        rule_state_done(&judge.state);
        return r;
    }
    rule_assign_finish(&judge.state);
    *ret = judge.state.share;
    return ret->given;
}
