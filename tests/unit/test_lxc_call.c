/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hooks/lxc_call.h"

#define WORDS_MAX 10

/* What LXC says, the name that the administrator wants, and what comes of it. */
struct said {
    struct lxc_environment environment;
    const char *arguments[WORDS_MAX];
    const char *own_name;
    const char *name;
    int pid;
    bool stops;
    const char *reason; /* a part of it; NULL: it is understood */
};

static int parse(const struct said *said, struct lxc_call *ret, struct refusal *why)
{
    char *arguments[WORDS_MAX];
    for (size_t i = 0; i < WORDS_MAX; i++)
        arguments[i] = (char *)(uintptr_t)said->arguments[i];
    return lxc_call_parse(&said->environment, arguments, said->own_name, ret, why);
}

static void check(const struct said *said, size_t count)
{
    for (size_t i = 0; i < count; i++, said++) {
        struct lxc_call call = {.pid = -1};
        struct refusal why = {.error = 0};
        int r = parse(said, &call, &why);
        if (said->reason) {
            if (r != -EBADMSG || !strstr(why.text, said->reason))
                fail_msg("case %zu: %d, '%s'", i, r, why.text);
            assert_int_equal(call.pid, -1);
            continue;
        }
        if (r != 0)
            fail_msg("case %zu: %s", i, why.text);
        assert_string_equal(call.name, said->name);
        assert_int_equal(call.pid, said->pid);
        assert_int_equal(call.stops, said->stops);
    }
}

static void both_versions_of_a_hook_are_understood(void **state)
{
    static const struct said cases[] = {
        {{"c1", "start-host", "7"}, {NULL}, NULL, "c1", 7, false, NULL},
        {{"c1", "stop", "7"}, {NULL}, NULL, "c1", 7, true, NULL},
        {{"c1", "post-stop", "4194304"}, {NULL}, NULL, "c1", 4194304, true, NULL},
        {{"c1", NULL, "7"}, {"c1", "lxc", "start-host"}, NULL, "c1", 7, false, NULL},
        /* As LXC 5 gives its namespaces. */
        {{"c1", NULL, "7"},
         {"c1", "lxc", "stop", "mnt:/proc/6/fd/47", "pid:/proc/6/fd/48"},
         NULL,
         "c1",
         7,
         true,
         NULL},
        {{NULL, NULL, "7"}, {"c2", "lxc", "start-host"}, NULL, "c2", 7, false, NULL},
    };
    (void)state;
    check(cases, ARRAY_SIZE(cases));
}

static void a_name_of_ones_own_goes_before_that_of_lxc(void **state)
{
    static const struct said cases[] = {
        {{"c1", "start-host", "7"}, {NULL}, "web", "web", 7, false, NULL},
        {{"c1", NULL, "7"}, {"c1", "lxc", "start-host"}, "web", "web", 7, false, NULL},
        {{NULL, "start-host", "7"}, {NULL}, "web", "web", 7, false, NULL},
        {{"c1\n", "start-host", "7"}, {NULL}, "web", "web", 7, false, NULL},
        {{"c1", "start-host", "7"}, {NULL}, "we b", NULL, 0, false, "'we b'"},
    };
    (void)state;
    check(cases, ARRAY_SIZE(cases));
}

static void hooks_that_run_elsewhere_or_too_early_are_refused(void **state)
{
    static const struct said cases[] = {
        {{"c1", "pre-start", "7"}, {NULL}, NULL, NULL, 0, false, "at lxc.hook.pre-start"},
        {{"c1", "mount", "7"}, {NULL}, NULL, NULL, 0, false, "at lxc.hook.mount"},
        {{"c1", "start", "7"}, {NULL}, NULL, NULL, 0, false, "at lxc.hook.start:"},
        {{"c1", "", "7"}, {NULL}, NULL, NULL, 0, false, "nothing is to be done"},
        {{"c1", NULL, "7"}, {"c1", "lxc", "autodev"}, NULL, NULL, 0, false, "lxc.hook.autodev"},
        {{"c1", NULL, "7"}, {NULL}, NULL, NULL, 0, false, "neither by LXC_HOOK_TYPE"},
        {{"c1", NULL, "7"}, {"c1", "lxc"}, NULL, NULL, 0, false, "'c1' is an argument"},
        {{"c1", "stop", "7"}, {"c1"}, NULL, NULL, 0, false, "'c1' is an argument"},
    };
    (void)state;
    check(cases, ARRAY_SIZE(cases));
}

static void what_is_no_process_is_refused(void **state)
{
    static const char *const texts[] = {
        NULL, "", "0", "-1", "+7", " 7", "7 ", "0x7", "4194305", "18446744073709551617", "seven"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        const struct said said = {
            {"c1", "start-host", texts[i]}, {NULL}, NULL, NULL, 0, false, "LXC_PID"};
        check(&said, 1);
    }
}

static void what_is_no_name_is_refused(void **state)
{
    static char longest[LXC_NAME_MAX + 1], longer[LXC_NAME_MAX + 2], huge[128 * 1024];
    memset(longest, 'a', sizeof(longest) - 1);
    memset(longer, 'a', sizeof(longer) - 1);
    memset(huge, 'a', sizeof(huge) - 1);
    const struct said cases[] = {
        {{longest, "stop", "7"}, {NULL}, NULL, longest, 7, true, NULL},
        {{longer, "stop", "7"}, {NULL}, NULL, NULL, 0, false, "256 bytes, 255 are the most"},
        {{huge, "stop", "7"}, {NULL}, NULL, NULL, 0, false, "131071 bytes"},
        {{NULL, "stop", "7"}, {NULL}, NULL, NULL, 0, false, "LXC_NAME is not set"},
        {{"", "stop", "7"}, {NULL}, NULL, NULL, 0, false, "LXC_NAME is not set"},
        {{"a b", "stop", "7"}, {NULL}, NULL, NULL, 0, false, "'a b'"},
        {{"a\x1b[1m", "stop", "7"}, {NULL}, NULL, NULL, 0, false, "'a\\x1b[1m'"},
        {{"\xff", "stop", "7"}, {NULL}, NULL, NULL, 0, false, "'\\xff'"},
        {{"c1", NULL, "7"}, {"", "lxc", "stop"}, NULL, NULL, 0, false, "LXC_NAME is not set"},
    };
    (void)state;
    check(cases, ARRAY_SIZE(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_versions_of_a_hook_are_understood),
        cmocka_unit_test(a_name_of_ones_own_goes_before_that_of_lxc),
        cmocka_unit_test(hooks_that_run_elsewhere_or_too_early_are_refused),
        cmocka_unit_test(what_is_no_process_is_refused),
        cmocka_unit_test(what_is_no_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
