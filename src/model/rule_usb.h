/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which containers are to be ready for USB devices. */

#include "model/rule_match.h"

/*
 * Whether a rule may give the container a USB device's own node one day, whatever will be plugged
 * in. It is asked without a device, so it errs by saying yes: only what a rule asks of the
 * container, of SUBSYSTEM, DEVTYPE and KERNEL is looked at, and any subtree may have such a device
 * in it.
 */
bool rule_set_may_give_usb(const struct rule_set *rules, const struct rule_container *container);
