/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A plan ended: record what became of the delivery, and let its container go on. */

#include "engine/job.h"

/* The executor's on_start: what is begun is noted, for a successor who finds it half done. */
void outcome_expect(void *userdata, const struct job *job);

/* The executor's on_end: `userdata` is the delegation. The job is freed. */
void outcome_record(void *userdata, struct job *job);

/* Compares the container as a whole again, later and later as long as nothing goes well. */
void outcome_retry(struct container *container);

#define ALL_DEVICES "/devices"

/*
 * A delivery of `container` ended, or for ALL_DEVICES it itself: whoever was refused because of it
 * (its path, a link, OPTIONS+="exclusive") looks again. Other containers take their turn at once,
 * this one does not.
 */
void outcome_revive(struct container *container, const char *gone_devpath);

/* The container's file system hangs: its queue rests, and is tried again. */
void outcome_stall(struct container *container, const struct refusal *why);
