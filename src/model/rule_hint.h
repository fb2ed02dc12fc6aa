/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Why a rule does not do what its writer meant, in plain words: the mistake, and what to write. */

#include "model/rule_match.h"

#define RULE_HINT_MAX 1024 /* bytes, with the NUL; what is longer is cut */

/* What a trace does not know of the host. */
struct rule_surroundings {
    bool udev_runs;                          /* an udevd, on this host */
    const struct rule_container *containers; /* all that are registered */
    size_t container_count;
};

/*
 * For a rule that did not match, or waits: whether there is more to say than its trace does. To be
 * called from the trace function, with its trace. What is in *hint may hold any byte of a device's
 * attributes.
 */
bool rule_hint(const struct rule_trace *trace, const struct rule_surroundings *around,
               char hint[static RULE_HINT_MAX]);

/* The same for a container that is not registered: its name, and those that may have been meant. */
void rule_hint_unregistered(const char *name, const struct rule_surroundings *around,
                            char hint[static RULE_HINT_MAX]);
