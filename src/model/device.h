/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A device as sysfs shows it: a value. Attributes are asked for lazily through the device's source,
 * at most once each, so that a device that no rule is interested in costs one small read.
 */

#include <sys/types.h>

#include "model/name_list.h"
#include "model/property.h"

enum node_kind {
    NODE_NONE,      /* no device node: a usb_interface, an input parent, a net device */
    NODE_CHARACTER, /* 'c' */
    NODE_BLOCK,     /* 'b' */
};

struct devnum {
    enum node_kind kind;
    uint32_t major;
    uint32_t minor;
};

static inline bool devnum_equal(const struct devnum *a, const struct devnum *b)
{
    return a->kind == b->kind && a->major == b->major && a->minor == b->minor;
}

struct device;

/*
 * What rules may ask the host beside a device: kernel/host_facts.h, or tables in tests. Each
 * function may be NULL: then there is no such thing.
 */
struct host_facts {
    /* Kernel parameter "kernel/ostype" or "kernel.ostype". Returns like read_attribute below. */
    int (*read_sysctl)(void *userdata, const char *name, char **ret);
    /*
     * An attribute of any device of the host. Returns 1 and *ret (caller frees), which is empty
     * where that device has no such attribute; 0 where there is no such device; -ENOMEM.
     */
    int (*read_reference)(void *userdata, const char *subsystem, const char *sysname,
                          const char *attribute, char **ret);
    /*
     * Whether there is a file and, where `mask` is not 0, it has any of these mode bits. `path` is
     * absolute, or below the device's directory in sysfs, or "[subsystem/sysname]path", and may
     * have one "*" for a whole directory name.
     */
    bool (*test_path)(void *userdata, const struct device *device, const char *path, unsigned mask);
    /* "arch" or "virt", in the words of udev(7); NULL where it is not known. Lives as long as we.
     */
    const char *(*constant)(void *userdata, const char *name);
    void *userdata;
};

/* Where a device comes from: sysfs (kernel/sysfs.h), or a table in tests. */
struct device_source {
    /*
     * Reads attribute `name` ("idVendor", "power/control", "../idVendor") as bytes without the
     * newlines at its end. The links "driver", "module" and "subsystem" give the last component of
     * their target, as udevd has it; other links and directories are no attributes.
     * Returns 1 and *ret (caller frees), 0 where there is none or it cannot be read, -ENOMEM.
     */
    int (*read_attribute)(void *userdata, const struct device *device, const char *name,
                          char **ret);
    /* The next device above in sysfs, borrowed, or NULL. */
    struct device *(*parent)(void *userdata, const struct device *device);
    void *userdata;
    const struct host_facts *facts; /* may be NULL */
};

/* What udev found out about a device: its record in udev's database. */
struct udev_view {
    struct property_list properties; /* all that udev tells; the kernel's may be among them */
    struct name_list tags;           /* the current ones */
    struct name_list links;          /* absolute: "/dev/serial/by-id/..." */
};

/* Frees the content; the view is empty then and can be used again. */
void udev_view_done(struct udev_view *view);

struct device {
    char *devpath;        /* "/devices/...": sysfs path without /sys */
    const char *sysname;  /* last component of devpath, '!' shown as '/' (udev's KERNEL) */
    char *subsystem;      /* never NULL; "" where sysfs has no such link */
    char *devtype;        /* or NULL */
    char *driver;         /* or NULL; unknown at `add`, known from `bind` on */
    char *devname;        /* below /dev: "bus/usb/001/004"; NULL without node */
    struct devnum number; /* kind NODE_NONE without node */
    int devmode;          /* the kernel's DEVMODE, or -1 */
    int ifindex;          /* net devices, else 0 */
    uint64_t inode;       /* of the sysfs directory: the incarnation (with the boot id) */
    uint64_t since;       /* SEQNUM of the event by which it came to be here; what was said before
                           * is of another device. 0: it was here before us */
    uint64_t since_us;    /* when that was, CLOCK_MONOTONIC; 0 likewise */
    struct property_list properties; /* the sysfs `uevent` file's, with DEVPATH and SUBSYSTEM */
    bool initialised;                /* udev is done with it: `udev` holds what it found */
    uint64_t described;    /* SEQNUM of the newest event of it that udev is done with; 0: none */
    struct udev_view udev; /* empty until then */

    struct property_list attributes; /* cache: what was read; private to device.c */
    struct property_list absent;     /* cache: names that are not there; private to device.c */
    const struct device_source *source;
    char *sysname_storage; /* where sysname is not the tail of devpath */
};

/*
 * Makes a device from its devpath, its subsystem and driver (either may be NULL) and the text of
 * its `uevent` file in sysfs ("KEY=VALUE\n" lines: MAJOR, MINOR, DEVNAME, DEVTYPE, DEVMODE, IFINDEX
 * are understood). `inode` is that of the sysfs directory. Odd lines are skipped, and so are the
 * driver core's keys (all of these but IFINDEX, which is a net device's only) behind the first line
 * that is not the core's: a descriptor with a newline in it could have written them. Returns 0 and
 * *ret (free with device_free()), -EINVAL for a devpath that is none, -ENOMEM.
 */
int device_new(const char *devpath, const char *subsystem, const char *driver,
               const char *uevent_text, uint64_t inode, const struct device_source *source,
               struct device **ret);

/* NULL accepted. */
void device_free(struct device *device);
DEFINE_CLEANUP(struct device *, device_free)
#define _cleanup_device_ _cleanup_(device_freep)

/* A sysfs attribute, borrowed until device_forget_attributes(), or NULL where there is none. */
const char *device_attribute(struct device *device, const char *name);

/*
 * Empties the attribute cache. Most attributes change without an event, so whoever judges for
 * another reason than one does this before.
 */
void device_forget_attributes(struct device *device);

/*
 * Takes in what udev says of the device, in place of what it said before; `properties` is copied
 * and may be NULL, and so may the arrays, which end with NULL: the current tags, and the links as
 * absolute paths. The device is initialised then. Returns 0 or -ENOMEM (as before).
 */
int device_set_udev(struct device *device, const struct property_list *properties,
                    const char *const *tags, const char *const *links);

/* The same with a view, which is moved: *view_take is empty then. */
void device_take_udev(struct device *device, struct udev_view *view_take);

/* What an earlier reading of the same incarnation knew beyond sysfs, since when it is here and
 * udev's word, goes over to this one. `from` is not initialised then. */
void device_inherit(struct device *device, struct device *from);

/* Whether it is a network interface, which has no node but can be moved as a whole. */
static inline bool device_is_interface(const struct device *device)
{
    return device->ifindex > 0 && streq(device->subsystem, "net");
}

/* The parent in sysfs, borrowed, or NULL. */
struct device *device_parent(const struct device *device);

/* The USB device that it is or belongs to, borrowed, or NULL. */
struct device *device_usb(struct device *device);

/* Same incarnation: same devpath and same sysfs inode. */
bool device_same(const struct device *a, const struct device *b);
