/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/device_list.h"
#include "model/share.h"

#define R ACCESS_READ
#define W ACCESS_WRITE
#define M ACCESS_MKNOD

static void a_list_is_judged_as_the_kernel_would(void **state)
{
    static const struct {
        const char *text;
        unsigned access;
        bool allows_all;
        unsigned own, missing;
    } cases[] = {
        /* of c 188:1 */
        {"", R | W, false, 0, R | W},
        {"c 188:1 rwm\n", R | W, false, R | W | M, 0},
        {"c 188:1 rwm\n", R, false, R | W | M, 0},
        {"c 188:1 r\n", R | W, false, R, W},
        {"c 188:1 m\n", R | W | M, false, M, R | W},
        {"c 188:* rwm\n", R | W, false, 0, 0},
        {"c *:* rwm\n", R | W, false, 0, 0},
        {"c *:* m\n", R | W, false, 0, R | W},
        {"c *:1 rw\n", R | W, false, 0, 0},
        /* two halves do not make a whole */
        {"c 188:* r\nc 188:1 w\n", R | W, false, W, R},
        {"c 188:* r\nc *:* w\n", R | W, false, 0, R | W},
        {"b 188:1 rw\nb *:* rw\n", R | W, false, 0, R | W},
        {"c 188:10 rw\nc 18:1 rw\nc 188:11 rw\n", R | W, false, 0, R | W},
        {"a *:* rwm\n", R | W | M, true, 0, 0},
        /* what is not understood allows nothing */
        {"c 188:1 rwx\n", R, false, 0, R},
        {"c 188:1\n", R, false, 0, R},
        {"x 188:1 rw\n", R, false, 0, R},
        {"c -1:1 rw\nc 188: rw\nc :1 rw\nc 4294967484:1 rw\n\n", R, false, 0, R},
        {"c 188:1 rw", R, false, 0, R},
        {"c 00000000000000000000000000000000000000188:1 rw\nc 188:1 r\n", R | W, false, R, W},
    };
    const struct devnum number = {NODE_CHARACTER, 188, 1};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct device_list_verdict verdict =
            device_list_judge(cases[i].text, &number, cases[i].access);
        if (verdict.allows_all != cases[i].allows_all || verdict.own != cases[i].own ||
            verdict.missing != cases[i].missing)
            fail_msg("case %zu: all %d own %u missing %u", i, verdict.allows_all, verdict.own,
                     verdict.missing);
    }
}

static void entries_are_written_as_the_kernel_reads_them(void **state)
{
    static const struct {
        struct devnum number;
        unsigned access;
        const char *entry;
    } cases[] = {
        {{NODE_CHARACTER, 188, 0}, R | W, "c 188:0 rw"},
        {{NODE_BLOCK, 8, 1048575}, R | W | M, "b 8:1048575 rwm"},
        {{NODE_BLOCK, 4095, 1}, M, "b 4095:1 m"},
        {{NODE_CHARACTER, UINT32_MAX, UINT32_MAX}, R | W | M, "c 4294967295:4294967295 rwm"},
    };
    char entry[DEVICE_LIST_ENTRY_MAX];
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(device_list_entry(&cases[i].number, cases[i].access, entry),
                            cases[i].entry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_judged_as_the_kernel_would),
        cmocka_unit_test(entries_are_written_as_the_kernel_reads_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
