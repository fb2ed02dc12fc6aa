/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A note of a container that lives: what it says of the container's process. */

#include "base/refusal.h"
#include "model/waiting_note.h"

/*
 * Sets the note's process, and what tells it from all others of this and other boots. Returns 1; 0:
 * the process has ended; a negative errno and the reason.
 */
int note_process(int pid, struct waiting_note *note, struct refusal *why);
