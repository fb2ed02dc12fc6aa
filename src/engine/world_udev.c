/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What udev adds to what sysfs shows of a device. */
#include "engine/world_state.h"

static bool names_equal(const struct name_list *a, const struct name_list *b)
{
    for (size_t i = 0; i < a->count; i++)
        if (!name_list_has(b, a->items[i]))
            return false;
    return a->count == b->count;
}

static bool view_equal(const struct udev_view *a, const struct udev_view *b)
{
    return property_list_equal(&a->properties, &b->properties) && names_equal(&a->tags, &b->tags) &&
           names_equal(&a->links, &b->links);
}

/* `seqnum`: of the event that udev is done with. */
static void take_in(struct world *world, struct device *device, uint64_t seqnum,
                    struct udev_view *view_take)
{
    if (seqnum > device->described)
        device->described = seqnum;
    bool known = device->initialised && view_equal(&device->udev, view_take);
    device_take_udev(device, view_take);
    world_tell(world, known ? DEVICE_DONE : DEVICE_DESCRIBED, device, NULL, NULL);
}

/* Returns as read_udev of the source does. */
static int read_udev(const struct world *world, const struct device *device, struct udev_view *ret)
{
    const struct world_source *source = &world->source;
    return source->read_udev ? source->read_udev(source->userdata, device, ret) : 0;
}

bool world_ask_udev(const struct world *world, struct device *device)
{
    struct udev_view view = {0};
    int r = read_udev(world, device, &view);
    if (r > 0)
        device_take_udev(device, &view);
    return r >= 0;
}

void world_describe(struct world *world, const char *devpath, uint64_t seqnum,
                    struct udev_view *view_take)
{
    struct device *device = world_find(world, devpath);
    if (device && seqnum >= device->since)
        take_in(world, device, seqnum, view_take);
    else
        udev_view_done(view_take);
}

int world_describe_all(struct world *world)
{
    int again = 0;
    for (size_t i = 0; i < world->count; i++) {
        struct udev_view view = {0};
        int r = read_udev(world, world->devices[i], &view);
        if (r > 0)
            take_in(world, world->devices[i], world->seqnum, &view);
        else if (r < 0)
            again = 1;
    }
    return again;
}

bool world_is_described(const struct world *world, const struct device *device, uint64_t seqnum)
{
    const struct world_source *source = &world->source;
    if (!source->has_udev || !source->has_udev(source->userdata))
        return true;
    return seqnum ? device->described >= seqnum : device->initialised;
}
