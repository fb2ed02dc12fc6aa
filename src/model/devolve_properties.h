/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Delegation by udev's own rules: what these set as DEVOLVE_CONTAINER (names of containers or
 * globs, with blanks between), DEVOLVE_NODE, DEVOLVE_OWNER, DEVOLVE_GROUP, DEVOLVE_MODE,
 * DEVOLVE_SYMLINK and DEVOLVE_OPTIONS means the same as a line of ours with these assignments.
 * Values are checked like a rule's.
 */

#include "model/device.h"
#include "model/rule_match.h"
#include "model/share.h"

/* The property that is wrong; strings of the device. */
struct devolve_problem {
    const char *key;
    const char *value;
};

/* Whether udev has told of the device, and delegates it to anybody. */
bool devolve_properties_are_there(const struct device *device);

/*
 * Fills the empty share *ret for `container`. Returns 1 where it is given; 0 where not, or where
 * udev says nothing; -EINVAL and *ret_problem where a value is wrong, -ENOMEM (*ret is empty then).
 */
int devolve_properties_read(const struct device *device, const struct rule_container *container,
                            struct share *ret, struct devolve_problem *ret_problem);
