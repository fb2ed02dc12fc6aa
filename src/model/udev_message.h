/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What udevd multicasts on NETLINK_KOBJECT_UEVENT group 2 when it is done with an event, and what
 * libudev's monitors read: a header, then the properties as "KEY=VALUE\0".
 *
 *     offset size
 *          0    8  "libudev\0"
 *          8    4  0xfeedcafe, big endian
 *         12    4  size of the header: 40
 *         16    4  offset of the properties: 40
 *         20    4  length of the properties
 *         24    4  hash of SUBSYSTEM, big endian
 *         28    4  hash of DEVTYPE, big endian; 0 where there is none
 *         32    8  bloom filter of TAGS, big endian; 0 where there are none
 *
 * What is not said to be big endian is in the machine's order. The last three fields are for socket
 * filters in the kernel: a monitor that asked for a subsystem does not even wake up for others, so
 * that a wrong hash is a lost event.
 *
 * Format: systemd, src/libsystemd/sd-device/device-monitor.c, monitor_netlink_header. The hash is
 * MurmurHash2 with seed 0 over the string without its NUL, its words in the machine's order.
 */

#include "base/refusal.h"
#include "model/property.h"

#define UDEV_MESSAGE_HEADER_SIZE 40
#define UDEV_MESSAGE_MAX 8192 /* libudev's receive buffer up to 252: it drops what is longer */

uint32_t udev_message_hash(const char *text);

/* The bits of one tag in the bloom filter: four of 64 at most. */
uint64_t udev_message_tag_bits(const char *tag);

/*
 * Writes a message of these properties, in their order. The header's hashes are those of SUBSYSTEM,
 * DEVTYPE and TAGS (":one:two:") among them.
 * Returns its length; -EMSGSIZE where it is longer than `size`; -EINVAL for what libudev would
 * throw away or read otherwise: no ACTION, DEVPATH, SUBSYSTEM or SEQNUM above 0, a key of other
 * than [A-Za-z0-9_.:-], a value with control characters or bytes that are not UTF-8.
 */
int udev_message_encode(const struct property_list *properties, void *out, size_t size);

/*
 * Reads a message back. Accepts what udev_message_encode() writes, with any hashes, and a longer
 * header of a later udev; refuses everything else. Returns 0 and *ret (property_list_done() it);
 * -EBADMSG and the reason; -ENOMEM. *ret is untouched on failure.
 */
int udev_message_decode(const void *message, size_t size, struct property_list *ret,
                        struct refusal *why);
