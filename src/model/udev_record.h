/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A device's record in udev's database, /run/udev/data/ID: what libudev tells of a device beyond
 * sysfs. A device that has one is "initialised". Lines, of which libudev skips those it does not
 * know:
 *
 *     S:serial/by-id/usb-...   a link to the node, below /dev
 *     L:10                     the links' priority, where it is not 0
 *     I:77416877               when udev had first seen it: CLOCK_MONOTONIC, microseconds
 *     E:ID_BUS=usb             a property that udev's rules added
 *     G:systemd                a tag that it had at any event
 *     Q:systemd                a tag that it has as of the last event
 *     V:1                      the format's version: from 1 on there are Q lines
 *
 * ID is "c189:3" or "b8:0" for a device with a node, "n12" for a net device (its ifindex), else
 * "+SUBSYSTEM:SYSNAME" with the name as it stands in the devpath. Who looks for devices by tag
 * reads the directory /run/udev/tags/TAG, which has an empty file with the name ID for each.
 *
 * Format: systemd, src/libsystemd/sd-device/device-private.c, device_update_db(), and
 * sd-device.c, handle_db_line(); the same in udev 252 and 257.
 */

#include "model/device.h"

#define UDEV_RECORD_ID_MAX 256   /* with the NUL: it is a file's name */
#define UDEV_RECORD_PATH_MAX 528 /* of a record or a tag's file, with the NUL */
#define UDEV_RECORD_MAX 8192     /* of the text: a record that fills it has no message either */
#define UDEV_RECORD_VERSION 1

struct udev_record {
    struct name_list links;          /* absolute: "/dev/serial/by-id/..." */
    int link_priority;               /* only udevd asks for it */
    uint64_t usec_initialised;       /* 0: unknown */
    struct property_list properties; /* E: */
    struct name_list tags;           /* G: */
    struct name_list current_tags;   /* Q: */
    uint32_t version;                /* 0: before udev 247 */
};

/* Frees the content; the record is empty then and can be used again. */
void udev_record_done(struct udev_record *record);

/*
 * The name of a device's record. Returns 0; -EINVAL for what has no record (no subsystem; drivers,
 * which are no devices); -ENAMETOOLONG.
 */
int udev_record_id(const struct device *device, char out[static UDEV_RECORD_ID_MAX]);

/* Whether it can be a tag: one or more of [A-Za-z0-9_-], which is what udev's rules accept. */
bool udev_record_tag_is_valid(const char *tag, size_t length);

/* "/run/udev/data/ID". Returns 0, or -EINVAL for what is no ID of udev_record_id(). */
int udev_record_path(const char *id, char out[static UDEV_RECORD_PATH_MAX]);

/* "/run/udev/tags/TAG/ID". Returns 0, or -EINVAL for what is no tag or no ID. */
int udev_record_tag_path(const char *tag, const char *id, char out[static UDEV_RECORD_PATH_MAX]);

/*
 * Writes the text, NUL-terminated. Returns its length; -EMSGSIZE where it and its NUL need more
 * than `size` bytes; -EINVAL for what would be read otherwise: links that are not below /dev, tags
 * that are none, properties with an odd key, anything with control characters (a newline would
 * begin a line of its own) or bytes that are not UTF-8.
 */
int udev_record_print(const struct udev_record *record, char *out, size_t size);

/*
 * Reads a text of `size` bytes. As with libudev, lines that make no sense are passed over; of two
 * lines for one thing the first has its place and the last its value. Returns 0 and *ret
 * (udev_record_done() it); -ENOMEM, *ret untouched.
 */
int udev_record_parse(const char *text, size_t size, struct udev_record *ret);
