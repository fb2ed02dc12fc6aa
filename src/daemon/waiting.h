/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Containers that wait for us: their hook found nobody at the control socket and left a note. They
 * are registered at start, and whenever a note appears, as when a hook looked the moment before the
 * socket was there.
 */

#include "daemon/service.h"

struct waiting;

/* Registers who waits, and watches for others. Whatever is wrong with the notes is logged and harms
 * nobody else. NULL, logged, where the directory cannot be used. */
struct waiting *waiting_open(struct service *service);

/* NULL accepted. */
void waiting_close(struct waiting *waiting);
