/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The events that a container is told, made from what the kernel said or from what sysfs shows. */

#include "model/grant.h"
#include "model/uevent.h"

/*
 * The `add` of a device that was found rather than announced: the properties of its sysfs `uevent`
 * file, which are those of the kernel's own event without SEQNUM. Properties that do not fit are
 * left out. Returns 0 or -ENAMETOOLONG.
 */
int announcement_from_device(const struct device *device, struct uevent *ret);

/*
 * Makes an event true inside: DEVNAME where the rule gave another path (below /dev, as the kernel
 * writes it), and the rule's ENV{}. Returns how many properties found no room.
 */
unsigned announcement_for_grant(struct uevent *event, const struct grant *grant);
