/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What one container should have of one device: rules, attachments, subtrees, dangers. */

#include "engine/container.h"
#include "model/grant.h"

struct policy {
    const struct rule_set *rules;    /* borrowed */
    const struct devnum *root_disks; /* never delegated without OPTIONS+="dangerous" */
    size_t root_disk_count;
    bool expects_udev; /* a udevd has been seen: what only it knows of dangers is waited for, and
                          the name that it gives to an interface */
};

/*
 * Returns 1 and *ret; 0: nothing; -EINVAL, -EPERM and the reason: given, but it cannot be; -ENOMEM.
 * Where that waits for udev's word on a danger, or for udev to be done with an interface, it is 0,
 * with the reason.
 * An attachment by hand comes before the rules. A device that nothing gives follows its nearest
 * ancestor that is given (by a rule or by hand) with OPTIONS+="subtree": with that share's owner,
 * group, mode, access and ENV, under its own name. Where a rule gives the ancestor, the other
 * assignments of lines that match the device itself hold too. An ancestor that is too dangerous to
 * be given hands nothing down. `trace` may be NULL.
 */
int desired_grant(const struct policy *policy, const struct container *container,
                  struct device *device, rule_trace_fn trace, void *trace_userdata,
                  struct grant **ret, struct refusal *why);
