/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_token.h"

#include "model/rule_assign.h"
#include "model/rule_reference.h"
#include "model/rule_substitute.h"

static const struct host_facts *facts_of(const struct rule_state *state)
{
    static const struct host_facts none = {0};
    const struct device_source *source = state->device->source;
    return source && source->facts ? source->facts : &none;
}

/* A value that nobody else keeps lives until the next one. */
static const char *keep(struct rule_state *state, char *value_take)
{
    free(state->scratch);
    state->scratch = value_take;
    return value_take;
}

/* The token's argument for this device; NULL where it comes out too long. */
static const char *name_of(const struct rule_state *state, const struct rule_token *token,
                           char buffer[static RULE_VALUE_MAX])
{
    if (!token->substitutes)
        return token->argument;
    return rule_substitute(state, token->argument, false, buffer) < 0 ? NULL : buffer;
}

static const char *attribute_of(struct rule_state *state, struct device *device,
                                const struct rule_token *token)
{
    char buffer[RULE_VALUE_MAX];
    char *value = NULL;
    const char *name = name_of(state, token, buffer);
    if (!name)
        return NULL;
    if (!rule_reference_is(name))
        return device_attribute(device, name);
    return rule_state_reference(state, name, &value) > 0 ? keep(state, value) : NULL;
}

static const char *sysctl_of(struct rule_state *state, const struct rule_token *token)
{
    char buffer[RULE_VALUE_MAX];
    char *value = NULL;
    const struct host_facts *facts = facts_of(state);
    const char *name = name_of(state, token, buffer);
    if (!name || !facts->read_sysctl || facts->read_sysctl(facts->userdata, name, &value) <= 0)
        return NULL;
    return keep(state, value);
}

/* What `device` has to say to the key of `token`; NULL where it has no such thing. */
static const char *value_of(struct rule_state *state, struct device *device,
                            const struct rule_token *token)
{
    const struct host_facts *facts = facts_of(state);
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
        return attribute_of(state, device, token);
    case RULE_KEY_ENV:
        return rule_state_property(state, token->argument);
    case RULE_KEY_NAME:
        return state->share.name;
    case RULE_KEY_SYSCTL:
        return sysctl_of(state, token);
    case RULE_KEY_CONST:
        return facts->constant ? facts->constant(facts->userdata, token->argument) : NULL;
    case RULE_KEY_TAG:
    case RULE_KEY_TAGS:
    case RULE_KEY_SYMLINK:
    case RULE_KEY_TEST:
    case RULE_KEY_CONTAINER:
    case RULE_KEY_NODE:
    case RULE_KEY_OWNER:
    case RULE_KEY_GROUP:
    case RULE_KEY_MODE:
    case RULE_KEY_ACCESS:
    case RULE_KEY_OPTIONS:
    case RULE_KEY_GOTO:
    case RULE_KEY_LABEL:
    case RULE_KEY_NONE:
        return NULL; /* not one value of a device */
    }
    return NULL;
}

/* One that matches is enough. *ret_value: that one, or else the first. */
static bool any_matches(const struct rule_token *token, char *const *names, size_t count,
                        const char *prefix, const char **ret_value)
{
    for (size_t i = 0; i < count; i++) {
        const char *name = after_prefix(names[i], prefix);
        if (!*ret_value)
            *ret_value = name;
        if (!name || !rule_glob_matches(&token->glob, name))
            continue;
        *ret_value = name;
        return true;
    }
    return false;
}

/* Links of udev's on the host, and those that earlier rules gave. */
static bool links_match(const struct rule_state *state, const struct rule_token *token,
                        const char **ret_value)
{
    const struct name_list *links = &state->device->udev.links;
    const struct share *share = &state->share;
    return any_matches(token, share->symlinks, share->symlink_count, "/dev/", ret_value) ||
           any_matches(token, links->items, links->count, "/dev/", ret_value);
}

/* *ret_value: where it was looked for. */
static bool file_is_there(struct rule_state *state, const struct rule_token *token,
                          const char **ret_value)
{
    char path[RULE_VALUE_MAX];
    const struct host_facts *facts = facts_of(state);
    if (rule_substitute(state, token->value, false, path) < 0)
        return false;
    *ret_value = keep(state, strdup(path));
    return facts->test_path &&
           facts->test_path(facts->userdata, state->device, path, token->number);
}

/* An attribute that is not there meets neither == nor !=. */
static bool attribute_matches(struct rule_state *state, struct device *device,
                              const struct rule_token *token, const char **ret_value)
{
    *ret_value = value_of(state, device, token);
    return *ret_value &&
           rule_glob_matches_attribute(&token->glob, *ret_value) == (token->op == RULE_EQUAL);
}

static bool is_equal(struct rule_state *state, struct device *device,
                     const struct rule_token *token, const char **ret_value)
{
    enum rule_key key = token->info->key;
    const struct name_list *tags = &device->udev.tags;
    if (key == RULE_KEY_CONTAINER)
        return rule_container_named(state, token, ret_value);
    if (key == RULE_KEY_TAG || key == RULE_KEY_TAGS)
        return any_matches(token, tags->items, tags->count, "", ret_value);
    if (key == RULE_KEY_SYMLINK)
        return links_match(state, token, ret_value);
    if (key == RULE_KEY_TEST)
        return file_is_there(state, token, ret_value);
    *ret_value = value_of(state, device, token);
    return rule_glob_matches(&token->glob, *ret_value);
}

bool rule_token_matches(struct rule_state *state, struct device *device,
                        const struct rule_token *token, const char **ret_value)
{
    *ret_value = NULL;
    if (token->info->key == RULE_KEY_ATTR || token->info->key == RULE_KEY_ATTRS)
        return attribute_matches(state, device, token, ret_value);
    return is_equal(state, device, token, ret_value) == (token->op == RULE_EQUAL);
}

bool rule_token_waits(const struct rule_state *state, const struct rule_token *token)
{
    enum rule_key key = token->info->key;
    bool is_match = rule_operator_is_match(token->op);
    if (state->device->initialised || (!token->reads_udev && state->waiting_count == 0))
        return false;
    if (is_match && (key == RULE_KEY_TAG || key == RULE_KEY_TAGS || key == RULE_KEY_SYMLINK))
        return true;
    if (key == RULE_KEY_ENV && (is_match || token->op == RULE_ADD) &&
        rule_state_property_waits(state, token->argument, strlen(token->argument)))
        return true;
    if (key == RULE_KEY_NAME && is_match &&
        rule_state_property_waits(state, token->info->name, strlen(token->info->name)))
        return true;
    return (token->substitutes && rule_substitute_waits(state, token->argument)) ||
           (token->value && rule_substitute_waits(state, token->value));
}
