/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What only udev knows. The kernel announces a device before udev has looked at it; a rule that
 * asks for something of udev's has to wait until udev is done with the device, every other rule
 * need not. Which properties are udev's is told by their names. Internal to the rule modules.
 */

#include "model/device.h"

/* ID_*, DEVLINKS, TAGS, CURRENT_TAGS, SYSTEMD_*, UDEV_*, LIBINPUT_* and DEVOLVE_*. */
bool rule_udev_knows(const char *property, size_t length);

/*
 * The key by which the kernel tells of `device` what udev says in this property; NULL where it does
 * not. Only below a USB device: on other buses udev has these properties from elsewhere.
 */
const char *rule_udev_kernels_key(const char *property, struct device *device);
