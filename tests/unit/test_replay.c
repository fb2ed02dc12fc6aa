/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "capture.h"
#include "engine_bench.h"

/*
 * What a real kernel said, without udev, for a container that is given everything: the steps are in
 * tests/data/golden. test_replay_udev.c has udev and rules as people write them.
 */

#define EVERYTHING                                                                                 \
    "SUBSYSTEM==\"?*\", CONTAINER+=\"c1\", OPTIONS+=\"dangerous\"\n"                               \
    "SUBSYSTEM==\"net\", OPTIONS+=\"no_node\"\n"
#define HEARD_MAX 131072

/* Whole captures: what came has gone in the end. */
static const char *const scenarios[] = {"usb-serial", "usb-storage-partitioned",
                                        "usb-kbd",    "net-rename",
                                        "net-veth",   "cpu-offline-online"};

/* Replays a capture; *heard gets a line for each event, as the recording door would write it. */
static void replay(struct bench *bench, const char *scenario, char *heard)
{
    struct capture capture;
    struct capture_record record;
    struct uevent event;
    char name[256];
    size_t position = 0, used = 0;

    *heard = '\0';
    snprintf(name, sizeof(name), "captures/%s/kernel.cap", scenario);
    capture_load(&capture, name);
    while (capture_next(&capture, &position, &record)) {
        assert_int_equal(uevent_parse(&event, record.bytes, record.size, NULL), 0);
        capture_follow(&bench->fake, &event);
        assert_int_equal(world_apply(delegation_world(bench->delegation), &event), 0);
        used += (size_t)snprintf(heard + used, HEARD_MAX - used, "c1 event %s %s\n",
                                 uevent_action_name(event.action), uevent_get(&event, "DEVPATH"));
        assert_true(used < HEARD_MAX);
    }
    capture_done(&capture);
}

static void a_capture_becomes_the_same_steps_as_ever(void **state)
{
    static char heard[HEARD_MAX];
    char name[256];
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
        void *fresh;
        bench_setup(&fresh);
        struct bench *bench = fresh;
        bench_rules(bench, EVERYTHING);
        bench_register(bench, "c1", 1);
        replay(bench, scenarios[i], heard);
        snprintf(name, sizeof(name), "%s.steps", scenarios[i]);
        capture_expect_golden(name, bench->door.log);
        bench_teardown(&fresh);
    }
}

/* Leaves of a log the lines about events. */
static void keep_events(char *log)
{
    char *to = log;
    for (char *line = log, *end; *line; line = end) {
        end = strchr(line, '\n') + 1;
        if (!after_prefix(line, "c1 event "))
            continue;
        memmove(to, line, (size_t)(end - line));
        to += end - line;
    }
    *to = '\0';
}

static void all_that_the_kernel_says_is_told_once_and_in_order(void **state)
{
    static char heard[HEARD_MAX];
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
        void *fresh;
        if (streq(scenarios[i], "cpu-offline-online"))
            continue; /* its devices were there before, unknown to us: they are added first */
        bench_setup(&fresh);
        struct bench *bench = fresh;
        bench_rules(bench, EVERYTHING);
        bench_register(bench, "c1", 1);
        replay(bench, scenarios[i], heard);
        keep_events(bench->door.log);
        assert_string_equal(bench->door.log, heard);
        bench_expect_nothing(bench);
        bench_teardown(&fresh);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_capture_becomes_the_same_steps_as_ever),
        cmocka_unit_test(all_that_the_kernel_says_is_told_once_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
