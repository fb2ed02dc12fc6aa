/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the daemon may do once it is set up: a list of capabilities, no programs that give more
 * (no_new_privs), and no system call that it has no business with. Its couriers inherit all of it,
 * and confine themselves further (courier_confine.h).
 */

#include "base/refusal.h"

/* Cannot be undone. Returns 0, or a negative errno and the reason. */
int confinement_enter(struct refusal *why);
