/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a container has from its registration on, before any device, as programs inside look for it
 * only once, when they start: enum place_mark. Each is made before the first device is given and
 * goes with the last, or when it is wanted no more.
 */

#include "engine/container.h"
#include "model/rule_match.h"

/* Finds out what the container is to have, by rules that are put in force and by its labels. */
void mark_judge(struct container *container, const struct rule_set *rules);

/* The container's init may have mounted file systems of its own over them: they are made again. */
void mark_forget(struct container *container);

/* Makes or removes the next one. Returns true where it did something: there may be more to do, or
 * the container is marking. */
bool mark_work(struct container *container);
