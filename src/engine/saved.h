/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the engine notes of containers and deliveries, so that a successor of this daemon finds them
 * again (restoration.c). A delivery is noted before anything of it is made or taken, as something
 * of which nobody knows how far it came, and when it is as it should be.
 */

#include "engine/job.h"
#include "engine/saved_place.h"

/* Who it is, and what was attached. */
void saved_note_container(struct container *container);

/* The delivery as it is; or, with `job`, as something that a job has begun to work on. */
void saved_note_delivery(struct delivery *delivery, const struct job *job);

/* The same, read again: into a container that is empty, of a delivery with its grant alone. Return
 * 0, -EBADMSG or -ENOMEM. */
int saved_read_container(struct container *container, const json_t *json);
int saved_read_delivery(struct delivery *delivery, const json_t *json, bool *ret_certain);

/* Its grant. Returns 0 and *ret, -EBADMSG or -ENOMEM. */
int saved_read_grant(const json_t *json, struct grant **ret);
