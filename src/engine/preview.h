/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What would be done to give a device to a container, without doing it: for `explain`. */

#include "engine/container.h"

struct preview {
    struct plan plan;     /* the give, and udev's word that follows it */
    struct uevent *event; /* what the plan tells; owned, or NULL */
    struct udev_word *word;
    struct refusal why; /* where .error is set: why the plan is not all of it */
};

/* Fills *ret (preview_done() it). The grant, borrowed, must live as long. */
void preview_init(struct preview *ret, const struct container *container,
                  const struct device *device, const struct grant *grant);

void preview_done(struct preview *preview);
