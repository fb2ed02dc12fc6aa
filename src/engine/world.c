/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a real `remove` ended is remembered for a moment (ended.h): a directory that is about to go
 * is passed over, and the caller is asked to look again.
 */
#include "engine/world.h"

#include <errno.h>
#include <stdio.h>

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

static void end_known(struct world *world, const char *devpath, const struct uevent *event)
{
    struct device *known = world_find(world, devpath);
    if (away_take_removal(&world->away, devpath))
        return;
    ended_remember(&world->ended, devpath, known ? known->inode : 0);
    if (known)
        world_vanish(world, known, event);
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
    bool known;
    device_inherit(fresh, old);
    fresh->since = event->seqnum;
    take_out(world, position_of(world, old->devpath, &known));
    if (insert(world, fresh) < 0) { /* there is room: one was just taken out */
        device_free(fresh);
        fresh = NULL;
    }
    if (fresh)
        world_tell(world, DEVICE_MOVED, fresh, old->devpath, told ? event : NULL);
    device_free(old);
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

    for (size_t at; (at = first_within(world, old, 0)) < world->count;) {
        struct device *device = world->devices[at];
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
