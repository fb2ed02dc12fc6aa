/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/announcement.h"

int announcement_from_device(const struct device *device, struct uevent *ret)
{
    int r = uevent_init(ret, UEVENT_ADD, device->devpath);
    if (r < 0)
        return r;
    if (*device->subsystem)
        (void)uevent_set(ret, "SUBSYSTEM", device->subsystem);
    for (size_t i = 0; i < device->properties.count; i++) {
        const struct property *property = &device->properties.items[i];
        if (!streq(property->key, "DEVPATH") && !streq(property->key, "SUBSYSTEM"))
            (void)uevent_set(ret, property->key, property->value);
    }
    return 0;
}

unsigned announcement_for_grant(struct uevent *event, const struct grant *grant)
{
    unsigned left_out = 0;
    const char *below = grant->node ? after_prefix(grant->node, "/dev/") : NULL;

    if (below && uevent_get(event, "DEVNAME"))
        left_out += uevent_set(event, "DEVNAME", below) < 0;
    for (size_t i = 0; i < grant->env.count; i++)
        left_out += uevent_set(event, grant->env.items[i].key, grant->env.items[i].value) < 0;
    return left_out;
}
