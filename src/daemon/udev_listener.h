/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What udev tells, brought to the world. A udevd may be started long after us, and restarted at any
 * time; where none runs, nothing is missed but what only it could tell.
 */

#include <systemd/sd-event.h>

#include "engine/world.h"

struct device_monitor;

struct udev_listener {
    sd_event *event;
    struct world *world;
    size_t receive_buffer;
    struct device_monitor *monitor; /* NULL: no udevd has been seen */
    sd_event_source *source;
    sd_event_source *catch_up_timer;
    uint64_t catch_up_us; /* how long until the next try */
    bool lost;            /* what udev told of any device may not have been taken in */
    uint64_t reports, overruns;
};

/*
 * Begins to listen where a udevd runs and we do not listen yet; cheap otherwise. What it has told
 * before is read from its notes in a while. Returns whether it has just begun.
 */
bool udev_listener_begin(struct udev_listener *listener);

/*
 * Looks into udev's notes in a while, and again until that is done: `lost` about every device, else
 * about those that are not initialised. To be called after each scan.
 */
void udev_listener_catch_up(struct udev_listener *listener, bool lost);

void udev_listener_end(struct udev_listener *listener);

/* The read_udev of a world_source; `userdata` is the listener. */
int udev_listener_read(void *userdata, const struct device *device, struct udev_view *ret);

/* Its has_udev. */
bool udev_listener_has_udev(void *userdata);
