/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A captured message of udevd's, told inside a container that is given everything with all of
 * udev's links. All of these fail the test where they cannot.
 */

#include "model/udev_inside.h"
#include "udev_captures.h"

struct property_list udev_retelling_decode(const struct udev_captures_message *message);

/* The properties of our message inside. */
struct property_list udev_retelling_tell(const struct property_list *said);

/* The device with a uevent file of sysfs and udev's view as the message has it. */
struct device *udev_retelling_device(const struct property_list *said, const char *sysfs);

/* What is true of it inside; `event` may be NULL. */
struct udev_inside udev_retelling_inside(const struct property_list *said, const char *sysfs,
                                         const struct uevent *event);

/* Names between separators. */
struct name_list udev_retelling_split(const char *text, const char *separators);
