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

void world_note_arrival(const struct world *world, struct device *device,
                        const struct uevent *event)
{
    const struct world_source *source = &world->source;
    if (event)
        device->since = event->seqnum;
    else
        device->since = source->read_seqnum ? source->read_seqnum(source->userdata) : 0;
    device->since_us = now_us();
}

/*
 * A udevd that has nothing to do may not have heard yet that a device went and another came, so
 * that its notes are of the one that went. It hears within this time.
 */
static bool is_new(const struct device *device)
{
    return device->since_us && now_us() - device->since_us < WORLD_NEW_US;
}

void world_ask_udev(const struct world *world, struct device *device)
{
    struct udev_view view = {0};
    if (!is_new(device) && read_udev(world, device, &view) > 0)
        device_take_udev(device, &view);
}

bool world_describe(struct world *world, const char *devpath, uint64_t seqnum,
                    struct udev_view *view_take)
{
    struct device *device = world_find(world, devpath);
    bool out = away_is_out(&world->away, devpath); /* then another has its name */
    if (device && !out && seqnum >= device->since)
        take_in(world, device, seqnum, view_take);
    else
        udev_view_done(view_take);
    return device;
}

int world_describe_all(struct world *world, bool all)
{
    int again = 0;
    for (size_t i = 0; i < world->count; i++) {
        struct device *device = world->devices[i];
        struct udev_view view = {0};
        bool out = away_is_out(&world->away, device->devpath); /* what was said of it stays */
        if (device->initialised && (!all || out))
            continue;
        int r = read_udev(world, device, &view);
        if (r > 0 && !is_new(device))
            take_in(world, device, world->seqnum, &view);
        else if (r != 0) {
            again = 1;
            udev_view_done(&view);
        }
    }
    return again;
}

bool world_is_described(const struct world *world, const struct device *device, uint64_t seqnum)
{
    const struct world_source *source = &world->source;
    if (!source->has_udev || !source->has_udev(source->userdata) ||
        away_is_out(&world->away, device->devpath))
        return true;
    return seqnum ? device->described >= seqnum : device->initialised;
}
