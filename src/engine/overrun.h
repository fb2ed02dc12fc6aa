/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A container in which somebody does not read what is told of devices: it is said, nobody waits for
 * him any longer, and when he reads again he is told what he missed.
 */

#include "engine/container.h"

/* For the executor: it begins, unless it has. */
void overrun_begin(void *userdata, struct container *container);
