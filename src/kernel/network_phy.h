/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A wireless interface goes nowhere without its phy, and with it all interfaces of that phy. */

#include "base/refusal.h"

/*
 * Moves a phy from the namespace behind `from_fd` (-1: ours) to that behind `to_fd`. An interface
 * whose name is taken there is called "wlan%d". Returns 0, or a negative errno and the reason.
 */
int network_phy_move(int phy, int from_fd, int to_fd, struct refusal *why);
