/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Programs for BPF_PROG_TYPE_CGROUP_DEVICE (linux/bpf_verifier, struct bpf_cgroup_dev_ctx): the
 * prologue that looks a device up in our map, and the two ways to go on with a runtime's own
 * program. Instructions are built here and loaded by kernel/cgroup_device_v2.h.
 */

#include <linux/bpf.h>

#include "base/util.h"
#include "model/device.h"

/* Key of our hash map; the value is a uint32_t of allowed access bits, BPF_DEVCG_ACC_*. */
struct device_filter_key {
    uint32_t type; /* BPF_DEVCG_DEV_CHAR or BPF_DEVCG_DEV_BLOCK */
    uint32_t major;
    uint32_t minor;
};

struct device_filter {
    struct bpf_insn *instructions; /* owned */
    size_t count;
};

void device_filter_done(struct device_filter *filter);

/* The key of a device number that has a node, and the access bits of enum share_access. */
struct device_filter_key device_filter_key(const struct devnum *number);
uint32_t device_filter_access(unsigned share_access);

/*
 * Whether a program that was read back (bpf_obj_get_info_by_fd, xlated) can stand behind our
 * prologue: no helper or kfunc call, no subprogram, no map reference, no wide immediate with a
 * pseudo source. Returns 1, or 0 and in *ret_reason (static text) why not.
 */
int device_filter_can_splice(const struct bpf_insn *instructions, size_t count,
                             const char **ret_reason);

/*
 * The prologue and then the runtime's program: {type, major, minor} found in the map with all bits
 * of the asked access → return 1, else the program as it was. r1 (the context) is restored and no
 * register that the verifier would call uninitialised is relied on. xlated code that the kernel
 * rewrote from a context access is turned back where the kernel does such rewriting. Returns 0 or
 * -ENOMEM.
 */
int device_filter_splice(int map_fd, const struct bpf_insn *instructions, size_t count,
                         struct device_filter *ret);

/*
 * The prologue and then a tail call into slot 0 of the program array `array_fd`; where the slot is
 * empty everything else is denied (return 0). Returns 0 or -ENOMEM.
 */
int device_filter_tail_call(int map_fd, int array_fd, struct device_filter *ret);
