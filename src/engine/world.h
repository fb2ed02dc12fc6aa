/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The devices of the host, as far as we know. Events are hints about where to look, sysfs is the
 * truth; only a real `remove` (without SYNTH_UUID) ends an incarnation by itself, whatever sysfs
 * shows by now.
 */

#include "base/refusal.h"
#include "model/device.h"
#include "model/uevent.h"

enum world_news {
    DEVICE_APPEARED,  /* a new incarnation; `event` is its `add`, or NULL where it was found by a
                         scan */
    DEVICE_VANISHED,  /* the incarnation ended; `event` is its `remove`, or NULL; freed after the
                         call */
    DEVICE_UPDATED,   /* look at it again; `event` is what the containers are told, or NULL for
                         nothing */
    DEVICE_MOVED,     /* has another devpath now; `old_devpath` is set; `event` is the `move` */
    DEVICE_DESCRIBED, /* udev is done with it, or has something new to say; no `event` */
    DEVICE_DONE,      /* udev is done with another event of it, without anything new; no `event` */
};

/* How the world looks at the host: sysfs (kernel/sysfs.h), or tables in tests. */
struct world_source {
    int (*read)(void *userdata, const char *devpath, const struct device_source *source,
                struct device **ret);
    int (*enumerate)(void *userdata, int (*on_devpath)(void *, const char *), void *on_userdata);
    int (*read_attribute)(void *userdata, const struct device *device, const char *name,
                          char **ret);
    /*
     * What udev has noted of a device. Returns 1 and *ret, which may be empty; 0: no udevd runs, so
     * that there is nothing to wait for; -EAGAIN: it may not be done with the device; or another
     * negative errno. May be NULL: no udevd.
     */
    int (*read_udev)(void *userdata, const struct device *device, struct udev_view *ret);
    /* SEQNUM of the kernel's newest event. May be NULL. */
    uint64_t (*read_seqnum)(void *userdata);
    bool (*has_udev)(void *userdata); /* whether a udevd runs and is heard; NULL: none */
    void *userdata;
    const struct host_facts *facts; /* for the devices that are read; may be NULL */
};

struct world_listener {
    void (*on_news)(void *userdata, enum world_news news, struct device *device,
                    const char *old_devpath, const struct uevent *event);
    void *userdata;
};

struct world_counters {
    uint64_t hints_ignored; /* synthetic events that said what is not so */
    uint64_t scans;
};

struct world;

/* NULL when memory is short. `source` and `listener` are copied. */
struct world *world_new(const struct world_source *source, const struct world_listener *listener);
void world_free(struct world *world);

/* Takes in one true event. Returns 0; 1: scan in a while; or a negative errno: scan now. */
int world_apply(struct world *world, const struct uevent *event);

/*
 * Takes in what udev tells of the device at `devpath`, after the kernel's event `seqnum`. What is
 * older than the device is dropped. Returns false where there is no such device: if it has another
 * path by now, udev's notes have what was said. *view_take is empty then.
 */
bool world_describe(struct world *world, const char *devpath, uint64_t seqnum,
                    struct udev_view *view_take);

/*
 * Asks udev's notes: what udev told was not heard. `all`: about each device, else only about those
 * that are not initialised. Returns 1 when it is to be called again in a while, or 0.
 */
int world_describe_all(struct world *world, bool all);

/*
 * Whether udev is done with the event `seqnum` of a device, or with the device where there was no
 * event (0). Where no udevd runs on the host there is nothing to wait for, nor of an interface that
 * is in a container.
 */
bool world_is_described(const struct world *world, const struct device *device, uint64_t seqnum);

/*
 * A network interface of this incarnation was moved into a container: its `remove` is on the way
 * and ends nothing, and sysfs shows it no more. Then that it was brought home, or that it is lost
 * in there: it vanishes with the next world_sweep().
 */
void world_interface_left(struct world *world, const char *devpath, uint64_t inode);
void world_interface_returned(struct world *world, uint64_t inode);
void world_interface_lost(struct world *world, uint64_t inode);

/*
 * An interface that is in a container, by "net:NAME", its path in /sys or its devpath: sysfs does
 * not find it. Borrowed, or NULL.
 */
struct device *world_find_away(struct world *world, const char *name);

/*
 * What rules ask of its attributes next is read anew. Of an interface that is in a container what
 * was read before it left stays.
 */
void world_forget_attributes(const struct world *world, struct device *device);

/* Ends what is lost, and tells; not to be called while the world is telling. */
void world_sweep(struct world *world);

/* During a drain after an overrun: only what a real `remove` ends is ended, as the scan that
 * follows sees the rest. */
void world_apply_drained(struct world *world, const struct uevent *event);

/*
 * Compares with all of sysfs: first what is gone or was replaced vanishes, then what is new
 * appears. Returns 1 when another scan is wanted in a while (a directory that was about to go was
 * passed over), 0, or a negative errno. Of devices that are not initialised then,
 * world_describe_all() is to be asked in a while.
 */
int world_scan(struct world *world);

/* Borrowed, or NULL. */
struct device *world_find(struct world *world, const char *devpath);

size_t world_count(const struct world *world);

/* Calls fn for each device, parents before children. */
void world_each(struct world *world, void (*fn)(void *userdata, struct device *device),
                void *userdata);

/* The same for those below a device, which need not be known itself. */
void world_each_below(struct world *world, const char *devpath,
                      void (*fn)(void *userdata, struct device *device), void *userdata);

/* The same, children before their parents. */
void world_each_below_reversed(struct world *world, const char *devpath,
                               void (*fn)(void *userdata, struct device *device), void *userdata);

const struct world_counters *world_counters(const struct world *world);
