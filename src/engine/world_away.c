/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Interfaces that are in containers, and come back. */
#include "engine/world_state.h"

/* What udev says of it from here on is of its next stay: now it is removed. */
void world_interface_left(struct world *world, const char *devpath, uint64_t inode)
{
    struct device *device = world_find(world, devpath);
    (void)away_leave(&world->away, devpath, inode); /* without memory it comes home again */
    if (device && device->inode == inode)
        world_note_arrival(world, device, NULL);
}

/* To udevd it is a new one: its notes are to be its own again before they are believed. */
static void begin_stay(struct device *device)
{
    udev_view_done(&device->udev);
    device->initialised = false;
    device->since_us = now_us();
}

void world_interface_returned(struct world *world, uint64_t inode)
{
    away_return(&world->away, inode);
    for (size_t i = 0; i < world->count; i++)
        if (world->devices[i]->inode == inode && device_is_interface(world->devices[i]))
            begin_stay(world->devices[i]);
}

void world_interface_lost(struct world *world, uint64_t inode)
{
    away_lose(&world->away, inode);
}

struct device *world_find_away(struct world *world, const char *name)
{
    static const char *const prefixes[] = {"net:", "/sys/class/net/"};
    const char *devpath = after_prefix(name, "/sys/devices/") ? after_prefix(name, "/sys") : name;
    for (size_t i = 0; i < world->count; i++) {
        struct device *device = world->devices[i];
        bool same = streq(device->devpath, devpath);
        for (size_t p = 0; !same && p < ARRAY_SIZE(prefixes); p++)
            same = streq_null(after_prefix(name, prefixes[p]), device->sysname);
        if (same && away_is_out(&world->away, device->devpath))
            return device;
    }
    return NULL;
}

void world_forget_attributes(const struct world *world, struct device *device)
{
    if (!away_is_out(&world->away, device->devpath))
        device_forget_attributes(device);
}

/* Somebody inside may have sent it home. */
void world_sweep(struct world *world)
{
    char *devpath;
    for (uint64_t inode; (devpath = away_pop_lost(&world->away, &inode)); free(devpath)) {
        struct device *known = world_find(world, devpath), *fresh = NULL;
        if (!known || known->inode != inode)
            continue;
        if (world_read(world, devpath, &fresh) > 0 && device_same(known, fresh)) {
            begin_stay(known);
            world_refresh(world, fresh, NULL);
            continue;
        }
        device_free(fresh);
        world_vanish(world, known, NULL);
    }
}

void world_end_same_interface(struct world *world, const struct device *device)
{
    for (size_t i = 0; device_is_interface(device) && i < world->count; i++)
        if (world->devices[i]->inode == device->inode && device_is_interface(world->devices[i])) {
            world_vanish(world, world->devices[i], NULL);
            return;
        }
}

bool world_is_in_place(struct world *world, const struct device *known)
{
    struct device *fresh = NULL;
    bool same = world_read(world, known->devpath, &fresh) > 0 && device_same(known, fresh);
    device_free(fresh);
    return same;
}
