/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_state.h"

#include <errno.h>
#include <stdio.h>

#include "model/rule_reference.h"
#include "model/rule_udev.h"

void rule_state_init(struct rule_state *state, struct device *device,
                     const struct rule_container *container)
{
    *state = (struct rule_state){
        .device = device,
        .container = container,
        .share = {.mode = -1},
    };
    if (device->devname)
        (void)snprintf(state->devnode, sizeof(state->devnode), "/dev/%s", device->devname);
}

void rule_state_done(struct rule_state *state)
{
    share_done(&state->share);
    free(state->waiting);
    free(state->scratch);
}

const char *rule_state_devnode(const struct rule_state *state)
{
    return state->device->devname ? state->devnode : NULL;
}

/* What the kernel says of a device's place and node is not udev's to contradict. */
static bool is_the_kernels(const char *key)
{
    static const char *const keys[] = {"DEVPATH", "SUBSYSTEM", "DEVTYPE",
                                       "MAJOR",   "MINOR",     "IFINDEX"};
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (streq(keys[i], key))
            return true;
    return false;
}

const char *rule_state_property(const struct rule_state *state, const char *key)
{
    const struct device *device = state->device;
    const char *value = property_get(&state->share.env, key);
    if (value)
        return value[0] ? value : NULL; /* ENV{key}="" */
    if (streq(key, "ACTION"))
        return "add";
    /* the kernel says "ttyUSB0" here and udev "/dev/ttyUSB0", which is what its rules are written
     * for */
    if (streq(key, "DEVNAME"))
        return rule_state_devnode(state);
    if (streq(key, "DRIVER")) /* of a few devices only the link tells, not the `uevent` file */
        return device->driver;
    if (is_the_kernels(key))
        return property_get(&device->properties, key);
    value = property_get(&device->udev.properties, key);
    /* a device's own descriptors can get lines into its uevent file, but never speak for udev */
    return value || rule_udev_knows(key, strlen(key)) ? value
                                                      : property_get(&device->properties, key);
}

static bool is_waiting(const struct rule_state *state, const char *key, size_t length)
{
    for (size_t i = 0; i < state->waiting_count; i++)
        if (strncmp(state->waiting[i], key, length) == 0 && state->waiting[i][length] == '\0')
            return true;
    return false;
}

static bool is_set(const struct rule_state *state, const char *key, size_t length)
{
    const struct property_list *env = &state->share.env;
    for (size_t i = 0; i < env->count; i++)
        if (strncmp(env->items[i].key, key, length) == 0 && env->items[i].key[length] == '\0')
            return true;
    return false;
}

bool rule_state_property_waits(const struct rule_state *state, const char *key, size_t length)
{
    if (state->device->initialised)
        return false;
    return is_waiting(state, key, length) ||
           (rule_udev_knows(key, length) && !is_set(state, key, length));
}

int rule_state_wait_for(struct rule_state *state, const char *key)
{
    const char **slot = array_add(&state->waiting, &state->waiting_count, sizeof(*slot));
    if (!slot)
        return -ENOMEM;
    *slot = key;
    return 0;
}

void rule_state_settle(struct rule_state *state, const char *key)
{
    for (size_t i = 0; i < state->waiting_count; i++)
        if (streq(state->waiting[i], key))
            state->waiting[i] = "";
}

int rule_state_reference(const struct rule_state *state, const char *text, char **ret)
{
    struct rule_reference reference;
    const struct device_source *source = state->device->source;
    const struct host_facts *facts = source ? source->facts : NULL;
    if (!facts || !facts->read_reference || !rule_reference_read(text, &reference) ||
        reference.attribute[0] == '\0')
        return 0;
    return facts->read_reference(facts->userdata, reference.subsystem, reference.sysname,
                                 reference.attribute, ret);
}
