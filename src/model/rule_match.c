/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One pair of device and container against all rules. With a trace every rule has its say; without
 * one, only those that the index knows may match, which comes to the same.
 *
 * Before udev is done with a device, some keys have no answer yet. The rule's other keys are asked
 * nevertheless, as most rules that wait would not match anyhow. What a rule that waits would do
 * makes uncertain what follows: properties that it would set, rules that it might jump over, and,
 * where it would take the device away, the gift itself. The judge keeps to what holds either way.
 */
#include "model/rule_match.h"

#include <errno.h>

#include "model/devolve_properties.h"
#include "model/rule_assign.h"
#include "model/rule_candidates.h"
#include "model/rule_condition.h"
#include "model/rule_reference.h"
#include "model/rule_set.h"
#include "model/rule_token.h"

/* How a rule's matches came out, and what the trace shows of it. */
struct answer {
    bool matched; /* all but those that wait */
    const struct rule_token *failed;
    const char *value;               /* what was found there */
    const struct device *at;         /* the parent that came furthest */
    const struct rule_token *waited; /* the first that waits */
};

/* Rules that were jumped over: [from, to). */
struct jump {
    size_t from, to;
};

struct judge {
    const struct rule_set *rules;
    struct rule_state state;
    struct rule_candidates candidates;
    rule_trace_fn trace;
    void *userdata;
    size_t searched; /* the parent is what the rules before this one left */
    struct jump *jumps;
    size_t jump_count;
};

/* Whether a token that need not wait fails. */
static bool fails(struct rule_state *state, struct device *device, const struct rule_token *token,
                  struct answer *answer)
{
    if (rule_token_waits(state, token)) {
        answer->waited = answer->waited ? answer->waited : token;
        return false;
    }
    return !rule_token_matches(state, device, token, &answer->value);
}

static void match_group(struct rule_state *state, const struct rule *rule, enum rule_group group,
                        struct answer *answer)
{
    const struct rule_token *end = rule_group_end(rule, group);
    const struct rule_token *token = rule_group_begin(rule, group);
    while (token < end && !fails(state, state->device, token, answer))
        token++;
    answer->matched = token == end;
    answer->failed = token < end ? token : NULL;
}

/*
 * All parent keys at one and the same device, from this one upwards. Where none does, the answer is
 * of the device that came furthest, the nearest first of those that have a value there: that is
 * the one the rule's writer had in mind.
 */
static void match_parents(struct rule_state *state, const struct rule *rule, struct answer *answer)
{
    const struct rule_token *begin = rule_group_begin(rule, RULE_GROUP_PARENT);
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_PARENT);
    const struct rule_token *furthest = begin, *waited = answer->waited;
    struct device *nearest = state->device;
    bool has_value = false;
    if (begin == end)
        return;

    for (struct device *device = state->device; device; device = device_parent(device)) {
        const struct rule_token *token = begin;
        *answer = (struct answer){.matched = true, .waited = waited};
        state->parent = device;
        while (token < end && !fails(state, device, token, answer))
            token++;
        if (token == end)
            return;
        if (token < furthest || (token == furthest && (has_value || !answer->value)))
            continue;
        furthest = token;
        nearest = device;
        has_value = answer->value;
    }
    *answer = (struct answer){.failed = furthest, .waited = waited};
    (void)rule_token_matches(state, nearest, furthest, &answer->value); /* it may have been lost */
    bool elsewhere = furthest->argument && rule_reference_is(furthest->argument);
    answer->at = !elsewhere && (answer->value || furthest > begin) ? nearest : NULL;
    state->parent = NULL;
}

static void match_rule(struct rule_state *state, const struct rule *rule, struct answer *answer)
{
    struct device *parent = state->parent;
    match_group(state, rule, RULE_GROUP_DEVICE, answer);
    if (answer->matched)
        match_parents(state, rule, answer);
    if (answer->matched)
        match_group(state, rule, RULE_GROUP_TEST, answer);
    if (answer->waited)
        state->parent = parent; /* who knows whether there was a search */
}

static void tell(struct judge *judge, const struct rule *rule, enum rule_verdict verdict,
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
        .parent = answer->at ? answer->at->devpath : NULL,
        .gives = gives,
        .rule = rule,
        .token = answer->failed,
        .state = &judge->state,
    };
    judge->trace(judge->userdata, &trace);
}

/* The first assignment that takes up what only udev knows, or NULL. */
static const struct rule_token *find_waiting_assignment(const struct rule_state *state,
                                                        const struct rule *rule)
{
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_ASSIGN);
    for (const struct rule_token *token = rule_group_begin(rule, RULE_GROUP_CONTAINER); token < end;
         token++)
        if (rule_token_waits(state, token))
            return token;
    return NULL;
}

static void wait_with_jump(struct rule_state *state, size_t until)
{
    if (state->waits_until < until)
        state->waits_until = until;
}

/* What later rules cannot know, because of a rule that waits and would hold for the container. */
static int wait_with_effects(struct judge *judge, const struct rule *rule)
{
    struct rule_state *state = &judge->state;
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_ASSIGN);
    const struct rule_token *token = rule_group_begin(rule, RULE_GROUP_OPTIONS);
    int r = 0;
    for (; r == 0 && token < end; token++) {
        if (token->info->key == RULE_KEY_OPTIONS && (token->number & RULE_OPTION_LAST_RULE))
            wait_with_jump(state, judge->rules->count);
        if (token->info->key == RULE_KEY_ENV)
            r = rule_state_wait_for(state, token->argument);
        if (token->info->key == RULE_KEY_NAME)
            r = rule_state_wait_for(state, token->info->name);
    }
    if (rule->skip)
        wait_with_jump(state, (size_t)(rule - judge->rules->rules) + rule->skip);
    return r;
}

/* A rule that waits. Returns 0 or -ENOMEM. */
static int put_off(struct judge *judge, const struct rule *rule, struct answer *answer)
{
    struct rule_state *state = &judge->state;
    enum rule_verdict verdict = RULE_WAITS;
    int r = 0;
    bool concerned = rule_assign_withhold(state, rule, &answer->failed);
    if (concerned) {
        state->share.waits = true;
        if (!answer->failed)
            r = wait_with_effects(judge, rule);
        answer->failed = answer->waited;
        answer->value = NULL;
    } else {
        verdict = RULE_NO_MATCH;
        (void)rule_container_named(state, answer->failed, &answer->value);
    }
    if (r == 0)
        tell(judge, rule, verdict, answer, false);
    return r;
}

/* A rule whose matches all hold. Returns 1 when it is for this container, 0 when not, -ENOMEM. */
static int carry_out(struct judge *judge, const struct rule *rule)
{
    struct rule_state *state = &judge->state;
    struct answer answer = {0};
    bool gives = false;
    int r = rule_assign_container(state, rule, &gives, &answer.failed);
    if (r > 0) {
        int assigned = rule_assign(state, rule);
        if (assigned < 0)
            return assigned;
        answer.failed = NULL;
    } else if (r == 0) {
        (void)rule_container_named(state, answer.failed, &answer.value);
    }
    if (r >= 0)
        tell(judge, rule, r > 0 ? RULE_MATCHED : RULE_NO_MATCH, &answer, gives);
    return r;
}

static bool searches(const struct rule *rule)
{
    return rule_group_begin(rule, RULE_GROUP_PARENT) != rule_group_end(rule, RULE_GROUP_PARENT);
}

static bool was_jumped(const struct judge *judge, size_t number)
{
    for (size_t i = 0; i < judge->jump_count; i++)
        if (number >= judge->jumps[i].from && number < judge->jumps[i].to)
            return true;
    return false;
}

/*
 * The index passed by rules whose parent keys nobody meets. Where their own keys do match, the
 * search that fails makes the judge forget the parent that an earlier rule found; the rule numbered
 * `until` is about to speak of it.
 */
static void catch_up(struct judge *judge, size_t until)
{
    struct rule_candidates candidates = judge->candidates;
    rule_candidates_rewind(&candidates);
    for (size_t i = judge->searched; judge->state.parent && i < until; i++) {
        const struct rule *rule = &judge->rules->rules[i];
        struct answer answer = {0};
        if (!searches(rule) || !rule_is_of_device(rule) ||
            rule_candidates_next(&candidates, i) == i || was_jumped(judge, i))
            continue;
        match_group(&judge->state, rule, RULE_GROUP_DEVICE, &answer);
        if (answer.matched && !answer.waited)
            judge->state.parent = NULL;
    }
    judge->searched = until;
}

/* One rule. Returns 1 when it matched and holds for the container, 0 when not, -ENOMEM. */
static int judge_rule(struct judge *judge, size_t number)
{
    const struct rule *rule = &judge->rules->rules[number];
    struct rule_state *state = &judge->state;
    struct answer answer = {0};
    bool uncertain = number < state->waits_until;
    if (rule->inherits_early)
        catch_up(judge, number);
    struct device *parent = state->parent;
    match_rule(state, rule, &answer);
    if (!answer.matched) {
        tell(judge, rule, RULE_NO_MATCH, &answer, false);
        return 0;
    }
    if (!answer.waited)
        answer.waited = find_waiting_assignment(state, rule);
    if (answer.waited || uncertain) {
        state->parent = parent;
        return put_off(judge, rule, &answer);
    }
    if (rule->inherits)
        catch_up(judge, number);
    if (searches(rule))
        judge->searched = number + 1;
    return carry_out(judge, rule);
}

static int note_jump(struct judge *judge, size_t from, size_t to)
{
    struct jump *jump = array_add(&judge->jumps, &judge->jump_count, sizeof(*jump));
    if (!jump)
        return -ENOMEM;
    *jump = (struct jump){from, to};
    return 0;
}

/* Where to go on behind a rule. Returns 0 or -ENOMEM. */
static int step(struct judge *judge, size_t number, bool matched, size_t *ret_next)
{
    const struct answer none = {0};
    const struct rule_set *rules = judge->rules;
    size_t next = number + 1;
    if (matched && rules->rules[number].skip)
        next = number + rules->rules[number].skip;
    if (judge->state.finished)
        next = rules->count;
    for (size_t skipped = number + 1; judge->trace && skipped < next; skipped++)
        tell(judge, &rules->rules[skipped], RULE_SKIPPED, &none, false);
    *ret_next = next;
    return next > number + 1 ? note_jump(judge, number + 1, next) : 0;
}

/* All rules in order. Returns 0 or -ENOMEM. */
static int judge_all(struct judge *judge)
{
    const struct rule_set *rules = judge->rules;
    rule_candidates_init(&judge->candidates, judge->trace ? NULL : rules->index, &judge->state);
    for (size_t next = 0;;) {
        size_t number = rule_candidates_next(&judge->candidates, next);
        if (number >= rules->count)
            return 0;
        int r = judge_rule(judge, number);
        if (r >= 0)
            r = step(judge, number, r > 0, &next);
        if (r < 0)
            return r;
    }
}

/* What udev's rules say goes first, as if it were a line before ours. */
static int judge_properties(struct judge *judge)
{
    struct rule_state *state = &judge->state;
    struct devolve_problem problem = {0};
    int r = devolve_properties_read(state->device, state->container, &state->share, &problem);
    if (r < 0 && r != -EINVAL)
        return r;
    if (judge->trace && devolve_properties_are_there(state->device)) {
        struct rule_trace trace = {
            .file = SHARE_FROM_UDEV,
            .verdict = r > 0 ? RULE_MATCHED : RULE_NO_MATCH,
            .key = problem.key,
            .value = problem.value,
            .gives = r > 0,
        };
        judge->trace(judge->userdata, &trace);
    }
    return 0;
}

/* The judge's state is set up; it is done with here. */
static int judge_device(struct judge *judge, struct share *ret)
{
    int r = judge_properties(judge);
    if (r == 0)
        r = judge_all(judge);
    free(judge->jumps);
    if (r < 0) {
        rule_state_done(&judge->state);
        return r;
    }
    rule_assign_finish(&judge->state);
    *ret = judge->state.share;
    judge->state.share = (struct share){0};
    rule_state_done(&judge->state);
    return ret->given;
}

int rule_judge(const struct rule_set *rules, struct device *device,
               const struct rule_container *container, rule_trace_fn trace, void *userdata,
               struct share *ret)
{
    struct judge judge = {.rules = rules, .trace = trace, .userdata = userdata};
    rule_state_init(&judge.state, device, container);
    return judge_device(&judge, ret);
}

int rule_judge_heir(const struct rule_set *rules, struct device *device,
                    const struct rule_container *container, const struct share *inherited,
                    struct share *ret)
{
    struct judge judge = {.rules = rules};
    rule_state_init(&judge.state, device, container);
    int r = share_copy(&judge.state.share, inherited);
    return r < 0 ? r : judge_device(&judge, ret);
}
