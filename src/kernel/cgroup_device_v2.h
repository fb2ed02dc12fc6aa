/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Device programs on cgroup v2 (BPF_PROG_TYPE_CGROUP_DEVICE). The programs of a group and of its
 * ancestors must all agree, so adding one that allows grants nothing. Instead each program of the
 * groups that hold this container alone is exchanged for one of ours that asks our map first
 * (device_place.h). There is one map a container; a grant is one entry in it.
 *
 * Nothing here rests on what we remember of the groups: each call looks which programs there are,
 * as runtimes and systemd put theirs back whenever they like.
 */

#include <jansson.h>

#include "base/refusal.h"
#include "kernel/cgroup.h"
#include "model/device.h"

struct cgroup_device_v2;

/*
 * `paths` and `pid_fd` are borrowed until the close, `directory` (or NULL) and `name` are copied.
 * Adopts what a predecessor left; what that had allowed stays for now if `resume`. `saved` (may be
 * NULL) is what cgroup_device_v2_save() gave it: its programs are found there too, whoever else is
 * in the groups by now. Returns 0 and
 * *ret, or a negative errno and the reason.
 */
int cgroup_device_v2_open(const struct cgroup_paths *paths, pid_t init_pid, int pid_fd,
                          const char *directory, bool resume, const json_t *saved,
                          struct cgroup_device_v2 **ret, struct refusal *why);

/* Where our programs are, as JSON, or NULL when memory is short. */
json_t *cgroup_device_v2_save(const struct cgroup_device_v2 *gate);

/* Counts what cgroup_device_v2_save() would tell otherwise. */
unsigned cgroup_device_v2_changes(const struct cgroup_device_v2 *gate);

/* The container is gone, its groups may not be: denies all that was allowed, and gives the
 * runtime's own programs their places back. */
void cgroup_device_v2_take_back(const json_t *saved, const char *directory);

/* Denies all but these numbers. Returns 0 or a negative errno. */
int cgroup_device_v2_prune(struct cgroup_device_v2 *gate, const struct devnum *numbers,
                           size_t count);

/* Frees, and leaves all as it is to a successor. NULL accepted. */
void cgroup_device_v2_leave(struct cgroup_device_v2 *gate);

/* Empties the map, gives the runtime's own programs their places back and frees. NULL accepted. */
void cgroup_device_v2_close(struct cgroup_device_v2 *gate);

/*
 * As cgroup_device_allow(). Sets *ret_unsure where programs have a say that are not ours to edit,
 * so that only trying tells.
 */
int cgroup_device_v2_allow(struct cgroup_device_v2 *gate, const struct devnum *number,
                           unsigned access, bool *ret_unsure, struct refusal *why);

/* As cgroup_device_deny(). */
int cgroup_device_v2_deny(struct cgroup_device_v2 *gate, const struct devnum *number,
                          struct refusal *why);

/* As cgroup_device_repair(). */
int cgroup_device_v2_repair(struct cgroup_device_v2 *gate, struct refusal *why);

/* Whether others than the container were in its own group when that was asked last. */
bool cgroup_device_v2_is_shared(const struct cgroup_device_v2 *gate);

/* The groups with programs that are not ours to edit: "/a, /a/b". Returns out. */
const char *cgroup_device_v2_strangers(const struct cgroup_device_v2 *gate, char *out, size_t size);

/* "/c1 spliced", "/c1 tail-called", "/c1". Returns out. */
const char *cgroup_device_v2_describe(const struct cgroup_device_v2 *gate, char *out, size_t size);
