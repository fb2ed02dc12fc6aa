/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What world.c (what is known), world_event.c (one event), world_scan.c (all of sysfs) and
 * world_udev.c (what udev adds) share. */

#include "engine/away.h"
#include "engine/ended.h"
#include "engine/world.h"

#define WORLD_NEW_US 1000000u /* how long notes about a device are not believed */

struct world {
    struct world_source source;
    struct world_listener listener;
    struct device_source device_source;
    struct device **devices; /* sorted by devpath, so that parents stand before their children */
    size_t count;
    struct ended ended;
    struct away away;
    struct world_counters counters;
    uint64_t seqnum; /* of the newest event that was taken in */
};

/* The source's read. */
int world_read(struct world *world, const char *devpath, struct device **ret);

/*
 * The same, of a device that is known (or NULL). Of one that goes the kernel takes the links away
 * before the directory (device_del()): where it has lost its subsystem it counts as gone.
 */
int world_read_again(struct world *world, const char *devpath, const struct device *known,
                     struct device **ret);

/* Tells the listener. */
void world_tell(struct world *world, enum world_news news, struct device *device,
                const char *old_devpath, const struct uevent *event);

/*
 * Fills in what udev has noted of a device, without telling. Of one that has just come the notes
 * may be its predecessor's, and are not believed.
 */
void world_ask_udev(const struct world *world, struct device *device);

/* From here on the device is here, by this event; NULL: found by a scan that is not the first. */
void world_note_arrival(const struct world *world, struct device *device,
                        const struct uevent *event);

/* Takes a device in that was not known, and tells. 0 or -ENOMEM; it is freed then. */
int world_appear(struct world *world, struct device *device_take, const struct uevent *event);

/* Takes a known device out, tells, and frees it. */
void world_vanish(struct world *world, struct device *device, const struct uevent *event);

/* Puts the same incarnation, read again, in its place, and tells. */
void world_refresh(struct world *world, struct device *fresh_take, const struct uevent *event);

/*
 * Puts the same incarnation, read under its new devpath, in the place of `old`, and tells: by the
 * event itself where it is `told`. `old` is freed.
 */
void world_rename(struct world *world, struct device *old, struct device *fresh_take,
                  const struct uevent *event, bool told);

/* The first of the devices that are `head` or below it; NULL: none. */
struct device *world_first_within(struct world *world, const char *head);

/* Ends what we know of an interface by another devpath: it came home under another name. */
void world_end_same_interface(struct world *world, const struct device *device);

/*
 * Whether a device is where we know it. An interface that comes home is renamed on the way, and
 * what it was called inside may be another's name here.
 */
bool world_is_in_place(struct world *world, const struct device *known);
