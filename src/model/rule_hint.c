/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Each function knows one mistake, and says so where the trace shows it. Which of them are asked
 * follows from the key that failed: ACTION, one about containers, one that waits for udev, one that
 * the device itself must answer, or one that a parent may. Judging a token for another device
 * overwrites the value in the trace, where that lies in the state's scratch; it is set aside.
 */
#include "model/rule_hint.h"

#include <stdarg.h>
#include <stdio.h>

#include "model/near_name.h"
#include "model/rule_assign.h"
#include "model/rule_likeness.h"
#include "model/rule_token.h"
#include "model/rule_udev.h"

/* A text that grows, and is cut where it is full. */
struct hint {
    char *text;
    size_t length;
};

static _printf_(2, 3) void say(struct hint *hint, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length =
        vsnprintf(hint->text + hint->length, RULE_HINT_MAX - hint->length, format, arguments);
    va_end(arguments);
    if (length > 0)
        hint->length += (size_t)length;
    if (hint->length >= RULE_HINT_MAX)
        hint->length = RULE_HINT_MAX - 1;
}

static bool says_likeness(struct hint *hint, const struct rule_token *token, const char *value)
{
    if (!value || !rule_likeness(token, value, hint->text, RULE_HINT_MAX))
        return false;
    hint->length = strlen(hint->text);
    return true;
}

static const char *asked_of(struct rule_state *state, struct device *device,
                            const struct rule_token *token, bool *ret_matches)
{
    const char *value;
    *ret_matches = rule_token_matches(state, device, token, &value);
    return value;
}

/* --- what only udev knows */

static bool hint_udev(const struct rule_trace *trace, const struct rule_surroundings *around,
                      struct hint *hint)
{
    const char *instead = trace->token && trace->token->info->key == RULE_KEY_ENV
                              ? rule_udev_kernels_key(trace->token->argument, trace->state->device)
                              : NULL;
    if (trace->token)
        say(hint, "only udev knows what %s asks for", trace->token->written);
    else
        say(hint, "whether an earlier rule jumps over this one is up to udev");
    if (around->udev_runs)
        say(hint, ", and it has not told of this device yet");
    else
        say(hint, ", and no udevd runs on this host, so nobody ever will tell");
    if (instead)
        say(hint, ": %s is what the kernel knows of it", instead);
    return true;
}

/* --- ACTION */

static bool hint_action(const struct rule_token *token, struct hint *hint)
{
    say(hint,
        "rules say which devices, not when: each is judged with ACTION \"add\", so %s never holds; "
        "leave it out",
        token->written);
    return true;
}

/* --- containers */

static bool names_container(const struct rule_token *token, const struct rule_container *container)
{
    const struct rule_state state = {.container = container};
    const char *value;
    return rule_container_named(&state, token, &value);
}

/* Whether the rule is for some registered container, and so right as it is. */
static bool is_for_another(const struct rule_trace *trace, const struct rule_surroundings *around)
{
    const struct rule *rule = trace->rule;
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_CONTAINER);
    for (size_t i = 0; i < around->container_count; i++) {
        if (names_container(trace->token, &around->containers[i]))
            return true;
        for (const struct rule_token *token = rule_group_begin(rule, RULE_GROUP_CONTAINER);
             token < end; token++)
            if (names_container(token, &around->containers[i]))
                return true;
    }
    return false;
}

static void list_labels(const struct rule_container *container, struct hint *hint)
{
    const struct property_list *labels = container->labels;
    if (!labels || labels->count == 0) {
        say(hint, "container %s has no labels", container->name);
        return;
    }
    say(hint, "container %s has ", container->name);
    for (size_t i = 0; i < labels->count; i++)
        say(hint, "%s%s=%s", i ? ", " : "", labels->items[i].key, labels->items[i].value);
}

static void suggest_label(const struct rule_container *container, const char *key,
                          struct hint *hint)
{
    const struct property_list *labels = container->labels;
    for (size_t i = 0; labels && i < labels->count; i++)
        if (near_name(key, labels->items[i].key))
            say(hint, ": is label:%s meant?", labels->items[i].key);
}

static bool hint_label(const struct rule_trace *trace, struct hint *hint)
{
    const struct rule_token *token = trace->token;
    const struct rule_container *container = trace->state->container;
    if (says_likeness(hint, token, trace->value))
        return true;
    say(hint, "no registered container has a label %s of this value; ", token->argument);
    list_labels(container, hint);
    if (!trace->value)
        suggest_label(container, token->argument, hint);
    return true;
}

/* Registered containers whose name is near; the first after `before`, the others after commas. */
static size_t list_near(const char *name, const struct rule_surroundings *around,
                        const char *before, struct hint *hint)
{
    size_t count = 0;
    for (size_t i = 0; i < around->container_count; i++)
        if (near_name(name, around->containers[i].name))
            say(hint, "%s\"%s\"", count++ ? ", " : before, around->containers[i].name);
    return count;
}

static bool hint_name(const struct rule_trace *trace, const struct rule_surroundings *around,
                      struct hint *hint)
{
    const struct rule_glob *glob = &trace->token->glob;
    const char *name = glob->alternatives;
    size_t near = 0;
    say(hint, "no container of this name is registered");
    if (around->container_count == 0)
        say(hint, ", nor any other");
    for (size_t i = 0; glob->is_literal && i < glob->count; i++, name = rule_glob_next(name))
        near += list_near(name, around, near ? ", " : ": is this meant? ", hint);
    return true;
}

static bool hint_container(const struct rule_trace *trace, const struct rule_surroundings *around,
                           struct hint *hint)
{
    if (trace->token->op == RULE_NOT_EQUAL || is_for_another(trace, around))
        return false;
    return trace->token->argument ? hint_label(trace, hint) : hint_name(trace, around, hint);
}

void rule_hint_unregistered(const char *name, const struct rule_surroundings *around,
                            char text[static RULE_HINT_MAX])
{
    struct hint hint = {.text = text};
    say(&hint, "no container \"%s\" is registered", name);
    (void)list_near(name, around, ": is this meant? ", &hint);
}

/* --- keys of the device itself */

static bool has_parent_form(enum rule_key key)
{
    return key == RULE_KEY_ATTR || key == RULE_KEY_KERNEL || key == RULE_KEY_SUBSYSTEM ||
           key == RULE_KEY_DRIVER || key == RULE_KEY_TAG;
}

/* "ATTR{idVendor}", or with its S. */
static void say_key(const struct rule_token *token, const char *s, struct hint *hint)
{
    say(hint, "%s%s", token->info->name, s);
    if (token->argument)
        say(hint, "{%s}", token->argument);
}

/* Whether all that the rule asks of parents holds there. */
static bool meets_parent_keys(const struct rule_trace *trace, struct device *parent)
{
    const struct rule_token *end = rule_group_end(trace->rule, RULE_GROUP_PARENT);
    bool matches = true;
    for (const struct rule_token *token = rule_group_begin(trace->rule, RULE_GROUP_PARENT);
         matches && token < end; token++)
        (void)asked_of(trace->state, parent, token, &matches);
    return matches;
}

/*
 * The nearest parent that would match, but rather one that meets the rule's parent keys too: at any
 * other, the key would contradict them.
 */
static struct device *find_matching_parent(const struct rule_trace *trace, bool *ret_fits)
{
    struct device *nearest = NULL;
    for (struct device *parent = device_parent(trace->state->device); parent;
         parent = device_parent(parent)) {
        bool matches = false;
        (void)asked_of(trace->state, parent, trace->token, &matches);
        if (!matches)
            continue;
        nearest = nearest ? nearest : parent;
        *ret_fits = meets_parent_keys(trace, parent);
        if (*ret_fits)
            return parent;
    }
    return nearest;
}

/* Whether the rule may be for that parent itself. */
static bool may_be_for(const struct rule_trace *trace, struct device *parent)
{
    const struct rule_token *end = rule_group_end(trace->rule, RULE_GROUP_DEVICE);
    bool matches = true;
    for (const struct rule_token *token = trace->rule->tokens; matches && token < end; token++)
        if (has_parent_form(token->info->key))
            (void)asked_of(trace->state, parent, token, &matches);
    return matches;
}

/* A parent that would match. Which of the two is meant only the rule's writer knows. */
static bool hint_matching_parent(const struct rule_trace *trace, struct hint *hint)
{
    const struct rule_token *token = trace->token;
    bool fits = false;
    struct device *parent = token->op == RULE_EQUAL ? find_matching_parent(trace, &fits) : NULL;
    if (!parent)
        return false;
    bool for_parent = may_be_for(trace, parent);
    say_key(token, "", hint);
    say(hint, " is asked of the device itself, but it is its parent %s that matches",
        parent->devpath);
    if (for_parent)
        say(hint, ": right if only that is meant");
    if (!fits)
        return true;
    say(hint, for_parent ? "; for all below it, write " : ": write ");
    say_key(token, "S", hint);
    return true;
}

/* A parent that has the attribute, if not of this value. */
static bool hint_attribute_above(const struct rule_trace *trace, struct hint *hint)
{
    const struct rule_token *token = trace->token;
    bool matches;
    if (token->info->key != RULE_KEY_ATTR || trace->value)
        return false;
    for (struct device *parent = device_parent(trace->state->device); parent;
         parent = device_parent(parent)) {
        const char *value = asked_of(trace->state, parent, token, &matches);
        if (!value)
            continue;
        say(hint, "the device itself has no %s, its parent %s has \"%s\": ", token->argument,
            parent->devpath, value);
        say_key(token, "S", hint);
        say(hint, " asks the parents too");
        return true;
    }
    return false;
}

/* The rule's writer may not know that != needs an attribute. */
static bool hint_absent(const struct rule_trace *trace, struct hint *hint)
{
    enum rule_key key = trace->token->info->key;
    if ((key != RULE_KEY_ATTR && key != RULE_KEY_ATTRS) || trace->value ||
        trace->token->op != RULE_NOT_EQUAL)
        return false;
    say(hint, "an attribute that is not there meets neither == nor !=");
    return true;
}

static bool hint_device(const struct rule_trace *trace, struct hint *hint)
{
    if (says_likeness(hint, trace->token, trace->value))
        return true;
    if (has_parent_form(trace->token->info->key) &&
        (hint_matching_parent(trace, hint) || hint_attribute_above(trace, hint)))
        return true;
    return hint_absent(trace, hint);
}

/* --- keys that one and the same parent must answer */

/* The nearest device, from this one upwards, at which the token alone holds. */
static const struct device *find_match(struct rule_state *state, const struct rule_token *token)
{
    bool matches;
    for (struct device *device = state->device; device; device = device_parent(device)) {
        (void)asked_of(state, device, token, &matches);
        if (matches)
            return device;
    }
    return NULL;
}

static bool hint_mixed_parents(const struct rule_trace *trace, struct hint *hint)
{
    const struct rule_token *end = rule_group_end(trace->rule, RULE_GROUP_PARENT);
    const struct rule_token *begin = rule_group_begin(trace->rule, RULE_GROUP_PARENT);
    if (!find_match(trace->state, trace->token))
        return false;
    say(hint, "a rule's parent keys must all match at one and the same device, and here");
    for (const struct rule_token *token = begin; token < end; token++) {
        const struct device *device = find_match(trace->state, token);
        say(hint, "%s %s matches %s%s", token > begin ? "," : "", token->written,
            device ? "at " : "nowhere", device ? device->devpath : "");
    }
    return true;
}

static bool hint_parents(const struct rule_trace *trace, struct hint *hint)
{
    bool matches;
    if (hint_mixed_parents(trace, hint))
        return true;
    for (struct device *device = trace->state->device; device; device = device_parent(device))
        if (says_likeness(hint, trace->token,
                          asked_of(trace->state, device, trace->token, &matches)))
            return true;
    return hint_absent(trace, hint);
}

static bool hint_failure(const struct rule_trace *trace, const struct rule_surroundings *around,
                         struct hint *hint)
{
    const struct rule_token *token = trace->token;
    if (token->info->key == RULE_KEY_CONTAINER)
        return hint_container(trace, around, hint);
    if (token->info->key == RULE_KEY_ACTION)
        return hint_action(token, hint);
    if (token->info->key == RULE_KEY_ENV && streq(token->argument, "ACTION"))
        return hint_action(token, hint);
    if (token->info->key == RULE_KEY_TEST)
        return false; /* not compared with a value */
    return rule_key_is_parent(token->info->key) ? hint_parents(trace, hint)
                                                : hint_device(trace, hint);
}

bool rule_hint(const struct rule_trace *trace, const struct rule_surroundings *around,
               char text[static RULE_HINT_MAX])
{
    struct hint hint = {.text = text};
    if (!trace->rule)
        return false;
    if (trace->verdict == RULE_WAITS)
        return hint_udev(trace, around, &hint);
    if (trace->verdict != RULE_NO_MATCH || !trace->token)
        return false;

    char *scratch = TAKE_PTR(trace->state->scratch); /* the trace's value may be in it */
    bool told = hint_failure(trace, around, &hint);
    free(trace->state->scratch);
    trace->state->scratch = scratch;
    return told;
}
