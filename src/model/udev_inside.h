/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is true of a device inside a container that runs no udevd of its own: the host's word,
 * without what holds on the host only, for the record (udev_record.h) and the messages of group 2
 * (udev_message.h).
 *
 * - DEVNAME is the node's path inside; DEVLINKS and the record's links are those that are there.
 * - A network interface has the name and number that it was given inside.
 * - What udev's rules found out stays: ID_*, tags, USEC_INITIALIZED. A device that udev has not
 *   described, for want of a udevd on the host, has what the kernel says, and is initialised too.
 * - What is addressed to the host's own systemd, logind, seats, snaps and to devolve goes.
 * - ENV{} of the rules is added.
 *
 * The links' priority is left at 0: it is for the udevd that makes the links.
 */

#include "model/grant.h"
#include "model/udev_record.h"
#include "model/uevent.h"

struct udev_inside_source {
    const struct device *device;
    const struct grant *grant;
    const struct name_list *links; /* those that are there; NULL: all of the grant's */
    const struct uevent *event;    /* what is being told, or NULL: its properties that sysfs does
                                      not have (RESIZE=1, DEVPATH_OLD) are of the message alone */
    int ifindex; /* of a network interface inside, where its number may be another; 0: as here */
    uint64_t now_us; /* CLOCK_MONOTONIC: USEC_INITIALIZED where udev gave none */
};

struct udev_inside {
    struct property_list kernel; /* what sysfs says, DEVNAME as inside */
    struct property_list moment; /* what holds for one event only */
    struct udev_record record;
};

/* Returns 0 and *ret (udev_inside_done() it), or -ENOMEM. */
int udev_inside_init(const struct udev_inside_source *source, struct udev_inside *ret);

/* Frees the content; nothing is known then and it can be used again. */
void udev_inside_done(struct udev_inside *inside);

/*
 * The properties of a message, for udev_message_encode(). `seqnum` is the kernel's number of the
 * event; libudev throws away a message with 0. Returns 0 and *ret (property_list_done() it), or
 * -ENOMEM.
 */
int udev_inside_message(const struct udev_inside *inside, enum uevent_action action,
                        uint64_t seqnum, struct property_list *ret);

/* Whether a tag, or a property of udev's, is for the host alone. */
bool udev_inside_tag_is_host_only(const char *tag);
bool udev_inside_property_is_host_only(const char *key);
