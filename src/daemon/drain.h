/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The orderly end: what is begun is ended, and everything stays where it is for a successor. */

#include "daemon/service.h"

/*
 * Calls `fn` when no container has anything under way, or after `deadline_us`. From now on nobody
 * is registered any more.
 */
void drain_start(struct service *service, uint64_t deadline_us, void (*fn)(void *userdata),
                 void *userdata);
