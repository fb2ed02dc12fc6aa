/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "engine_bench.h"

#define LOOK_DELAY 10000 /* at first */

static void a_device_is_there_before_those_who_listen_have_room_to_hear_of_it(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 10);
    bench->door.readers = 1;
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect(bench, "c1 node-make /dev/ttyUSB0 c 188:0 owner 0:20 mode 0660\n"
                        "c1 node-attach /dev/ttyUSB0\nc1 access-allow c 188:0 rw\n");
    assert_int_equal(recording_door_fire(&bench->door), LOOK_DELAY);
    bench_expect(bench, "");
    assert_int_equal(recording_door_fire(&bench->door), 2 * LOOK_DELAY);
    bench->door.readers = 0;
    assert_int_equal(recording_door_fire(&bench->door), 4 * LOOK_DELAY);
    bench_expect(bench, "c1 event add " TTY "\n");
    assert_int_equal(recording_door_timers(&bench->door), 0);
}

static void a_device_that_goes_before_they_had_room_was_never_seen(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 10);
    bench->door.readers = 1;
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
    bench_unplug(bench, TTY);
    bench_expect(bench, CUT_STEPS("c1"));
    bench->door.readers = 0;
    assert_int_equal(recording_door_fire(&bench->door), LOOK_DELAY);
    bench_expect(bench, "c1 node-detach /dev/ttyUSB0\nc1 node-destroy /dev/ttyUSB0\n");
    bench_expect_nothing(bench);
}

static void nobody_else_waits_along(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 10);
    bench->door.readers = 1;
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
    bench->door.readers = 0; /* c2's read */
    bench_register(bench, "c2", 11);
    bench_expect(bench, GIVEN_STEPS("c2"));
    assert_int_equal(recording_door_fire(&bench->door), LOOK_DELAY);
    bench_expect(bench, "c1 event add " TTY "\n");
}

static void who_does_not_read_is_reported_and_told_again_when_he_does(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    struct container *c1 = bench_register(bench, "c1", 10);
    bench->door.readers = -EOVERFLOW;
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    assert_true(c1->behind);
    assert_int_equal(c1->note.error, ENOBUFS);
    assert_non_null(strstr(bench->heard, "overrun"));
    bench_expect(bench, GIVEN_STEPS("c1"));

    static const uint64_t delays[] = {10000,  20000,  40000,   80000,  160000,
                                      320000, 640000, 1000000, 1000000};
    for (size_t i = 0; i < ARRAY_SIZE(delays); i++)
        assert_int_equal(recording_door_fire(&bench->door), delays[i]);
    bench->door.told_again = 2;
    assert_int_equal(recording_door_fire(&bench->door), 1000000);
    assert_int_equal(recording_door_fire(&bench->door), 10000);
    assert_true(c1->behind);
    bench->door.caught_up = 1;
    assert_int_equal(recording_door_fire(&bench->door), 10000);
    assert_false(c1->behind);
    assert_int_equal(c1->note.error, 0);
    assert_non_null(strstr(bench->heard, "caught up"));
    assert_int_equal(delegation_counters(bench->delegation)->told_again, 6);
    assert_int_equal(delegation_counters(bench->delegation)->overruns_inside, 1);
    assert_int_equal(recording_door_timers(&bench->door), 0);
}

static void nothing_is_told_again_while_something_is_on_its_way(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    struct container *c1 = bench_register(bench, "c1", 10);
    bench->door.readers = -EOVERFLOW;
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench->door.pend = true;
    bench->door.caught_up = 1;
    bench_unplug(bench, TTY);
    assert_true(recording_door_pending(&bench->door, "c1"));
    assert_int_equal(recording_door_fire(&bench->door), 10000);
    assert_true(c1->behind);
    recording_door_complete(&bench->door, "c1", 0);
    assert_int_equal(recording_door_fire(&bench->door), 20000);
    assert_false(c1->behind);
}

static void a_container_may_end_while_it_waits(void **state)
{
    static const int answers[] = {1, -EOVERFLOW};
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
        bench_register(bench, "c1", 10 + (pid_t)i);
        bench->door.readers = answers[i];
        bench_plug(bench, TTY, "tty", TTY_UEVENT);
        assert_int_equal(recording_door_timers(&bench->door), 1);
        recording_door_kill(&bench->door, 10 + (pid_t)i, true);
        assert_int_equal(recording_door_timers(&bench->door), 0);
        bench_expect_nothing(bench);
        bench_unplug(bench, TTY);
    }
}

static void who_shares_a_network_namespace_goes_on_telling_again(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 10);
    struct container *c2 = bench_register(bench, "c2", 11);
    recording_door_kill(&bench->door, 10, true);
    assert_false(c2->behind);
    bench_register(bench, "c1", 12);
    bench->door.behind = true;
    recording_door_kill(&bench->door, 12, true);
    assert_true(c2->behind);
    assert_int_equal(recording_door_timers(&bench->door), 1);
    bench->door.caught_up = 1;
    assert_int_equal(recording_door_fire(&bench->door), 10000);
    assert_false(c2->behind);
}

static void who_leaves_or_ends_waits_for_nobody(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 10);
    bench->door.readers = 1;
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    assert_int_equal(recording_door_timers(&bench->door), 1);
    assert_int_equal(delegation_unregister(bench->delegation, "c1", NULL, NULL), 0);
    (void)recording_door_fire(&bench->door);
    assert_int_equal(recording_door_timers(&bench->door), 0);
    assert_null(delegation_find(bench->delegation, "c1"));

    bench_unplug(bench, TTY);
    bench_register(bench, "c2", 11);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
    assert_int_equal(recording_door_timers(&bench->door), 1);
    delegation_hurry(bench->delegation);
    (void)recording_door_fire(&bench->door);
    bench_expect(bench, "c2 event add " TTY "\n");
    assert_int_equal(recording_door_timers(&bench->door), 0);
}

/* Its node is dead, and those who listen have not heard of it. */
static void nothing_is_told_again_while_a_neighbour_hangs(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 10);
    struct container *c2 = bench_register(bench, "c2", 11);
    bench->door.readers = -EOVERFLOW;
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    assert_true(c2->behind);
    bench->door.stall = true;
    bench_unplug(bench, TTY);
    assert_true(c2->stalled);
    bench->door.caught_up = 1;
    bench->door.told_again = 1;
    for (int i = 0; i < 6; i++)
        (void)recording_door_fire(&bench->door);
    assert_int_equal(delegation_counters(bench->delegation)->told_again, 0);
    assert_true(c2->behind);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(a_device_is_there_before_those_who_listen_have_room_to_hear_of_it),
        BENCH_TEST(a_device_that_goes_before_they_had_room_was_never_seen),
        BENCH_TEST(nobody_else_waits_along),
        BENCH_TEST(who_does_not_read_is_reported_and_told_again_when_he_does),
        BENCH_TEST(nothing_is_told_again_while_something_is_on_its_way),
        BENCH_TEST(a_container_may_end_while_it_waits),
        BENCH_TEST(who_leaves_or_ends_waits_for_nobody),
        BENCH_TEST(nothing_is_told_again_while_a_neighbour_hangs),
        BENCH_TEST(who_shares_a_network_namespace_goes_on_telling_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
