/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What becomes of network interfaces that are delivered: the world has to know, and the log. */

#include "engine/container.h"

/* The executor's on_interface; `userdata` is the delegation. */
void interface_note(void *userdata, struct delivery *delivery, enum step_kind kind,
                    const struct step_result *result);

/*
 * The door's on_lost; `userdata` is the delivery: its interface left the container without us, as
 * it ended, or was moved on by somebody inside. The delivery is taken, and the device ends with it
 * unless it is here again.
 */
void interface_lost(void *userdata);
