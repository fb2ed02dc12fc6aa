/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Device programs and their maps as the kernel keeps them: loaded, looked at, told apart. Ours are
 * known by their name. bpf(2); linux/bpf.h.
 */

#include <linux/bpf.h>

#include "kernel/device_map.h"
#include "model/device_filter.h"

#define DEVICE_PROGRAM_NAME "devolve_dev"    /* of our programs, as `bpftool prog` shows it */
#define DEVICE_PROGRAM_ARRAY "devolve_array" /* of the array for a tail call */
#define DEVICE_PROGRAM_MAPS_MAX 64           /* MAX_USED_MAPS of linux/bpf_verifier.h */

struct device_program {
    uint32_t id;
    char name[BPF_OBJ_NAME_LEN];
    uint8_t tag[BPF_TAG_SIZE]; /* hash of the instructions, maps left out */
    bool ours;
    uint32_t map_ids[DEVICE_PROGRAM_MAPS_MAX];
    size_t map_count;
};

/* Looks at a loaded program. Returns 0 or a negative errno. */
int device_program_look(int program_fd, struct device_program *ret);

/* The same for an id; where `ret_fd` is not NULL the program is kept there. -ENOENT: it is gone. */
int device_program_find(uint32_t id, struct device_program *ret, int *ret_fd);

/*
 * The id of the map of this kind and name that a program of ours uses: DEVICE_MAP_NAME (hash) or
 * DEVICE_PROGRAM_ARRAY (array). Returns 1 and *ret_id, or 0.
 */
int device_program_map(const struct device_program *program, const char *name, uint32_t *ret_id);

/*
 * Reads the instructions back. count is 0 where the kernel does not show them. Returns 0 or a
 * negative errno.
 */
int device_program_read(int program_fd, struct device_filter *ret);

/*
 * A program of ours that does what `program_fd` does, and before that asks our map. Spliced where
 * that loads (*ret_array_fd is -1), else by tail call out of an array that the caller has to keep
 * alive
 * (*ret_array_fd); where `splice_only`, a program that would need that is refused with -ENOTSUP.
 * Returns 0 and both descriptors, or a negative errno and in `ret_reason` (static text) why not
 * spliced.
 */
int device_program_wrap(int program_fd, int map_fd, bool splice_only, int *ret_fd,
                        int *ret_array_fd, const char **ret_reason);

/* The program in the slot of a tail call's array: 1, *ret_fd (if not NULL) and *ret_id; or 0. */
int device_program_in_array(int array_fd, uint32_t *ret_id, int *ret_fd);
