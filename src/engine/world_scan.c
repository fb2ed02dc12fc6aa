/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking at sysfs: one device, or all of it against all that is known. */
#include <errno.h>

#include "engine/world_state.h"

int world_read(struct world *world, const char *devpath, struct device **ret)
{
    return world->source.read(world->source.userdata, devpath, &world->device_source, ret);
}

int world_read_again(struct world *world, const char *devpath, const struct device *known,
                     struct device **ret)
{
    struct device *fresh = NULL;
    int r = world_read(world, devpath, &fresh);
    if (r > 0 && known && device_same(known, fresh) && known->subsystem[0] &&
        !fresh->subsystem[0]) {
        device_free(fresh);
        return 0;
    }
    if (r > 0)
        *ret = fresh;
    return r;
}

struct scan {
    struct world *world;
    struct device **found;
    size_t count;
    int again; /* 1: something is to be looked at later */
};

static int on_devpath(void *userdata, const char *devpath)
{
    struct scan *scan = userdata;
    struct device *device = NULL;
    int r = world_read(scan->world, devpath, &device);
    if (r < 0)
        scan->again = 1; /* it is there, and we could not look: nothing follows from that */
    if (r <= 0)
        return 0;
    if (ended_has(&scan->world->ended, device)) {
        device_free(device);
        scan->again = 1;
        return 0;
    }
    struct device **slot = array_add(&scan->found, &scan->count, sizeof(*scan->found));
    if (!slot) {
        device_free(device);
        return -ENOMEM;
    }
    *slot = device;
    return 0;
}

static int compare_devpaths(const void *a, const void *b)
{
    const struct device *const *left = a, *const *right = b;
    return strcmp((*left)->devpath, (*right)->devpath);
}

static bool scan_has(const struct scan *scan, const struct device *device)
{
    struct device **hit = scan->count ? bsearch(&device, scan->found, scan->count,
                                                sizeof(*scan->found), compare_devpaths)
                                      : NULL;
    return hit && device_same(*hit, device);
}

/* A device that the enumeration left out: gone, or merely not seen? Only sysfs itself may say so.
 */
static void miss(struct scan *scan, struct device *known)
{
    struct device *fresh = NULL;
    if (away_is_out(&scan->world->away, known->devpath))
        return;
    int r = world_read(scan->world, known->devpath, &fresh);
    if (r < 0 || (r > 0 && device_same(known, fresh)))
        scan->again = 1;
    else
        world_vanish(scan->world, known, NULL);
    device_free(fresh);
}

/* What is gone or was replaced vanishes, children first. */
static void end_missed(struct scan *scan)
{
    for (size_t i = scan->world->count; i > 0; i--)
        if (!scan_has(scan, scan->world->devices[i - 1]))
            miss(scan, scan->world->devices[i - 1]);
}

static int take_in(struct world *world, struct device *fresh_take)
{
    struct device *known = world_find(world, fresh_take->devpath);
    if (known && away_is_out(&world->away, known->devpath)) {
        device_free(fresh_take);
        return 0;
    }
    if (known && !device_same(known, fresh_take))
        world_vanish(world, TAKE_PTR(known), NULL);
    if (!known && world->counters.scans > 1)
        world_note_arrival(world, fresh_take, NULL);
    if (known)
        device_inherit(fresh_take, known);
    if (!fresh_take->initialised)
        world_ask_udev(world, fresh_take);
    if (!known)
        return world_appear(world, fresh_take, NULL);
    world_refresh(world, fresh_take, NULL);
    return 0;
}

static void scan_done(struct scan *scan)
{
    for (size_t i = 0; i < scan->count; i++)
        device_free(scan->found[i]);
    free(scan->found);
}

int world_scan(struct world *world)
{
    _cleanup_(scan_done) struct scan scan = {.world = world};
    world->counters.scans++;
    world_sweep(world);

    int r = world->source.enumerate(world->source.userdata, on_devpath, &scan);
    if (r < 0)
        return r;
    if (scan.count)
        qsort(scan.found, scan.count, sizeof(*scan.found), compare_devpaths);
    end_missed(&scan);
    for (size_t i = 0; r >= 0 && i < scan.count; i++)
        r = take_in(world, TAKE_PTR(scan.found[i]));
    return r < 0 ? r : scan.again;
}
