/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "divisor.h"
#include "link_scene.h"

/* Links that are to move while something else happens, or fails. */

/* Port 3, of no interest otherwise, keeps the container busy. */
static void begin_busy(struct bench *bench, const char *rules)
{
    begin(bench, rules);
    plug(bench, 1);
    bench->door.pend = true;
    plug(bench, 3);
    bench_forget(bench);
}

static void end_busy(struct bench *bench)
{
    bench->door.pend = false;
    recording_door_complete_all(&bench->door);
}

#define BUSY_RULES                                                                                 \
    RULE("ttyS1", "0")                                                                             \
    RULE("ttyS2", "0") "KERNEL==\"ttyS3\", CONTAINER+=\"c1\", OPTIONS+=\"no_event\"\n"

static void one_that_was_unplugged_lets_its_link_go_before_the_next_is_told_of(void **state)
{
    struct bench *bench = *state;
    begin_busy(bench, BUSY_RULES);
    plug(bench, 2);
    bench_unplug(bench, ports[1]);
    bench_expect(bench, CUT("1"));
    end_busy(bench);
    bench_expect(bench, "c1 access-allow c 4:63 rw\n" UNLINKED("1") GIVEN("2", LINKED("2"))
                            TAKEN("1", ""));
    expect_holder(bench, 2);
}

/* Ports 1 and 2 are there, port 1 is weaker and is just losing its link. */
static void begin_yielding(struct bench *bench)
{
    begin(bench, RULES("0", "10", "0"));
    plug(bench, 1);
    bench_forget(bench);
    bench->door.pend = true;
    plug(bench, 2);
    bench_expect(bench, "c1 link-remove /dev/stick -> /dev/ttyS1 ...\n");
    bench->door.pend = false;
}

static void the_stronger_that_goes_while_the_weaker_yields_was_never_there(void **state)
{
    struct bench *bench = *state;
    begin_yielding(bench);
    bench_unplug(bench, ports[2]);
    recording_door_complete(&bench->door, "c1", 0);
    bench_expect(bench, LINKED("1"));
    expect_holder(bench, 1);
}

static void the_weaker_that_goes_while_it_yields_is_in_nobodys_way(void **state)
{
    struct bench *bench = *state;
    begin_yielding(bench);
    bench_unplug(bench, ports[1]);
    bench_expect(bench, CUT("1"));
    recording_door_complete(&bench->door, "c1", 0);
    bench_expect(bench, GIVEN("2", LINKED("2")) TAKEN("1", ""));
    expect_holder(bench, 2);
}

static void both_go_while_one_yields_and_nothing_is_left(void **state)
{
    struct bench *bench = *state;
    begin_yielding(bench);
    bench_unplug(bench, ports[2]);
    bench_unplug(bench, ports[1]);
    recording_door_complete(&bench->door, "c1", 0);
    bench_expect(bench, CUT("1") TAKEN("1", ""));
    bench_expect_nothing(bench);
}

static void one_that_moves_while_it_waits_for_the_link_gets_it(void **state)
{
    struct bench *bench = *state;
    begin_yielding(bench);
    fake_move(&bench->fake, ports[2], ports[3]);
    bench_event(bench, "move", ports[3], "DEVPATH_OLD=/devices/ttyS2");
    bench_rules(bench, RULES("0", "10", "10"));
    recording_door_complete(&bench->door, "c1", 0);
    expect_holder(bench, 3);
    assert_int_equal(bench->door.told.action, UEVENT_MOVE);
}

static void a_reload_while_one_yields_counts(void **state)
{
    struct bench *bench = *state;
    begin_yielding(bench);
    bench_rules(bench, RULES("20", "10", "0"));
    recording_door_complete(&bench->door, "c1", 0);
    expect_holder(bench, 1);
}

static void one_that_cannot_yield_is_taken_and_given_anew(void **state)
{
    struct bench *bench = *state;
    begin_yielding(bench);
    recording_door_complete(&bench->door, "c1", EROFS);
    expect_holder(bench, 2);
    assert_non_null(strstr(bench->heard, "c1 not relinked"));
}

#define UNLINK_FAILS "c1 link-remove /dev/stick -> /dev/ttyS1 FAILS\n"

static void one_that_never_can_is_not_asked_for_ever(void **state)
{
    struct bench *bench = *state;
    begin(bench, RULES("0", "10", "0"));
    plug(bench, 1);
    bench_forget(bench);
    bench->door.refused = "link-remove";
    plug(bench, 2);
    bench_expect(bench, UNLINK_FAILS CUT("1") GIVEN("2", "") TAKEN("1", UNLINK_FAILS) GIVEN("1", "")
                            LINKED("2"));
    expect_holder(bench, 2);
    assert_int_equal(delegation_counters(bench->delegation)->residues, 1);
    bench->door.refused = NULL;
}

static void who_yielded_for_one_that_failed_gets_its_link_back(void **state)
{
    struct bench *bench = *state;
    begin_yielding(bench);
    bench->door.fail_after = 3; /* node-make, node-attach, link-make */
    bench->door.fail_error = EEXIST;
    recording_door_complete(&bench->door, "c1", 0);
    assert_int_equal(bench_delivery(bench, "c1", ports[2])->state, DELIVERY_REFUSED);
    assert_int_equal(bench_delivery(bench, "c1", ports[1])->grant->yielded, 0);
    struct recording_state is = recording_door_state(&bench->door);
    assert_int_equal(is.links, 1);
    assert_int_equal(is.live, 1);
}

static void one_that_cannot_be_given_takes_no_link_from_anybody(void **state)
{
    struct bench *bench = *state;
    begin(bench, RULE("ttyS1", "0") "KERNEL==\"ttyS3\", CONTAINER+=\"c1\", NODE=\"ttyS2\"\n" RULE(
                     "ttyS2", "9"));
    plug(bench, 1);
    plug(bench, 3);
    bench_forget(bench);
    plug(bench, 2);
    bench_expect(bench, "");
    assert_int_equal(bench_delivery(bench, "c1", ports[2])->state, DELIVERY_REFUSED);
}

static void of_those_that_wait_the_first_gets_it(void **state)
{
    struct bench *bench = *state;
    begin(bench, RULES("0", "10", "0"));
    plug(bench, 2);
    plug(bench, 1);
    bench->door.pend = true;
    bench_unplug(bench, ports[2]);
    plug(bench, 3); /* before port 1 can be told that the link is free */
    end_busy(bench);
    expect_holder(bench, 1);
}

/* Ports 1 and 2 are there, port 1 is getting its links back. */
static void begin_regaining(struct bench *bench)
{
    begin(bench, RULES("0", "10", "0") "KERNEL==\"ttyS[12]\", SYMLINK+=\"two\"\n");
    plug(bench, 1);
    plug(bench, 2);
    bench->door.pend = true;
    bench_unplug(bench, ports[2]);
    for (int errands = 3; errands > 0; errands--) /* two links, one node */
        recording_door_complete(&bench->door, "c1", 0);
    assert_non_null(strstr(bench->door.log, LINKED_LATER("1")));
    bench->door.pend = false;
    bench_forget(bench);
}

static void one_that_goes_while_it_gets_links_gets_no_more_of_them(void **state)
{
    struct bench *bench = *state;
    begin_regaining(bench);
    bench_unplug(bench, ports[1]);
    recording_door_complete(&bench->door, "c1", 0);
    bench_expect(bench,
                 CUT("1") TAKEN("1", "c1 link-remove /dev/two -> /dev/ttyS1\n" UNLINKED("1")));
    bench_expect_nothing(bench);
}

static void a_link_that_may_have_been_made_is_taken_away(void **state)
{
    struct bench *bench = *state;
    begin_regaining(bench);
    recording_door_complete(&bench->door, "c1", EPIPE);
    assert_non_null(strstr(bench->door.log, UNLINKED("1")));
    assert_int_equal(recording_door_state(&bench->door).links, 2);
}

/* As long as something of it may be inside, its path is not free for others. */
static void nobody_gets_the_path_of_one_that_cannot_be_taken(void **state)
{
    struct bench *bench = *state;
    begin(bench, RULE("ttyS1", "0") RULE("ttyS2", "0") "KERNEL==\"ttyS3\", CONTAINER+=\"c1\", "
                                                       "NODE=\"stick\"\n");
    plug(bench, 1);
    bench->door.refused = "access-deny";
    bench_unplug(bench, ports[1]);
    plug(bench, 2);
    plug(bench, 3);
    assert_int_equal(bench_delivery(bench, "c1", ports[2])->grant->yielded, 1);
    assert_string_equal(bench_delivery(bench, "c1", ports[3])->why.text,
                        "/dev/stick is held by /devices/ttyS1 (test.rules:1)");
    bench->door.refused = NULL;
    assert_true(recording_door_fire(&bench->door) > 0);
    assert_int_equal(bench_delivery(bench, "c1", ports[3])->state, DELIVERY_DELIVERED);
    expect_holder(bench, 0);
}

static void one_that_was_refused_yields_nothing(void **state)
{
    struct bench *bench = *state;
    begin(bench, RULES("0", "-1", "0"));
    plug(bench, 1);
    bench->door.refused = "node-attach";
    plug(bench, 2);
    assert_int_equal(bench_delivery(bench, "c1", ports[2])->state, DELIVERY_REFUSED);
    assert_int_equal(bench_delivery(bench, "c1", ports[2])->grant->yielded, 0);
}

static void a_container_that_hangs_while_one_yields_has_all_in_order_later(void **state)
{
    struct bench *bench = *state;
    begin_yielding(bench);
    recording_door_hang(&bench->door, "c1");
    assert_true(recording_door_fire(&bench->door) > 0);
    expect_holder(bench, 2);
    bench_unplug(bench, ports[2]);
    bench_unplug(bench, ports[1]);
    bench_expect_nothing(bench);
}

/* Numbers without end that are the same each time. */
static unsigned draw(unsigned *seed, unsigned below)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed / 65536u % below;
}

static void do_something(struct bench *bench, unsigned *seed, int priorities[static PORTS + 1])
{
    int n = 1 + (int)draw(seed, PORTS);
    char rules[512];
    switch (draw(seed, 6)) {
    case 0:
        if (!fake_find(&bench->fake, ports[n]))
            plug(bench, n);
        break;
    case 1:
        if (fake_find(&bench->fake, ports[n]))
            bench_unplug(bench, ports[n]);
        break;
    case 2:
        priorities[n] = (int)draw(seed, 3);
        snprintf(rules, sizeof(rules),
                 "KERNEL==\"ttyS*\", CONTAINER+=\"c1\", SYMLINK+=\"stick\"\n"
                 "KERNEL==\"ttyS1\", OPTIONS+=\"link_priority=%d\"\n"
                 "KERNEL==\"ttyS2\", OPTIONS+=\"link_priority=%d\"\n"
                 "KERNEL==\"ttyS3\", OPTIONS+=\"link_priority=%d\"\n",
                 priorities[1], priorities[2], priorities[3]);
        bench_rules(bench, rules);
        break;
    default:
        if (recording_door_pending(&bench->door, "c1"))
            recording_door_complete(&bench->door, "c1", draw(seed, 20) ? 0 : EPIPE);
    }
}

/* Any order of plugs, unplugs, reloads, answers and dead couriers; the door watches each step. */
static void in_the_end_the_best_has_it(void **state)
{
    struct bench *bench = *state;
    int priorities[PORTS + 1] = {0};
    unsigned seed = 1;
    begin(bench, RULES("0", "0", "0"));
    for (int round = 0; round < 2000 / (int)test_divisor(); round++) {
        bench->door.pend = true;
        for (unsigned i = draw(&seed, 40); i > 0; i--)
            do_something(bench, &seed, priorities);
        bench->door.pend = false;
        do
            recording_door_complete_all(&bench->door);
        while (recording_door_fire(&bench->door));
        int best = 0, holder = 0;
        for (int n = 1; n <= PORTS; n++) {
            const struct delivery *d = bench_delivery(bench, "c1", ports[n]);
            assert_int_equal(d != NULL, fake_find(&bench->fake, ports[n]) != NULL);
            if (d && (!best || priorities[n] > priorities[best]))
                best = n;
            if (d && !d->grant->yielded)
                holder = n;
        }
        expect_holder(bench, holder);
        assert_int_equal(priorities[holder], priorities[best]);
        assert_int_equal(!holder, !best);
        bench_forget(bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(one_that_was_unplugged_lets_its_link_go_before_the_next_is_told_of),
        BENCH_TEST(the_stronger_that_goes_while_the_weaker_yields_was_never_there),
        BENCH_TEST(the_weaker_that_goes_while_it_yields_is_in_nobodys_way),
        BENCH_TEST(both_go_while_one_yields_and_nothing_is_left),
        BENCH_TEST(one_that_moves_while_it_waits_for_the_link_gets_it),
        BENCH_TEST(a_reload_while_one_yields_counts),
        BENCH_TEST(one_that_cannot_yield_is_taken_and_given_anew),
        BENCH_TEST(one_that_never_can_is_not_asked_for_ever),
        BENCH_TEST(who_yielded_for_one_that_failed_gets_its_link_back),
        BENCH_TEST(one_that_cannot_be_given_takes_no_link_from_anybody),
        BENCH_TEST(of_those_that_wait_the_first_gets_it),
        BENCH_TEST(one_that_goes_while_it_gets_links_gets_no_more_of_them),
        BENCH_TEST(a_link_that_may_have_been_made_is_taken_away),
        BENCH_TEST(nobody_gets_the_path_of_one_that_cannot_be_taken),
        BENCH_TEST(one_that_was_refused_yields_nothing),
        BENCH_TEST(a_container_that_hangs_while_one_yields_has_all_in_order_later),
        BENCH_TEST(in_the_end_the_best_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
