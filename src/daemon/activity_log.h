/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the engine does, as lines of the log: outcomes always, steps with --log-level debug. */

#include "engine/observer.h"

void activity_log(const struct activity *activity);
