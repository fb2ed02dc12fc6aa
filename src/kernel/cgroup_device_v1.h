/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The v1 `devices` controller: linux/Documentation/admin-guide/cgroup-v1/devices.rst. Lists are
 * kept per group; a group may have what its parent has, and what is added to a parent reaches no
 * child. So what is missing is added from the topmost group that holds the container alone down to
 * the container's own, and in the groups below that had the same list (an init system inside makes
 * such).
 *
 * Denying is the dangerous word here: in a group that allows all, or that others share, it takes a
 * device from somebody whom we never gave it. Such groups are never written to, and only bits that
 * were missing before are taken back.
 */

#include <jansson.h>

#include "base/refusal.h"
#include "kernel/cgroup.h"
#include "model/device.h"

struct cgroup_device_v1;

/* `paths` and `pid_fd` are borrowed until the close. Returns 0 and *ret, or -ENOMEM. */
int cgroup_device_v1_open(const struct cgroup_paths *paths, pid_t init_pid, int pid_fd,
                          struct cgroup_device_v1 **ret);

/*
 * `on_change` is called before anything is written into a group: what cgroup_device_v1_save() gives
 * then names all that may have been added.
 */
void cgroup_device_v1_watch(struct cgroup_device_v1 *gate, void (*on_change)(void *userdata),
                            void *userdata);

/* What was added, as JSON, or NULL when memory is short; and what a predecessor added. Returns 0,
 * -EBADMSG (nothing is taken over), -ENOMEM. */
json_t *cgroup_device_v1_save(const struct cgroup_device_v1 *gate);
int cgroup_device_v1_load(struct cgroup_device_v1 *gate, const json_t *saved);

/* Takes back all but what is of these numbers. Returns 0 or a negative errno. */
int cgroup_device_v1_prune(struct cgroup_device_v1 *gate, const struct devnum *numbers,
                           size_t count);

/* Frees, and leaves all as it is to a successor. NULL accepted. */
void cgroup_device_v1_leave(struct cgroup_device_v1 *gate);

/* Takes back everything and frees. NULL accepted. */
void cgroup_device_v1_close(struct cgroup_device_v1 *gate);

/*
 * As cgroup_device_allow(). Sets *ret_unsure where a list that does not show its exceptions was
 * relied on, so that only trying tells.
 */
int cgroup_device_v1_allow(struct cgroup_device_v1 *gate, const struct devnum *number,
                           unsigned access, bool *ret_unsure, struct refusal *why);

/* As cgroup_device_deny(). */
int cgroup_device_v1_deny(struct cgroup_device_v1 *gate, const struct devnum *number,
                          struct refusal *why);

/* As cgroup_device_repair(). */
int cgroup_device_v1_repair(struct cgroup_device_v1 *gate, struct refusal *why);

/* The group's path below the hierarchy's mount, borrowed. */
const char *cgroup_device_v1_describe(const struct cgroup_device_v1 *gate);
