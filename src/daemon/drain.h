/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The orderly end: every container is given time to hear of it. */

#include "daemon/service.h"

/*
 * Unregisters every container and calls `fn` when all are gone, or after `deadline_us`. From now on
 * nobody is registered any more.
 */
void drain_start(struct service *service, uint64_t deadline_us, void (*fn)(void *userdata),
                 void *userdata);
