/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/device_filter.h"

#include <assert.h>
#include <errno.h>
#include <linux/bpf_common.h>
#include <stddef.h>

#include "model/share.h"

/*
 * Registers of the prologue: r6 keeps the context and r7 the asked access over the helper call, r0
 * to r5 are scratch. The key is built at the end of the stack frame. A program that follows sees
 * what the kernel gives every program, the context in r1, and must not count on anything else; the
 * verifier judges the whole, so that one that did would not load.
 */

#define LAST_REGISTER BPF_REG_10 /* r11 is the kernel's own, for blinding and for sanitation */
#define KEY_OFFSET (-(int)sizeof(struct device_filter_key))

#define WIDE(register_, source, value)                                                             \
    {.code = BPF_LD | BPF_DW | BPF_IMM,                                                            \
     .dst_reg = (register_),                                                                       \
     .src_reg = (source),                                                                          \
     .imm = (value)},                                                                              \
    {                                                                                              \
        .code = 0                                                                                  \
    }
#define LOAD(to, from, offset)                                                                     \
    {                                                                                              \
        .code = BPF_LDX | BPF_W | BPF_MEM, .dst_reg = (to), .src_reg = (from),                     \
        .off = (int16_t)(offset)                                                                   \
    }
#define STORE(to, offset, from)                                                                    \
    {                                                                                              \
        .code = BPF_STX | BPF_W | BPF_MEM, .dst_reg = (to), .src_reg = (from),                     \
        .off = (int16_t)(offset)                                                                   \
    }
#define MOVE(to, from)                                                                             \
    {                                                                                              \
        .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (to), .src_reg = (from)                    \
    }
#define SET(to, value)                                                                             \
    {                                                                                              \
        .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (to), .imm = (value)                       \
    }
#define COMPUTE(operation, to, value)                                                              \
    {                                                                                              \
        .code = BPF_ALU64 | (operation) | BPF_K, .dst_reg = (to), .imm = (value)                   \
    }
#define HELPER(number)                                                                             \
    {                                                                                              \
        .code = BPF_JMP | BPF_CALL, .imm = (number)                                                \
    }
#define LEAVE()                                                                                    \
    {                                                                                              \
        .code = BPF_JMP | BPF_EXIT                                                                 \
    }

void device_filter_done(struct device_filter *filter)
{
    free(filter->instructions);
    *filter = (struct device_filter){0};
}

struct device_filter_key device_filter_key(const struct devnum *number)
{
    assert(number->kind != NODE_NONE);
    return (struct device_filter_key){
        .type = number->kind == NODE_BLOCK ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR,
        .major = number->major,
        .minor = number->minor,
    };
}

uint32_t device_filter_access(unsigned share_access)
{
    uint32_t bits = 0;
    if (share_access & ACCESS_READ)
        bits |= BPF_DEVCG_ACC_READ;
    if (share_access & ACCESS_WRITE)
        bits |= BPF_DEVCG_ACC_WRITE;
    if (share_access & ACCESS_MKNOD)
        bits |= BPF_DEVCG_ACC_MKNOD;
    return bits;
}

static const char *why_no_call(const struct bpf_insn *instruction)
{
    switch (instruction->src_reg) {
    case 0:
        return "it calls a helper";
    case BPF_PSEUDO_CALL:
        return "it has a subprogram";
    default:
        return "it calls a kernel function";
    }
}

static const char *why_no_jump(const struct bpf_insn *instruction, bool wide)
{
    unsigned operation = BPF_OP(instruction->code);
    if (operation == BPF_CALL)
        return wide ? why_no_call(instruction) : "it has an unknown instruction";
    if (operation > BPF_JSLE || (!wide && (operation == BPF_JA || operation == BPF_EXIT)))
        return "it has an unknown instruction";
    return NULL;
}

static const char *why_no_wide_immediate(const struct bpf_insn *instruction, size_t left)
{
    if (instruction->code != (BPF_LD | BPF_DW | BPF_IMM))
        return "it has an unknown instruction";
    if (instruction->src_reg != 0)
        return "it uses a map or a kernel address";
    return left < 2 ? "it ends within an instruction" : NULL;
}

/* What is read back is the kernel's own form of the program: only what has one meaning passes. */
static const char *why_no_splice(const struct bpf_insn *instruction, size_t left)
{
    if (instruction->dst_reg > LAST_REGISTER || instruction->src_reg > LAST_REGISTER)
        return "its constants are blinded (net.core.bpf_jit_harden)";

    switch (BPF_CLASS(instruction->code)) {
    case BPF_ALU:
    case BPF_ALU64:
        return instruction->off ? "it has an unknown instruction" : NULL;
    case BPF_JMP:
        return why_no_jump(instruction, true);
    case BPF_JMP32:
        return why_no_jump(instruction, false);
    case BPF_LDX:
    case BPF_ST:
    case BPF_STX:
        return BPF_MODE(instruction->code) == BPF_MEM ? NULL : "it has an unknown instruction";
    default:
        return why_no_wide_immediate(instruction, left);
    }
}

int device_filter_can_splice(const struct bpf_insn *instructions, size_t count,
                             const char **ret_reason)
{
    if (count == 0) {
        *ret_reason = "its instructions cannot be read";
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        const char *reason = why_no_splice(&instructions[i], count - i);
        if (reason) {
            *ret_reason = reason;
            return 0;
        }
        if (BPF_CLASS(instructions[i].code) == BPF_LD)
            i++; /* a wide immediate takes two */
    }
    return 1;
}

/* Room for the prologue and `more` instructions behind it; the prologue is written, count is its
 * own. */
static int begin(int map_fd, size_t more, struct device_filter *ret)
{
    const struct bpf_insn prologue[] = {
        MOVE(BPF_REG_6, BPF_REG_1),
        /* access_type is (asked access << 16) | type */
        LOAD(BPF_REG_2, BPF_REG_6, offsetof(struct bpf_cgroup_dev_ctx, access_type)),
        MOVE(BPF_REG_7, BPF_REG_2),
        COMPUTE(BPF_RSH, BPF_REG_7, 16),
        COMPUTE(BPF_AND, BPF_REG_2, 0xffff),
        STORE(BPF_REG_10, KEY_OFFSET + (int)offsetof(struct device_filter_key, type), BPF_REG_2),
        LOAD(BPF_REG_2, BPF_REG_6, offsetof(struct bpf_cgroup_dev_ctx, major)),
        STORE(BPF_REG_10, KEY_OFFSET + (int)offsetof(struct device_filter_key, major), BPF_REG_2),
        LOAD(BPF_REG_2, BPF_REG_6, offsetof(struct bpf_cgroup_dev_ctx, minor)),
        STORE(BPF_REG_10, KEY_OFFSET + (int)offsetof(struct device_filter_key, minor), BPF_REG_2),
        MOVE(BPF_REG_2, BPF_REG_10),
        COMPUTE(BPF_ADD, BPF_REG_2, KEY_OFFSET),
        WIDE(BPF_REG_1, BPF_PSEUDO_MAP_FD, map_fd),
        HELPER(BPF_FUNC_map_lookup_elem),
        /* not in the map, or not with all that is asked: past the exit */
        {.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = BPF_REG_0, .off = 5},
        LOAD(BPF_REG_0, BPF_REG_0, 0),
        {.code = BPF_ALU64 | BPF_AND | BPF_X, .dst_reg = BPF_REG_0, .src_reg = BPF_REG_7},
        {.code = BPF_JMP | BPF_JNE | BPF_X, .dst_reg = BPF_REG_0, .src_reg = BPF_REG_7, .off = 2},
        SET(BPF_REG_0, 1),
        LEAVE(),
        MOVE(BPF_REG_1, BPF_REG_6),
    };

    ret->instructions = calloc(ARRAY_SIZE(prologue) + more, sizeof(*ret->instructions));
    if (!ret->instructions)
        return -ENOMEM;
    memcpy(ret->instructions, prologue, sizeof(prologue));
    ret->count = ARRAY_SIZE(prologue);
    return 0;
}

static void append(struct device_filter *filter, const struct bpf_insn *instructions, size_t count)
{
    memcpy(&filter->instructions[filter->count], instructions, count * sizeof(*instructions));
    filter->count += count;
}

/*
 * Undoes what the kernel wrote into the program when it was loaded first. Context accesses of this
 * program type are not rewritten (cg_dev_verifier_ops of kernel/bpf/cgroup.c converts none). On
 * machines whose 32-bit operations keep the upper half, the kernel adds moves that clear it and
 * marks them with an immediate of 1 (insn_is_zext() of linux/filter.h), which it refuses from
 * outside.
 */
static void restore_written_form(struct bpf_insn *instructions, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (instructions[i].code == (BPF_ALU | BPF_MOV | BPF_X) && instructions[i].imm == 1)
            instructions[i].imm = 0;
        else if (BPF_CLASS(instructions[i].code) == BPF_LD)
            i++;
}

int device_filter_splice(int map_fd, const struct bpf_insn *instructions, size_t count,
                         struct device_filter *ret)
{
    struct device_filter filter;
    int r = begin(map_fd, count, &filter);
    if (r < 0)
        return r;
    append(&filter, instructions, count);
    restore_written_form(&filter.instructions[filter.count - count], count);
    *ret = filter;
    return 0;
}

int device_filter_tail_call(int map_fd, int array_fd, struct device_filter *ret)
{
    const struct bpf_insn call[] = {
        WIDE(BPF_REG_2, BPF_PSEUDO_MAP_FD, array_fd),
        SET(BPF_REG_3, 0),
        HELPER(BPF_FUNC_tail_call),
        SET(BPF_REG_0, 0), /* only reached where the slot is empty */
        LEAVE(),
    };
    struct device_filter filter;
    int r = begin(map_fd, ARRAY_SIZE(call), &filter);
    if (r < 0)
        return r;
    append(&filter, call, ARRAY_SIZE(call));
    *ret = filter;
    return 0;
}
