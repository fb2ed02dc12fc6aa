/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * News of the world decide two things at once, for each container: whether a delivery is to be cut,
 * and whether the container should look at the device.
 */

#include "engine/world.h"

/* The world's listener: `userdata` is the delegation. */
void news_receive(void *userdata, enum world_news news, struct device *device,
                  const char *old_devpath, const struct uevent *event);
