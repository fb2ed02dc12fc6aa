/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The device cgroup of one container: permission to use a device number, in v1 (`devices`
 * controller: linux/Documentation/admin-guide/cgroup-v1/devices.rst), in v2
 * (BPF_PROG_TYPE_CGROUP_DEVICE), or in both at once, as on hybrid hosts. This is one interface;
 * cgroup_device_v1.h and cgroup_device_v2.h are behind it.
 *
 * Only groups that hold this container alone are edited. Where a group that others share denies,
 * the grant is refused and the group named.
 */

#include <jansson.h>

#include "base/refusal.h"
#include "kernel/namespace.h"
#include "model/device.h"

struct cgroup_device;

/*
 * Removes from `bpf_directory` what dead predecessors kept there for programs that are gone too;
 * what a program still needs stays. For once, at start. Returns 0 or a negative errno.
 */
int cgroup_device_clean(const char *bpf_directory);

/*
 * Opens the gates of a container. Nothing is changed yet: a program is put in place with the first
 * grant. `bpf_directory` is below a bpffs of ours, for the pins of tail-called programs; it may be
 * NULL where there is none (then only splicing works, and a program that cannot be spliced is a
 * refusal). `name` (the container's) is only for messages and for program names. The pid and pidfd
 * of `namespaces` are remembered: they stay open until cgroup_device_close().
 *
 * Where a program of ours is attached already it is adopted. `saved` is what cgroup_device_save()
 * gave a predecessor: then all that it had allowed stays, to be allowed again or to go with
 * cgroup_device_prune(); NULL: all that a predecessor allowed goes now.
 */
int cgroup_device_open(const char *name, const struct namespaces *namespaces,
                       const char *bpf_directory, const json_t *saved, struct cgroup_device **ret,
                       struct refusal *why);

/* What a successor needs to know, or NULL when memory is short. `on_change` is called when that is
 * about to change: it is to be kept before it returns. */
json_t *cgroup_device_save(const struct cgroup_device *gates);
void cgroup_device_watch(struct cgroup_device *gates, void (*on_change)(void *userdata),
                         void *userdata);

/*
 * Of a container that is gone, whose groups may not be: takes back what `saved` (may be NULL) says
 * that a predecessor allowed.
 */
void cgroup_device_take_back(const json_t *saved, const char *bpf_directory);

/* Denies what a predecessor allowed and we did not allow again. Returns 0 or a negative errno. */
int cgroup_device_prune(struct cgroup_device *gates);

/* Frees, and leaves all as it is to a successor. NULL accepted. */
void cgroup_device_leave(struct cgroup_device *gates);

/*
 * Denies all that was allowed, puts the runtime's own programs back where ours are still in place
 * and frees. Works also when the container's groups are gone. NULL accepted.
 */
void cgroup_device_close(struct cgroup_device *gates);

/*
 * Lets the container use a device number with these access bits (enum share_access), or changes the
 * bits of one that is let. v1: only the bits that were missing are added, and remembered. Can be
 * done again. Returns 0, or a negative errno with the gate that refuses in the reason; nothing is
 * changed then. -EUSERS: others are in the container's own group now, for ever or for an instant: a
 * process that is about to enter the container is put into its groups first (runc exec,
 * lxc-attach). -ETIMEDOUT: nothing could be tried out in them in time.
 */
int cgroup_device_allow(struct cgroup_device *gates, const struct devnum *number, unsigned access,
                        struct refusal *why);

/* Takes back exactly what cgroup_device_allow() added. Can be done again; 0 where there was
 * nothing. */
int cgroup_device_deny(struct cgroup_device *gates, const struct devnum *number,
                       struct refusal *why);

/*
 * Looks whether what we put in place is still there (a runtime's update or systemd's daemon-reload
 * may have replaced it) and puts it back. Returns how many repairs were made, or a negative errno.
 */
int cgroup_device_repair(struct cgroup_device *gates, struct refusal *why);

/*
 * Asks from within the container's groups whether the device number may be used, whatever was
 * allowed: nothing is changed, and nothing opened. Returns 0, or a negative errno with the gate
 * that may refuse in the reason; -ETIMEDOUT where the groups are frozen, or the machine very busy.
 */
int cgroup_device_ask(const struct cgroup_device *gates, const struct devnum *number,
                      unsigned access, struct refusal *why);

/* For `status`: "v1 /lxc.payload.c1", "v2 /c1 spliced", "none" and the like. Returns out. */
const char *cgroup_device_describe(const struct cgroup_device *gates, char *out, size_t size);
