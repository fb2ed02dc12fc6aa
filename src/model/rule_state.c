/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_state.h"

#include <stdio.h>

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
}

const char *rule_state_devnode(const struct rule_state *state)
{
    return state->device->devname ? state->devnode : NULL;
}

const char *rule_state_property(const struct rule_state *state, const char *key)
{
    const char *value = property_get(&state->share.env, key);
    if (value)
        return value;
    if (streq(key, "ACTION"))
        return "add";
    /* the kernel says "ttyUSB0" here and udev "/dev/ttyUSB0", which is what its rules are written
     * for */
    if (streq(key, "DEVNAME"))
        return rule_state_devnode(state);
    return property_get(&state->device->properties, key);
}
