/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/device_program.h"

#include <bpf/bpf.h>
#include <errno.h>

/* Neither map look-up nor tail call asks for more of a program's licence. */
#define LICENSE "LGPL-2.1-or-later"

#define POINTER(pointer) ((uint64_t)(uintptr_t)(pointer))

int device_program_look(int program_fd, struct device_program *ret)
{
    struct device_program program = {0};
    struct bpf_prog_info info = {.nr_map_ids = DEVICE_PROGRAM_MAPS_MAX,
                                 .map_ids = POINTER(program.map_ids)};
    uint32_t length = sizeof(info);
    int r = bpf_obj_get_info_by_fd(program_fd, &info, &length);
    if (r < 0)
        return r;
    program.id = info.id;
    program.map_count =
        info.nr_map_ids < DEVICE_PROGRAM_MAPS_MAX ? info.nr_map_ids : DEVICE_PROGRAM_MAPS_MAX;
    memcpy(program.name, info.name, sizeof(program.name));
    memcpy(program.tag, info.tag, sizeof(program.tag));
    program.ours = streq(program.name, DEVICE_PROGRAM_NAME);
    *ret = program;
    return 0;
}

int device_program_find(uint32_t id, struct device_program *ret, int *ret_fd)
{
    _cleanup_close_ int fd = bpf_prog_get_fd_by_id(id);
    int r = fd < 0 ? fd : device_program_look(fd, ret);
    if (r >= 0 && ret_fd)
        *ret_fd = TAKE_FD(fd);
    return r;
}

static int map_info(uint32_t id, struct bpf_map_info *ret)
{
    _cleanup_close_ int fd = bpf_map_get_fd_by_id(id);
    uint32_t length = sizeof(*ret);
    memset(ret, 0, sizeof(*ret));
    return fd < 0 ? fd : bpf_obj_get_info_by_fd(fd, ret, &length);
}

int device_program_map(const struct device_program *program, const char *name, uint32_t *ret_id)
{
    bool array = streq(name, DEVICE_PROGRAM_ARRAY);
    for (size_t i = 0; i < program->map_count; i++) {
        struct bpf_map_info info;
        if (map_info(program->map_ids[i], &info) < 0 || !streq(info.name, name))
            continue;
        if (array ? info.type != BPF_MAP_TYPE_PROG_ARRAY
                  : info.type != BPF_MAP_TYPE_HASH ||
                        info.key_size != sizeof(struct device_filter_key) ||
                        info.value_size != sizeof(uint32_t))
            continue;
        *ret_id = program->map_ids[i];
        return 1;
    }
    return 0;
}

/* The kernel clears xlated_prog_insns where it does not show the code: blinded, or kptr_restrict.
 */
int device_program_read(int program_fd, struct device_filter *ret)
{
    struct bpf_prog_info info = {0};
    uint32_t length = sizeof(info);
    int r = bpf_obj_get_info_by_fd(program_fd, &info, &length);
    if (r < 0)
        return r;
    uint32_t size = info.xlated_prog_len;
    struct bpf_insn *instructions = calloc(1, size ? size : 1);
    if (!instructions)
        return -ENOMEM;
    info =
        (struct bpf_prog_info){.xlated_prog_len = size, .xlated_prog_insns = POINTER(instructions)};
    length = sizeof(info);
    r = bpf_obj_get_info_by_fd(program_fd, &info, &length);
    if (r < 0) {
        free(instructions);
        return r;
    }
    *ret = (struct device_filter){.instructions = instructions};
    if (info.xlated_prog_insns && info.xlated_prog_len <= size)
        ret->count = info.xlated_prog_len / sizeof(*instructions);
    return 0;
}

static int load(const struct device_filter *filter, enum bpf_attach_type expected)
{
    LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = expected);
    return bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, DEVICE_PROGRAM_NAME, LICENSE,
                         filter->instructions, filter->count, &options);
}

static int splice(int program_fd, int map_fd, const char **ret_reason)
{
    _cleanup_(device_filter_done) struct device_filter own = {0}, spliced = {0};
    int r = device_program_read(program_fd, &own);
    if (r < 0)
        return r;
    if (!device_filter_can_splice(own.instructions, own.count, ret_reason))
        return -ENOTSUP;
    r = device_filter_splice(map_fd, own.instructions, own.count, &spliced);
    if (r < 0)
        return r;
    *ret_reason = "the kernel does not load it behind another";
    int fd = load(&spliced, BPF_CGROUP_DEVICE);
    return fd < 0 ? -ENOTSUP : fd;
}

/*
 * Storage that is kept per attached program would be looked for under our program, which has none:
 * old kernels follow a null pointer then.
 */
static bool has_local_storage(int program_fd)
{
    struct device_program program;
    struct bpf_map_info info;
    if (device_program_look(program_fd, &program) < 0)
        return true;
    for (size_t i = 0; i < program.map_count; i++)
        if (map_info(program.map_ids[i], &info) < 0 || info.type == BPF_MAP_TYPE_CGROUP_STORAGE ||
            info.type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE)
            return true;
    return false;
}

static int new_array(int program_fd)
{
    _cleanup_close_ int fd = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, DEVICE_PROGRAM_ARRAY,
                                            sizeof(uint32_t), sizeof(uint32_t), 1, NULL);
    if (fd < 0)
        return fd;
    uint32_t slot = 0;
    int r = bpf_map_update_elem(fd, &slot, &program_fd, BPF_ANY);
    return r < 0 ? r : TAKE_FD(fd);
}

/*
 * The array takes its kind from the first program that is put in, and ours loads only when it is of
 * the same. The expected attach type, which is part of that, cannot be read: runtimes give either
 * none, which is 0 and the same number as BPF_CGROUP_INET_INGRESS, or the right one.
 */
static int chain(int program_fd, int map_fd, int *ret_fd, int *ret_array_fd,
                 const char **ret_reason)
{
    if (has_local_storage(program_fd)) {
        *ret_reason = "it uses storage of its own attachment";
        return -ENOTSUP;
    }
    _cleanup_(device_filter_done) struct device_filter filter = {0};
    _cleanup_close_ int array_fd = new_array(program_fd);
    int r = array_fd < 0 ? array_fd : device_filter_tail_call(map_fd, array_fd, &filter);
    if (r < 0)
        return r;
    int fd = load(&filter, BPF_CGROUP_DEVICE);
    if (fd < 0)
        fd = load(&filter, 0);
    if (fd < 0)
        return fd;
    *ret_fd = fd;
    *ret_array_fd = TAKE_FD(array_fd);
    return 0;
}

int device_program_wrap(int program_fd, int map_fd, bool splice_only, int *ret_fd,
                        int *ret_array_fd, const char **ret_reason)
{
    int fd = splice(program_fd, map_fd, ret_reason);
    if (fd == -ENOTSUP && !splice_only)
        return chain(program_fd, map_fd, ret_fd, ret_array_fd, ret_reason);
    if (fd < 0)
        return fd;
    *ret_fd = fd;
    *ret_array_fd = -1;
    return 0;
}

int device_program_in_array(int array_fd, uint32_t *ret_id, int *ret_fd)
{
    uint32_t slot = 0, id;
    int r = bpf_map_lookup_elem(array_fd, &slot, &id);
    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return r;
    int fd = bpf_prog_get_fd_by_id(id);
    if (fd < 0)
        return fd;
    *ret_id = id;
    if (ret_fd)
        *ret_fd = fd;
    else
        fd_close(fd);
    return 1;
}
