/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What one event of the kernel's does to what we know. What a real `remove` ended is remembered for
 * a moment (ended.h): a directory that is about to go is passed over, and the caller is asked to
 * look again.
 */
#include <errno.h>
#include <stdio.h>

#include "engine/world_state.h"

static void end_known(struct world *world, const char *devpath, const struct uevent *event)
{
    struct device *known = world_find(world, devpath);
    if (away_take_removal(&world->away, devpath))
        return;
    ended_remember(&world->ended, devpath, known ? known->inode : 0);
    if (known)
        world_vanish(world, known, event);
}

/* A device without subsystem: no event tells of it, so that it is looked at when a child comes. */
static int meet_parent(struct world *world, const char *devpath)
{
    struct device *fresh = NULL, *known = world_find(world, devpath);
    if (known && known->subsystem[0])
        return 0;
    int r = world_read(world, devpath, &fresh);
    if (r <= 0)
        return r;
    if (fresh->subsystem[0] || (known && device_same(known, fresh))) {
        device_free(fresh);
        return 0;
    }
    if (known)
        world_vanish(world, known, NULL);
    return world_appear(world, fresh, NULL);
}

static int meet_parents(struct world *world, const char *devpath)
{
    _cleanup_free_ char *path = strdup(devpath);
    if (!path)
        return -ENOMEM;
    int r = 0;
    for (char *slash = strchr(path + 1, '/'); r == 0 && slash && (slash = strchr(slash + 1, '/'));
         *slash = '/') {
        *slash = '\0';
        r = meet_parent(world, path);
    }
    return r;
}

/* What an event says of a device that was not known: a new one, or one whose `add` was lost. */
static int meet(struct world *world, struct device *fresh_take, const struct uevent *event,
                bool replaced, bool tellable)
{
    bool real_add = event->action == UEVENT_ADD && !event->synthetic;
    if (!real_add && ended_has(&world->ended, fresh_take)) {
        device_free(fresh_take);
        return 1;
    }
    int r = meet_parents(world, fresh_take->devpath);
    if (r < 0) {
        device_free(fresh_take);
        return r;
    }
    world_note_arrival(world, fresh_take, event);
    r = world_appear(world, fresh_take, real_add ? event : NULL);
    if (r == 0 && tellable && !replaced)
        world_tell(world, DEVICE_UPDATED, fresh_take, NULL, event);
    return r;
}

/*
 * Most devices are gone before their `unbind` is read. Until their `remove` is, all that the kernel
 * says is of the one that we know, and is told with what we know of it.
 */
static int look_at(struct world *world, const char *devpath, const struct uevent *event)
{
    struct device *fresh = NULL;
    bool real_add = event->action == UEVENT_ADD && !event->synthetic;
    bool tellable = event->synthetic ? event->action == UEVENT_CHANGE : !real_add;

    if (real_add) {
        ended_forget(&world->ended, devpath);
        away_take_addition(&world->away, devpath);
    }
    struct device *known = world_find(world, devpath);
    int r = world_read_again(world, devpath, known, &fresh);
    if (r == 0 && known && tellable && !event->synthetic)
        world_tell(world, DEVICE_UPDATED, known, NULL, event);
    if (r <= 0)
        return r; /* 0: gone again, its `remove` is on the way */
    if (known && away_is_out(&world->away, devpath)) {
        device_free(fresh); /* another by its name, which has to wait */
        return 0;
    }

    bool replaced = known && !device_same(known, fresh);
    if (replaced)
        world_vanish(world, known, NULL);
    if (!known || replaced)
        return meet(world, fresh, event, replaced, tellable);
    if (event->synthetic && !tellable)
        world->counters.hints_ignored++;
    world_refresh(world, fresh, tellable ? event : NULL);
    return 0;
}

/* Somebody wrote "remove" to a uevent file: true only where sysfs agrees. */
static int doubt_removal(struct world *world, const char *devpath)
{
    struct device *fresh = NULL, *known = world_find(world, devpath);
    if (!known || away_is_out(&world->away, devpath)) {
        world->counters.hints_ignored += known != NULL;
        return 0;
    }
    int r = world_read(world, devpath, &fresh);
    if (r < 0)
        return r;
    if (r > 0 && device_same(known, fresh))
        world->counters.hints_ignored++;
    else
        world_vanish(world, known, NULL);
    device_free(fresh);
    return 0;
}

/* Renames a device and tells, `told` whether by the event itself; what cannot be read under its new
 * path has gone. What was said before of that path was said of another device. */
static void move_one(struct world *world, struct device *old, const char *new_devpath,
                     const struct uevent *event, bool told)
{
    struct device *fresh = NULL, *there = world_find(world, new_devpath);
    if (world_read(world, new_devpath, &fresh) <= 0 || fresh->inode != old->inode) {
        device_free(fresh);
        world_vanish(world, old, NULL);
        return;
    }
    if (there) /* it cannot be any more: its own event was lost */
        world_vanish(world, there, NULL);
    world_rename(world, old, fresh, event, told);
}

/* A device moves with everything below it. */
static int move_known(struct world *world, const struct uevent *event)
{
    const char *old = uevent_get(event, "DEVPATH_OLD"), *new = uevent_get(event, "DEVPATH");
    size_t length = old ? strlen(old) : 0;
    const char *into = old ? after_prefix(new, old) : NULL;
    const struct device *known = old ? world_find(world, old) : NULL;
    if (!known || world_is_in_place(world, known) || (into && (!*into || *into == '/')))
        return look_at(world, new, event);

    for (struct device *device; (device = world_first_within(world, old));) {
        _cleanup_free_ char *moved = NULL;
        if (asprintf(&moved, "%s%s", new, device->devpath + length) < 0)
            return -ENOMEM;
        move_one(world, device, moved, event, !device->devpath[length]);
    }
    return 0;
}

int world_apply(struct world *world, const struct uevent *event)
{
    const char *devpath = uevent_get(event, "DEVPATH");
    world->seqnum = event->seqnum;
    world_sweep(world);
    if (event->action == UEVENT_MOVE && !event->synthetic)
        return move_known(world, event);
    if (event->action != UEVENT_REMOVE)
        return look_at(world, devpath, event);
    if (event->synthetic)
        return doubt_removal(world, devpath);
    end_known(world, devpath, event);
    return 0;
}

void world_apply_drained(struct world *world, const struct uevent *event)
{
    if (event->synthetic)
        return;
    if (event->action == UEVENT_REMOVE)
        end_known(world, uevent_get(event, "DEVPATH"), event);
    else if (event->action == UEVENT_ADD) {
        ended_forget(&world->ended, uevent_get(event, "DEVPATH"));
        away_take_addition(&world->away, uevent_get(event, "DEVPATH"));
    }
}
