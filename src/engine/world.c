/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/world.h"

#include <errno.h>

#include "engine/world_state.h"

static int read_attribute(void *userdata, const struct device *device, const char *name, char **ret)
{
    struct world *world = userdata;
    return world->source.read_attribute(world->source.userdata, device, name, ret);
}

static struct device *find_parent(void *userdata, const struct device *device)
{
    _cleanup_free_ char *path = strdup(device->devpath);
    if (!path)
        return NULL;
    for (char *slash; (slash = strrchr(path, '/')) && slash != path;) {
        *slash = '\0';
        struct device *parent = world_find(userdata, path);
        if (parent)
            return parent;
    }
    return NULL;
}

struct world *world_new(const struct world_source *source, const struct world_listener *listener)
{
    struct world *world = calloc(1, sizeof(*world));
    if (!world)
        return NULL;
    world->source = *source;
    world->listener = *listener;
    world->device_source = (struct device_source){
        .read_attribute = read_attribute,
        .parent = find_parent,
        .userdata = world,
        .facts = source->facts,
    };
    return world;
}

void world_free(struct world *world)
{
    if (!world)
        return;
    for (size_t i = 0; i < world->count; i++)
        device_free(world->devices[i]);
    free(world->devices);
    away_done(&world->away);
    free(world);
}

/* Where `devpath` is, or would be. */
static size_t position_of(const struct world *world, const char *devpath, bool *ret_there)
{
    size_t low = 0, high = world->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(world->devices[middle]->devpath, devpath);
        if (order == 0) {
            *ret_there = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_there = false;
    return low;
}

struct device *world_find(struct world *world, const char *devpath)
{
    bool there;
    size_t at = position_of(world, devpath, &there);
    return there ? world->devices[at] : NULL;
}

/* The place of the next device at or behind `from` that is `head` or below it; count: none. */
static size_t first_within(const struct world *world, const char *head, size_t from)
{
    bool there;
    size_t at = position_of(world, head, &there);
    for (at = at > from ? at : from; at < world->count; at++) {
        const char *rest = after_prefix(world->devices[at]->devpath, head);
        if (!rest)
            return world->count;
        if (!*rest || *rest == '/') /* else a neighbour: "eth0.5" stands between */
            return at;
    }
    return world->count;
}

static int insert(struct world *world, struct device *device)
{
    bool there;
    size_t at = position_of(world, device->devpath, &there);
    if (!array_add(&world->devices, &world->count, sizeof(*world->devices)))
        return -ENOMEM;
    memmove(&world->devices[at + 1], &world->devices[at],
            (world->count - 1 - at) * sizeof(*world->devices));
    world->devices[at] = device;
    return 0;
}

static void take_out(struct world *world, size_t at)
{
    world->count--;
    memmove(&world->devices[at], &world->devices[at + 1],
            (world->count - at) * sizeof(*world->devices));
}

void world_tell(struct world *world, enum world_news news, struct device *device,
                const char *old_devpath, const struct uevent *event)
{
    world->listener.on_news(world->listener.userdata, news, device, old_devpath, event);
}

/* The device leaves the array before anybody is told, so that what is desired of it is nothing. */
void world_vanish(struct world *world, struct device *device, const struct uevent *event)
{
    bool there;
    size_t at = position_of(world, device->devpath, &there);
    if (there)
        take_out(world, at);
    world_tell(world, DEVICE_VANISHED, device, NULL, event);
    device_free(device);
}

/* The kernel gives a number to one device at a time: who has it now is not who had it. */
static void end_same_number(struct world *world, const struct device *device)
{
    for (size_t i = 0; device->number.kind != NODE_NONE && i < world->count; i++)
        if (devnum_equal(&world->devices[i]->number, &device->number) &&
            !streq(world->devices[i]->devpath, device->devpath)) {
            world_vanish(world, world->devices[i], NULL);
            return;
        }
}

int world_appear(struct world *world, struct device *device_take, const struct uevent *event)
{
    end_same_number(world, device_take);
    world_end_same_interface(world, device_take);
    if (!device_take->subsystem[0])
        device_take->initialised = true; /* udev is never told of it */
    int r = insert(world, device_take);
    if (r < 0) {
        device_free(device_take);
        return r;
    }
    world_tell(world, DEVICE_APPEARED, device_take, NULL, event);
    return 0;
}

/* The same incarnation, read again. */
void world_refresh(struct world *world, struct device *fresh_take, const struct uevent *event)
{
    bool there;
    size_t at = position_of(world, fresh_take->devpath, &there);
    if (!fresh_take->initialised)
        device_inherit(fresh_take, world->devices[at]);
    device_free(world->devices[at]);
    world->devices[at] = fresh_take;
    world_tell(world, DEVICE_UPDATED, fresh_take, NULL, event);
}
void world_rename(struct world *world, struct device *old, struct device *fresh_take,
                  const struct uevent *event, bool told)
{
    bool known;
    device_inherit(fresh_take, old);
    fresh_take->since = event->seqnum;
    take_out(world, position_of(world, old->devpath, &known));
    if (insert(world, fresh_take) < 0) { /* there is room: one was just taken out */
        device_free(fresh_take);
        fresh_take = NULL;
    }
    if (fresh_take)
        world_tell(world, DEVICE_MOVED, fresh_take, old->devpath, told ? event : NULL);
    device_free(old);
}

struct device *world_first_within(struct world *world, const char *head)
{
    size_t at = first_within(world, head, 0);
    return at < world->count ? world->devices[at] : NULL;
}

size_t world_count(const struct world *world)
{
    return world->count;
}

void world_each(struct world *world, void (*fn)(void *userdata, struct device *device),
                void *userdata)
{
    for (size_t i = 0; i < world->count; i++)
        fn(userdata, world->devices[i]);
}

void world_each_below(struct world *world, const char *devpath,
                      void (*fn)(void *userdata, struct device *device), void *userdata)
{
    for (size_t at = 0; (at = first_within(world, devpath, at)) < world->count; at++)
        if (!streq(world->devices[at]->devpath, devpath))
            fn(userdata, world->devices[at]);
}

void world_each_below_reversed(struct world *world, const char *devpath,
                               void (*fn)(void *userdata, struct device *device), void *userdata)
{
    size_t first = first_within(world, devpath, 0), last = first;
    for (size_t at = first; (at = first_within(world, devpath, at)) < world->count; at++)
        last = at + 1;
    for (size_t at = last; at-- > first;) {
        const char *rest = after_prefix(world->devices[at]->devpath, devpath);
        if (rest && *rest == '/') /* else itself, or a neighbour */
            fn(userdata, world->devices[at]);
    }
}

const struct world_counters *world_counters(const struct world *world)
{
    return &world->counters;
}
