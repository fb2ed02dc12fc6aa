/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/device_filter.h"
#include "model/share.h"

#define MAP_FD 70
#define ARRAY_FD 71
#define STACK_SIZE 512

#define RUNTIME_ALLOWS_NULL                                                                        \
    LOAD(2, 1, 0), ALU(BPF_AND, 2, 0xffff), LOAD(4, 1, 4), LOAD(5, 1, 8), JUMP_NOT(2, 2, 4),       \
        JUMP_NOT(4, 1, 3), JUMP_NOT(5, 3, 2), SET(0, 1), LEAVE, SET(0, 0), LEAVE

#define ROW(...) ((struct bpf_insn){__VA_ARGS__})
#define LOAD(to, from, offset)                                                                     \
    ROW(.code = BPF_LDX | BPF_W | BPF_MEM, .dst_reg = (to), .src_reg = (from), .off = (offset))
#define ALU(operation, to, value)                                                                  \
    ROW(.code = BPF_ALU | (operation) | BPF_K, .dst_reg = (to), .imm = (value))
#define JUMP_NOT(register_, value, by)                                                             \
    ROW(.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = (register_), .imm = (value), .off = (by))
#define SET(to, value) ROW(.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (to), .imm = (value))
#define LEAVE ROW(.code = BPF_JMP | BPF_EXIT)
#define CALL(source, number) ROW(.code = BPF_JMP | BPF_CALL, .src_reg = (source), .imm = (number))
#define WIDE(to, source, value)                                                                    \
    ROW(.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = (to), .src_reg = (source), .imm = (value)),  \
        ROW(.code = 0)

/* ---- a machine for such programs, which knows only what they use ---- */

struct machine {
    struct bpf_cgroup_dev_ctx context;
    struct device_filter_key key; /* the one entry of the map */
    uint32_t bits;                /* 0: the map is empty */
    int called;                   /* what the tail call's program returns; -1: the slot is empty */
    uint64_t registers[11];
    uint8_t known[11]; /* has been written: what the verifier insists on */
    uint8_t stack[STACK_SIZE];
    uint8_t stack_known[STACK_SIZE];
};

static uint64_t get(struct machine *machine, unsigned index)
{
    assert_in_range(index, 0, 10);
    assert_true(machine->known[index]);
    return machine->registers[index];
}

static void set(struct machine *machine, unsigned index, uint64_t value)
{
    assert_in_range(index, 0, 9); /* r10 is read-only */
    machine->registers[index] = value;
    machine->known[index] = 1;
}

/* Whether `size` bytes at an address are the machine's own, and have been written. */
static void check_read(struct machine *machine, uint64_t address, size_t size)
{
    uint64_t context = (uintptr_t)&machine->context, stack = (uintptr_t)machine->stack;
    uint64_t bits = (uintptr_t)&machine->bits;
    if (address == bits && size == sizeof(machine->bits))
        return;
    if (address >= context && address + size <= context + sizeof(machine->context))
        return;
    assert_true(address >= stack && address + size <= stack + STACK_SIZE);
    for (size_t i = 0; i < size; i++)
        assert_true(machine->stack_known[address - stack + i]);
}

static void load(struct machine *machine, const struct bpf_insn *insn)
{
    uint32_t value;
    uint64_t address = get(machine, insn->src_reg) + (uint64_t)(int64_t)insn->off;
    assert_int_equal(insn->code, BPF_LDX | BPF_W | BPF_MEM);
    check_read(machine, address, sizeof(value));
    memcpy(&value, (const void *)(uintptr_t)address, sizeof(value));
    set(machine, insn->dst_reg, value);
}

static void store(struct machine *machine, const struct bpf_insn *insn)
{
    uint32_t value = (uint32_t)get(machine, insn->src_reg);
    uint64_t at = get(machine, insn->dst_reg) + (uint64_t)(int64_t)insn->off -
                  (uint64_t)(uintptr_t)machine->stack;
    assert_int_equal(insn->code, BPF_STX | BPF_W | BPF_MEM);
    assert_in_range(at, 0, STACK_SIZE - sizeof(value));
    assert_int_equal(at % sizeof(value), 0);
    memcpy(&machine->stack[at], &value, sizeof(value));
    memset(&machine->stack_known[at], 1, sizeof(value));
}

static void compute(struct machine *machine, const struct bpf_insn *insn)
{
    bool half = BPF_CLASS(insn->code) == BPF_ALU;
    uint64_t by =
        BPF_SRC(insn->code) == BPF_X ? get(machine, insn->src_reg) : (uint64_t)(int64_t)insn->imm;
    uint64_t value = BPF_OP(insn->code) == BPF_MOV ? 0 : get(machine, insn->dst_reg);
    assert_true(BPF_OP(insn->code) != BPF_MOV || BPF_SRC(insn->code) == BPF_K || insn->imm == 0);
    if (half)
        value = (uint32_t)value, by = (uint32_t)by;
    switch (BPF_OP(insn->code)) {
    case BPF_MOV:
        value = by;
        break;
    case BPF_ADD:
        value += by;
        break;
    case BPF_AND:
        value &= by;
        break;
    case BPF_RSH:
        value >>= by;
        break;
    default:
        fail_msg("operation %x", insn->code);
    }
    set(machine, insn->dst_reg, half ? (uint32_t)value : value);
}

static bool jumps(struct machine *machine, const struct bpf_insn *insn)
{
    uint64_t left = get(machine, insn->dst_reg);
    uint64_t right =
        BPF_SRC(insn->code) == BPF_X ? get(machine, insn->src_reg) : (uint64_t)(int64_t)insn->imm;
    assert_true(BPF_OP(insn->code) == BPF_JEQ || BPF_OP(insn->code) == BPF_JNE);
    return BPF_OP(insn->code) == BPF_JEQ ? left == right : left != right;
}

static void look_up(struct machine *machine)
{
    struct device_filter_key key;
    assert_int_equal(get(machine, 1), MAP_FD);
    check_read(machine, get(machine, 2), sizeof(key));
    memcpy(&key, (const void *)(uintptr_t)get(machine, 2), sizeof(key));
    bool found = machine->bits && memcmp(&key, &machine->key, sizeof(key)) == 0;
    set(machine, 0, found ? (uintptr_t)&machine->bits : 0);
}

/* Returns whether the program ends here: the call went through. */
static bool call(struct machine *machine, int helper)
{
    bool gone = false;
    if (helper == BPF_FUNC_map_lookup_elem) {
        look_up(machine);
    } else {
        assert_int_equal(helper, BPF_FUNC_tail_call);
        assert_int_equal(get(machine, 1), (uintptr_t)&machine->context);
        assert_int_equal(get(machine, 2), ARRAY_FD);
        assert_int_equal(get(machine, 3), 0);
        gone = machine->called >= 0;
        set(machine, 0, (uint64_t)machine->called);
    }
    memset(&machine->known[1], 0, 5); /* a call leaves r1 to r5 undefined */
    if (!gone && helper == BPF_FUNC_tail_call)
        machine->known[0] = 0;
    return gone;
}

/* Runs it: what it returns. An endless program fails. */
static uint64_t run(struct machine *machine, const struct device_filter *filter)
{
    memset(machine->known, 0, sizeof(machine->known));
    memset(machine->stack_known, 0, sizeof(machine->stack_known));
    set(machine, 1, (uintptr_t)&machine->context);
    machine->registers[10] = (uintptr_t)machine->stack + STACK_SIZE;
    machine->known[10] = 1;
    for (size_t at = 0, steps = 0; steps < 1000; at++, steps++) {
        assert_in_range(at, 0, filter->count - 1);
        const struct bpf_insn *insn = &filter->instructions[at];
        switch (BPF_CLASS(insn->code)) {
        case BPF_LD:
            assert_int_equal(insn->src_reg, BPF_PSEUDO_MAP_FD);
            set(machine, insn->dst_reg, (uint64_t)insn->imm);
            at++;
            break;
        case BPF_LDX:
            load(machine, insn);
            break;
        case BPF_STX:
            store(machine, insn);
            break;
        case BPF_ALU:
        case BPF_ALU64:
            compute(machine, insn);
            break;
        default:
            if (insn->code == (BPF_JMP | BPF_EXIT))
                return get(machine, 0);
            if (insn->code == (BPF_JMP | BPF_CALL)) {
                if (call(machine, insn->imm))
                    return get(machine, 0);
            } else if (jumps(machine, insn)) {
                at += (size_t)insn->off;
            }
        }
    }
    fail_msg("it does not end");
    return 0;
}

/* ---- what is asked, and what comes out ---- */

#define C BPF_DEVCG_DEV_CHAR
#define B BPF_DEVCG_DEV_BLOCK
#define R BPF_DEVCG_ACC_READ
#define W BPF_DEVCG_ACC_WRITE
#define M BPF_DEVCG_ACC_MKNOD

/* The map holds c 188:1 with `granted`; the runtime allows c 1:3. */
static const struct {
    uint32_t granted, type, access, major, minor;
    uint64_t result;
} questions[] = {
    {R | W, C, R | W, 188, 1, 1},   {R | W, C, R, 188, 1, 1},     {R | W, C, W, 188, 1, 1},
    {R | W, C, M, 188, 1, 0},       {R | W, C, R | M, 188, 1, 0}, {R, C, R | W, 188, 1, 0},
    {R, C, R, 188, 1, 1},           {R | W | M, C, M, 188, 1, 1}, {R | W, B, R, 188, 1, 0},
    {R | W, C, R, 188, 0, 0},       {R | W, C, R, 187, 1, 0},     {0, C, R, 188, 1, 0},
    {R | W, C, R | W | M, 1, 3, 1}, {0, C, R | W, 1, 3, 1},       {R | W, B, R, 1, 3, 0},
    {R | W, C, R, 1, 4, 0},         {R, C, 0, 188, 1, 1},         {0, C, 0, 188, 1, 0},
};

static void ask_all(const struct device_filter *filter, bool tail_called)
{
    for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
        bool runtimes =
            questions[i].type == C && questions[i].major == 1 && questions[i].minor == 3;
        struct machine machine = {
            .context = {.access_type = questions[i].access << 16 | questions[i].type,
                        .major = questions[i].major,
                        .minor = questions[i].minor},
            .key = {.type = C, .major = 188, .minor = 1},
            .bits = questions[i].granted,
            .called = runtimes,
        };
        if (run(&machine, filter) != questions[i].result)
            fail_msg("%s, question %zu", tail_called ? "tail-called" : "spliced", i);
    }
}

static void a_spliced_program_allows_what_is_in_the_map_and_what_the_runtime_allowed(void **state)
{
    static const struct bpf_insn runtime[] = {RUNTIME_ALLOWS_NULL};
    struct device_filter filter;
    (void)state;
    assert_int_equal(device_filter_splice(MAP_FD, runtime, ARRAY_SIZE(runtime), &filter), 0);
    ask_all(&filter, false);
    device_filter_done(&filter);
    assert_null(filter.instructions);
    assert_int_equal(filter.count, 0);
}

static void a_tail_call_allows_what_is_in_the_map_and_what_the_called_one_allows(void **state)
{
    struct device_filter filter;
    (void)state;
    assert_int_equal(device_filter_tail_call(MAP_FD, ARRAY_FD, &filter), 0);
    ask_all(&filter, true);
    device_filter_done(&filter);
}

static void a_tail_call_into_an_empty_slot_denies_all_but_what_is_in_the_map(void **state)
{
    struct device_filter filter;
    struct machine machine = {
        .key = {.type = C, .major = 188, .minor = 1}, .bits = R, .called = -1};
    (void)state;
    assert_int_equal(device_filter_tail_call(MAP_FD, ARRAY_FD, &filter), 0);
    machine.context =
        (struct bpf_cgroup_dev_ctx){.access_type = R << 16 | C, .major = 1, .minor = 3};
    assert_int_equal(run(&machine, &filter), 0);
    machine.context = (struct bpf_cgroup_dev_ctx){R << 16 | C, 188, 1};
    assert_int_equal(run(&machine, &filter), 1);
    device_filter_done(&filter);
}

static void the_runtimes_instructions_stand_unchanged_behind_the_prologue(void **state)
{
    static const struct bpf_insn runtime[] = {RUNTIME_ALLOWS_NULL};
    struct device_filter filter;
    (void)state;
    assert_int_equal(device_filter_splice(MAP_FD, runtime, ARRAY_SIZE(runtime), &filter), 0);
    assert_true(filter.count > ARRAY_SIZE(runtime));
    assert_memory_equal(&filter.instructions[filter.count - ARRAY_SIZE(runtime)], runtime,
                        sizeof(runtime));
    device_filter_done(&filter);
}

/* The kernel's own marks are what it refuses to load; a wide immediate's second half is no
 * instruction. */
static void marks_of_the_kernel_are_taken_off(void **state)
{
    static const struct bpf_insn runtime[] = {
        ROW(.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = 3, .imm = 1),
        ROW(.code = 0, .imm = 1),
        ROW(.code = BPF_ALU | BPF_MOV | BPF_X, .dst_reg = 2, .src_reg = 2, .imm = 1),
        SET(0, 1),
        LEAVE,
    };
    struct device_filter filter;
    (void)state;
    assert_int_equal(device_filter_splice(MAP_FD, runtime, ARRAY_SIZE(runtime), &filter), 0);
    const struct bpf_insn *own = &filter.instructions[filter.count - ARRAY_SIZE(runtime)];
    assert_memory_equal(own, runtime, 2 * sizeof(*own));
    assert_int_equal(own[2].imm, 0);
    assert_int_equal(own[3].imm, 1);
    device_filter_done(&filter);
}

static void what_can_be_spliced_is_told_from_what_cannot(void **state)
{
    static const struct {
        struct bpf_insn code[12];
        size_t count;
        const char *reason; /* NULL: it can */
    } cases[] = {
        {{RUNTIME_ALLOWS_NULL}, 11, NULL},
        {{WIDE(1, 0, 5), SET(0, 1), LEAVE}, 4, NULL},
        {{ROW(.code = BPF_JMP32 | BPF_JEQ | BPF_K, .dst_reg = 2, .imm = 7), SET(0, 1), LEAVE},
         3,
         NULL},
        {{ROW(.code = BPF_STX | BPF_W | BPF_MEM, .dst_reg = 10, .src_reg = 1, .off = -4), SET(0, 1),
          LEAVE},
         3,
         NULL},
        {{LEAVE}, 0, "cannot be read"},
        {{CALL(0, BPF_FUNC_ktime_get_ns), LEAVE}, 2, "helper"},
        {{CALL(BPF_PSEUDO_CALL, 1), LEAVE, SET(0, 1), LEAVE}, 4, "subprogram"},
        {{CALL(BPF_PSEUDO_KFUNC_CALL, 1), LEAVE}, 2, "kernel function"},
        {{WIDE(1, BPF_PSEUDO_MAP_FD, 7), SET(0, 1), LEAVE}, 4, "map"},
        {{WIDE(1, BPF_PSEUDO_MAP_VALUE, 7), SET(0, 1), LEAVE}, 4, "map"},
        {{WIDE(1, BPF_PSEUDO_BTF_ID, 7), SET(0, 1), LEAVE}, 4, "kernel address"},
        {{SET(0, 1), ROW(.code = BPF_LD | BPF_DW | BPF_IMM)}, 2, "ends within"},
        {{ROW(.code = BPF_LD | BPF_W | BPF_ABS), LEAVE}, 2, "unknown"},
        {{ROW(.code = BPF_ALU64 | BPF_XOR | BPF_K, .dst_reg = 11), LEAVE}, 2, "blinded"},
        {{ROW(.code = BPF_ALU64 | BPF_MOV | BPF_X, .src_reg = 11), LEAVE}, 2, "blinded"},
        {{ROW(.code = BPF_STX | BPF_DW | BPF_ATOMIC, .dst_reg = 10, .off = -8), LEAVE},
         2,
         "unknown"},
        {{ROW(.code = BPF_LDX | BPF_W | 0x20, .src_reg = 1), LEAVE}, 2, "unknown"},
        {{ROW(.code = BPF_ALU64 | BPF_MOV | BPF_X, .off = -1), LEAVE}, 2, "unknown"},
        {{ROW(.code = BPF_JMP | 0xe0), LEAVE}, 2, "unknown"},
        {{ROW(.code = BPF_JMP32 | BPF_CALL), LEAVE}, 2, "unknown"},
        {{ROW(.code = 0), ROW(.code = 0)}, 2, "unknown"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *reason = NULL;
        int verdict = device_filter_can_splice(cases[i].code, cases[i].count, &reason);
        if (verdict != !cases[i].reason || !reason != !cases[i].reason)
            fail_msg("case %zu: %d, %s", i, verdict, reason ? reason : "no reason");
        if (reason && !strstr(reason, cases[i].reason))
            fail_msg("case %zu: %s", i, reason);
    }
}

static void keys_and_access_bits_are_the_kernels(void **state)
{
    const struct devnum character = {NODE_CHARACTER, 188, 7}, block = {NODE_BLOCK, 8, 1048575};
    (void)state;
    struct device_filter_key key = device_filter_key(&character);
    assert_int_equal(key.type, BPF_DEVCG_DEV_CHAR);
    assert_int_equal(key.major, 188);
    assert_int_equal(key.minor, 7);
    key = device_filter_key(&block);
    assert_int_equal(key.type, BPF_DEVCG_DEV_BLOCK);
    assert_int_equal(key.minor, 1048575);
    assert_int_equal(device_filter_access(0), 0);
    assert_int_equal(device_filter_access(ACCESS_READ), R);
    assert_int_equal(device_filter_access(ACCESS_WRITE), W);
    assert_int_equal(device_filter_access(ACCESS_MKNOD), M);
    assert_int_equal(device_filter_access(ACCESS_READ | ACCESS_WRITE | ACCESS_MKNOD), R | W | M);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_spliced_program_allows_what_is_in_the_map_and_what_the_runtime_allowed),
        cmocka_unit_test(a_tail_call_allows_what_is_in_the_map_and_what_the_called_one_allows),
        cmocka_unit_test(a_tail_call_into_an_empty_slot_denies_all_but_what_is_in_the_map),
        cmocka_unit_test(the_runtimes_instructions_stand_unchanged_behind_the_prologue),
        cmocka_unit_test(marks_of_the_kernel_are_taken_off),
        cmocka_unit_test(what_can_be_spliced_is_told_from_what_cannot),
        cmocka_unit_test(keys_and_access_bits_are_the_kernels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
