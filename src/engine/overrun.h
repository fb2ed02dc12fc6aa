/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A container in which somebody does not read what is told of devices: it is said, nobody waits for
 * him any longer, and when he reads again he is told what he missed.
 */

#include "engine/container.h"

/* For the executor: it begins, unless it has. */
void overrun_begin(void *userdata, struct container *container);

/*
 * A container has ended, which may have been the one that was to tell again: others whose network
 * namespace it shared go on.
 */
void overrun_pass_on(struct delegation *delegation);
