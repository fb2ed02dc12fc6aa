/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Device programs as runtimes make them: everything is denied but mknod, /dev/null, zero, full,
 * random, urandom, tty, ptmx and the ptys. What differs between the shapes is how the program is
 * written, since that decides how another can be put before it.
 *
 *   runc, crun, lxc, systemd: comparisons and jumps only, each in its own way
 *   map:      looks the device up in a hash map
 *   helper:   calls a kernel helper before it compares
 *   subprog:  compares in a function of its own
 *
 * A header alone, so that a helper program is one file.
 */

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define SHAPE_MAX 512 /* instructions */

enum shape {
    SHAPE_RUNC,
    SHAPE_CRUN,
    SHAPE_LXC,
    SHAPE_SYSTEMD,
    SHAPE_MAP,
    SHAPE_HELPER,
    SHAPE_SUBPROG,
    SHAPE_COUNT
};

static const char *const shape_names[SHAPE_COUNT] = {
    [SHAPE_RUNC] = "runc",       [SHAPE_CRUN] = "crun", [SHAPE_LXC] = "lxc",
    [SHAPE_SYSTEMD] = "systemd", [SHAPE_MAP] = "map",   [SHAPE_HELPER] = "helper",
    [SHAPE_SUBPROG] = "subprog",
};

struct shape_rule {
    int type;   /* BPF_DEVCG_DEV_* */
    int access; /* BPF_DEVCG_ACC_*, 7: any, nothing compared */
    int major;  /* -1: any */
    int minor;
};

static const struct shape_rule shape_rules[] = {
    {BPF_DEVCG_DEV_CHAR, BPF_DEVCG_ACC_MKNOD, -1, -1},
    {BPF_DEVCG_DEV_BLOCK, BPF_DEVCG_ACC_MKNOD, -1, -1},
    {BPF_DEVCG_DEV_CHAR, 7, 1, 3},
    {BPF_DEVCG_DEV_CHAR, 7, 1, 5},
    {BPF_DEVCG_DEV_CHAR, 7, 1, 7},
    {BPF_DEVCG_DEV_CHAR, 7, 1, 8},
    {BPF_DEVCG_DEV_CHAR, 7, 1, 9},
    {BPF_DEVCG_DEV_CHAR, 7, 5, 0},
    {BPF_DEVCG_DEV_CHAR, 7, 5, 2},
    {BPF_DEVCG_DEV_CHAR, 7, 136, -1},
};
#define SHAPE_RULES (sizeof(shape_rules) / sizeof(shape_rules[0]))

struct shape_code {
    struct bpf_insn code[SHAPE_MAX];
    size_t count;
};

static inline void shape_add(struct shape_code *out, int code, int to, int from, int offset,
                             int immediate)
{
    out->code[out->count++] = (struct bpf_insn){.code = (uint8_t)code,
                                                .dst_reg = (unsigned)to & 0xf,
                                                .src_reg = (unsigned)from & 0xf,
                                                .off = (int16_t)offset,
                                                .imm = immediate};
}

static inline void shape_load(struct shape_code *out, int to, int from, size_t offset)
{
    shape_add(out, BPF_LDX | BPF_W | BPF_MEM, to, from, (int)offset, 0);
}

static inline void shape_return(struct shape_code *out, int move, int value)
{
    shape_add(out, move, 0, 0, 0, value);
    shape_add(out, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

#define SHAPE_MOVE32 (BPF_ALU | BPF_MOV | BPF_K)
#define SHAPE_MOVE64 (BPF_ALU64 | BPF_MOV | BPF_K)

/* r2 type, r3 access, r4 major, r5 minor, out of the context in r1. */
static inline void shape_context(struct shape_code *out, bool wide_operations)
{
    int operation = wide_operations ? BPF_ALU64 : BPF_ALU;
    shape_load(out, 2, 1, offsetof(struct bpf_cgroup_dev_ctx, access_type));
    shape_add(out, operation | BPF_AND | BPF_K, 2, 0, 0, 0xffff);
    shape_load(out, 3, 1, offsetof(struct bpf_cgroup_dev_ctx, access_type));
    shape_add(out, operation | BPF_RSH | BPF_K, 3, 0, 0, 16);
    shape_load(out, 4, 1, offsetof(struct bpf_cgroup_dev_ctx, major));
    shape_load(out, 5, 1, offsetof(struct bpf_cgroup_dev_ctx, minor));
}

/*
 * One rule: past `tail` more instructions when it does not fit. `access_first` is systemd's order,
 * and LXC compares types last.
 */
static inline void shape_rule_tests(struct shape_code *out, const struct shape_rule *rule,
                                    bool access_first, int tail)
{
    int not_equal = BPF_JMP | BPF_JNE | BPF_K;
    int left = 1 + (rule->access != 7 ? 3 : 0) + (rule->major >= 0) + (rule->minor >= 0) + tail;
    if (!access_first)
        shape_add(out, not_equal, 2, 0, --left, rule->type);
    if (rule->access != 7) {
        shape_add(out, BPF_ALU | BPF_MOV | BPF_X, 1, 3, 0, 0);
        shape_add(out, BPF_ALU | BPF_AND | BPF_K, 1, 0, 0, rule->access);
        left -= 3;
        shape_add(out, BPF_JMP | BPF_JNE | BPF_X, 1, 3, left, 0);
    }
    if (access_first)
        shape_add(out, not_equal, 2, 0, --left, rule->type);
    if (rule->major >= 0)
        shape_add(out, not_equal, 4, 0, --left, rule->major);
    if (rule->minor >= 0)
        shape_add(out, not_equal, 5, 0, --left, rule->minor);
}

/* Each rule ends in its own return, as runc, crun and LXC write it. */
static inline void shape_rules_returning(struct shape_code *out, int move)
{
    for (size_t i = 0; i < SHAPE_RULES; i++) {
        shape_rule_tests(out, &shape_rules[i], false, 2);
        shape_return(out, move, 1);
    }
    shape_return(out, move, 0);
}

/* Each rule jumps forward to the one place that allows, as systemd writes it. */
static inline void shape_rules_jumping(struct shape_code *out)
{
    size_t jumps[SHAPE_RULES];
    for (size_t i = 0; i < SHAPE_RULES; i++) {
        shape_rule_tests(out, &shape_rules[i], true, 1);
        jumps[i] = out->count;
        shape_add(out, BPF_JMP | BPF_JA, 0, 0, 0, 0);
    }
    shape_add(out, SHAPE_MOVE64, 0, 0, 0, 0);
    shape_add(out, BPF_JMP | BPF_JA, 0, 0, 1, 0);
    for (size_t i = 0; i < SHAPE_RULES; i++)
        out->code[jumps[i]].off = (int16_t)(out->count - jumps[i] - 1);
    shape_return(out, SHAPE_MOVE64, 1);
}

/* mknod is allowed; else the pair of numbers has to be in the map, or (character) its major with
 * ~0. */
static inline void shape_by_map(struct shape_code *out, int map_fd)
{
    shape_context(out, true);
    shape_add(out, BPF_JMP | BPF_JNE | BPF_K, 3, 0, 2, BPF_DEVCG_ACC_MKNOD);
    shape_return(out, SHAPE_MOVE64, 1);
    shape_add(out, BPF_JMP | BPF_JNE | BPF_K, 2, 0, 9, BPF_DEVCG_DEV_CHAR);
    shape_add(out, BPF_STX | BPF_W | BPF_MEM, 10, 4, -8, 0);
    shape_add(out, BPF_STX | BPF_W | BPF_MEM, 10, 5, -4, 0);
    shape_add(out, BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0);
    shape_add(out, BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -8);
    shape_add(out, BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, map_fd);
    shape_add(out, 0, 0, 0, 0, 0);
    shape_add(out, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem);
    shape_add(out, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1, 0);
    shape_add(out, BPF_JMP | BPF_JA, 0, 0, 2, 0);
    shape_return(out, SHAPE_MOVE64, 0);
    shape_return(out, SHAPE_MOVE64, 1);
}

static inline int shape_new_map(void)
{
    int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "test_devices", 8, 4, 64, NULL);
    for (size_t i = 0; fd >= 0 && i < SHAPE_RULES; i++) {
        uint32_t key[2] = {(uint32_t)shape_rules[i].major, (uint32_t)shape_rules[i].minor};
        uint32_t value = 1;
        if (shape_rules[i].minor >= 0)
            bpf_map_update_elem(fd, key, &value, BPF_ANY);
    }
    return fd;
}

static inline void shape_after_helper(struct shape_code *out)
{
    shape_add(out, BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0);
    shape_add(out, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ktime_get_ns);
    shape_add(out, BPF_ALU64 | BPF_MOV | BPF_X, 1, 6, 0, 0);
    shape_context(out, false);
    shape_rules_returning(out, SHAPE_MOVE32);
}

static inline void shape_in_subprogram(struct shape_code *out)
{
    shape_add(out, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 1);
    shape_add(out, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
    shape_context(out, false);
    shape_rules_returning(out, SHAPE_MOVE32);
}

static inline void shape_write(enum shape shape, int map_fd, struct shape_code *out)
{
    memset(out, 0, sizeof(*out));
    switch (shape) {
    case SHAPE_RUNC:
        shape_context(out, false);
        shape_rules_returning(out, SHAPE_MOVE32);
        break;
    case SHAPE_CRUN:
        shape_context(out, true);
        shape_rules_returning(out, SHAPE_MOVE64);
        break;
    case SHAPE_LXC:
        shape_context(out, false);
        shape_rules_returning(out, SHAPE_MOVE64);
        break;
    case SHAPE_SYSTEMD:
        shape_context(out, false);
        shape_rules_jumping(out);
        break;
    case SHAPE_MAP:
        shape_by_map(out, map_fd);
        break;
    case SHAPE_HELPER:
        shape_after_helper(out);
        break;
    case SHAPE_SUBPROG:
        shape_in_subprogram(out);
        break;
    case SHAPE_COUNT:
        break;
    }
}

/*
 * Loads a program of that shape. Half of the shapes give the expected attach type, as half of the
 * runtimes do. Returns its descriptor or a negative errno.
 */
static inline int shape_load_program(enum shape shape)
{
    struct shape_code code;
    int map_fd = shape == SHAPE_MAP ? shape_new_map() : -1;
    if (shape == SHAPE_MAP && map_fd < 0)
        return map_fd;
    shape_write(shape, map_fd, &code);
    LIBBPF_OPTS(bpf_prog_load_opts, options,
                .expected_attach_type =
                    (enum bpf_attach_type)(shape % 2 == 0 ? BPF_CGROUP_DEVICE : 0));
    int fd =
        bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, shape == SHAPE_SYSTEMD ? "sd_devices" : NULL,
                      "GPL", code.code, code.count, &options);
    if (map_fd >= 0)
        close(map_fd);
    return fd;
}

enum shape_flags { SHAPE_EXCLUSIVE, SHAPE_OVERRIDE, SHAPE_MULTI, SHAPE_LINK, SHAPE_FLAGS_COUNT };

static const char *const shape_flag_names[SHAPE_FLAGS_COUNT] = {
    [SHAPE_EXCLUSIVE] = "0",
    [SHAPE_OVERRIDE] = "override",
    [SHAPE_MULTI] = "multi",
    [SHAPE_LINK] = "link",
};

/* Attaches it. Returns 0, or the descriptor of the link (above 0), or a negative errno. */
static inline int shape_attach(int program_fd, int group_fd, enum shape_flags flags)
{
    static const unsigned values[] = {
        [SHAPE_EXCLUSIVE] = 0,
        [SHAPE_OVERRIDE] = BPF_F_ALLOW_OVERRIDE,
        [SHAPE_MULTI] = BPF_F_ALLOW_MULTI,
    };
    if (flags == SHAPE_LINK)
        return bpf_link_create(program_fd, group_fd, BPF_CGROUP_DEVICE, NULL);
    return bpf_prog_attach(program_fd, group_fd, BPF_CGROUP_DEVICE, values[flags]);
}
