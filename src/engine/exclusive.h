/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * OPTIONS+="exclusive": one container at a time has the device, and with "subtree" all that hangs
 * below it. Who has it keeps it. Where several want what nobody has, it goes to that of the first
 * rule (an attachment by hand goes before all), in whichever order they are looked at.
 */

#include "engine/container.h"

/* Whether the grant, which has no delivery yet, can begin: 0, or -EBUSY and what `status` says. */
int exclusive_check(const struct container *container, const struct grant *grant,
                    struct refusal *why);
