/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A sysfs of tables, for tests of the engine. Include it behind cmocka.h. */

#include "engine/world.h"

struct fake_device {
    char *devpath, *subsystem, *driver, *uevent;
    uint64_t inode;
    struct property_list attributes;
    struct property_list notes; /* udev's */
    bool hidden;                /* an enumeration leaves it out */
    int read_error;             /* reading it fails with this, */
    unsigned good_reads;        /* after so many that went well */
};

enum fake_udevd {
    FAKE_UDEVD_NONE, /* it does not run */
    FAKE_UDEVD_BUSY,
    FAKE_UDEVD_SETTLED,
};

struct fake_world {
    struct fake_device **devices;
    size_t count;
    uint64_t last_inode;
    enum fake_udevd udevd;
    uint64_t seqnum;     /* of the newest event */
    int enumerate_error; /* an enumeration ends with this, half way */
};

void fake_world_done(struct fake_world *fake);

/* What the world sees of it; the fake must outlive it. */
struct world_source fake_world_source(struct fake_world *fake);

/*
 * Plugs a device in; `uevent` is the text of its uevent file. Where the path is taken it is a new
 * incarnation, with nothing of the old but what is below it.
 */
struct fake_device *fake_plug(struct fake_world *fake, const char *devpath, const char *subsystem,
                              const char *uevent);

/* Takes a device away with all that is below it. */
void fake_unplug(struct fake_world *fake, const char *devpath);

/* Renames a device and all that is below it; the incarnations stay. */
void fake_move(struct fake_world *fake, const char *devpath, const char *to);

/* NULL where there is none. */
struct fake_device *fake_find(const struct fake_world *fake, const char *devpath);

void fake_set_attribute(struct fake_device *device, const char *name, const char *value);
void fake_set_note(struct fake_device *device, const char *key, const char *value);
void fake_set_text(char **text, const char *value);

/*
 * What the kernel would say: `extra` has more properties ("SYNTH_UUID=0|DEVPATH_OLD=/devices/x"),
 * or is NULL. A device that is not there has DEVPATH only.
 */
void fake_event(const struct fake_world *fake, const char *action, const char *devpath,
                const char *extra, struct uevent *ret);
