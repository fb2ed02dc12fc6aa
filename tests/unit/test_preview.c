/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "engine/preview.h"
#include "engine_bench.h"

/* What `explain` says of a give is what a give does. */

#define RECORD "record-write /run/udev/data/c188:0\n"
#define TOLD "event add " TTY "\n"
#define TOLD_BY_UDEV "udev-event add " TTY "\n"
#define GIVEN                                                                                      \
    "node-make /dev/ttyUSB0 c 188:0 owner 0:20 mode 0660\n"                                        \
    "node-attach /dev/ttyUSB0\naccess-allow c 188:0 rw\n"

static void assert_preview(struct bench *bench, const char *expected)
{
    _cleanup_(preview_done) struct preview preview;
    char text[2048] = "", line[512];
    size_t used = 0;

    const struct delivery *delivery = bench_delivery(bench, "c1", TTY);
    preview_init(&preview, delivery->container,
                 world_find(delegation_world(bench->delegation), TTY), delivery->grant);
    assert_int_equal(preview.why.error, 0);
    for (size_t i = 0; i < preview.plan.count && used < sizeof(text); i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s\n",
                                 step_describe(&preview.plan.steps[i], line, sizeof(line)));
    assert_string_equal(text, expected);
}

static void begin(struct bench *bench, const char *rules)
{
    bench_rules(bench, rules);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
}

static void udevs_word_follows_where_no_udevd_runs_inside(void **state)
{
    struct bench *bench = *state;
    bench->door.tells_udev = true;
    begin(bench, TTY_RULE);
    assert_preview(bench, GIVEN TOLD RECORD TOLD_BY_UDEV);
    bench_expect(bench, "");
}

static void a_udevd_inside_is_told_by_the_kernel_alone(void **state)
{
    struct bench *bench = *state;
    bench->door.tells_udev = true;
    bench->door.has_udevd = true;
    begin(bench, TTY_RULE);
    assert_preview(bench, GIVEN TOLD);
}

static void nothing_is_described_where_the_hosts_udevd_is_heard(void **state)
{
    struct bench *bench = *state;
    begin(bench, TTY_RULE);
    assert_preview(bench, GIVEN TOLD);
}

static void in_a_native_namespace_the_kernel_tells_and_we_are_udev(void **state)
{
    struct bench *bench = *state;
    bench->door.tells_udev = true;
    bench->door.netns = NETNS_NATIVE;
    begin(bench, TTY_RULE);
    assert_preview(bench, GIVEN RECORD TOLD_BY_UDEV);
}

static void without_events_there_is_the_record_alone(void **state)
{
    struct bench *bench = *state;
    bench->door.tells_udev = true;
    begin(bench, "SUBSYSTEM==\"tty\", CONTAINER+=\"c*\", GROUP=\"20\", MODE=\"0660\", "
                 "OPTIONS+=\"no_event\"\n");
    assert_preview(bench, GIVEN RECORD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(udevs_word_follows_where_no_udevd_runs_inside),
        BENCH_TEST(a_udevd_inside_is_told_by_the_kernel_alone),
        BENCH_TEST(nothing_is_described_where_the_hosts_udevd_is_heard),
        BENCH_TEST(in_a_native_namespace_the_kernel_tells_and_we_are_udev),
        BENCH_TEST(without_events_there_is_the_record_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
