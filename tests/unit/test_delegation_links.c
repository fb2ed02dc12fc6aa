/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "engine_bench.h"

/* One link that several devices of a container want. */

static const char *const port[] = {NULL, "/devices/ttyS1", "/devices/ttyS2", "/devices/ttyS3"};
#define PORTS 3

#define RULE(kernel, priority)                                                                     \
    "KERNEL==\"" kernel                                                                            \
    "\", CONTAINER+=\"c1\", SYMLINK+=\"stick\", OPTIONS+=\"link_priority=" priority "\"\n"
#define RULES(first, second, third) RULE("ttyS1", first) RULE("ttyS2", second) RULE("ttyS3", third)

/* What is seen of port N, whose number is 4:6N. */
#define LINKED(n) "c1 link-make /dev/stick -> /dev/ttyS" n "\n"
#define UNLINKED(n) "c1 link-remove /dev/stick -> /dev/ttyS" n "\n"
#define GIVEN(n, link)                                                                             \
    "c1 node-make /dev/ttyS" n " c 4:6" n " owner 0:0 mode 0600\nc1 node-attach /dev/ttyS" n       \
    "\n" link "c1 access-allow c 4:6" n " rw\nc1 event add /devices/ttyS" n "\n"
#define CUT(n) "c1 access-deny c 4:6" n " rw\nc1 node-revoke /dev/ttyS" n "\n"
#define TAKEN(n, link)                                                                             \
    link "c1 node-detach /dev/ttyS" n "\nc1 node-destroy /dev/ttyS" n                              \
         "\nc1 event remove /devices/ttyS" n "\n"

static void plug(struct bench *bench, int n)
{
    char uevent[64];
    snprintf(uevent, sizeof(uevent), "MAJOR=4\nMINOR=6%d\nDEVNAME=ttyS%d\n", n, n);
    bench_plug(bench, port[n], "tty", uevent);
}

static void begin(struct bench *bench, const char *rules)
{
    bench_rules(bench, rules);
    bench_register(bench, "c1", 1);
    bench_forget(bench);
}

/* The one port that has the link, and nobody else; every port that is there has its node. */
static void expect_holder(struct bench *bench, int holder)
{
    size_t delivered = 0, links = 0;
    for (int n = 1; n <= PORTS; n++) {
        const struct delivery *d = bench_delivery(bench, "c1", port[n]);
        if (!d)
            continue;
        assert_int_equal(d->state, DELIVERY_DELIVERED);
        delivered++;
        for (size_t i = 0; i < d->grant->symlink_count; i++)
            if (grant_has_link(d->grant, i)) {
                assert_int_equal(n, holder);
                links++;
            }
    }
    assert_int_equal(links, holder != 0);
    struct recording_state state = recording_door_state(&bench->door);
    assert_int_equal(state.links, links);
    assert_int_equal(state.items, delivered);
    assert_int_equal(state.live, delivered);
    assert_int_equal(state.attached, delivered);
    assert_int_equal(state.allowed, delivered);
}

static void the_higher_priority_has_the_link_when_it_comes_last(void **state)
{
    struct bench *bench = *state;
    begin(bench, RULES("0", "10", "0"));
    plug(bench, 1);
    bench_expect(bench, GIVEN("1", LINKED("1")));
    plug(bench, 2); /* the weaker loses it before the stronger is told of, and nothing else */
    bench_expect(bench, UNLINKED("1") GIVEN("2", LINKED("2")));
    expect_holder(bench, 2);
    bench_unplug(bench, port[2]); /* it is gone before the `remove` is told */
    bench_expect(bench, CUT("2") TAKEN("2", UNLINKED("2")) LINKED("1"));
    expect_holder(bench, 1);
    bench_unplug(bench, port[1]);
    bench_expect(bench, CUT("1") TAKEN("1", UNLINKED("1")));
    bench_expect_nothing(bench);
}

static void the_higher_priority_has_the_link_when_it_comes_first(void **state)
{
    struct bench *bench = *state;
    begin(bench, RULES("0", "-10", "0"));
    plug(bench, 1);
    bench_forget(bench);
    plug(bench, 2);
    bench_expect(bench, GIVEN("2", ""));
    expect_holder(bench, 1);
    bench_unplug(bench, port[2]);
    bench_expect(bench, CUT("2") TAKEN("2", ""));
    expect_holder(bench, 1);
}

static void of_equals_the_one_that_has_it_keeps_it(void **state)
{
    struct bench *bench = *state;
    begin(bench, RULES("5", "5", "5"));
    plug(bench, 2);
    plug(bench, 1);
    plug(bench, 3);
    expect_holder(bench, 2);
    bench_forget(bench);
    bench_event(bench, "change", port[1], NULL);
    bench_event(bench, "change", port[2], NULL);
    bench_expect(bench, "c1 event change /devices/ttyS1\nc1 event change /devices/ttyS2\n");
    bench_unplug(bench, port[2]); /* then who came first */
    expect_holder(bench, 1);
    plug(bench, 2);
    expect_holder(bench, 1);
    bench_unplug(bench, port[1]);
    expect_holder(bench, 3);
}

static void of_three_the_best_of_those_that_are_left_has_it(void **state)
{
    struct bench *bench = *state;
    begin(bench, RULES("1", "3", "2"));
    plug(bench, 1);
    plug(bench, 2);
    plug(bench, 3);
    expect_holder(bench, 2);
    bench_forget(bench);
    bench_unplug(bench, port[2]);
    bench_expect(bench, CUT("2") TAKEN("2", UNLINKED("2")) LINKED("3"));
    expect_holder(bench, 3);
    bench_unplug(bench, port[3]);
    expect_holder(bench, 1);
}

static void only_the_link_that_both_want_is_yielded(void **state)
{
    struct bench *bench = *state;
    begin(bench, RULE("ttyS1", "0") "KERNEL==\"ttyS1\", SYMLINK+=\"mine also/mine\"\n" RULE(
                     "ttyS2", "1") "KERNEL==\"ttyS2\", SYMLINK+=\"yours\"\n");
    plug(bench, 1);
    bench_forget(bench);
    plug(bench, 2);
    bench_expect(bench, UNLINKED("1") GIVEN("2", LINKED("2") "c1 link-make /dev/yours -> "
                                                             "/dev/ttyS2\n"));
    assert_int_equal(bench_delivery(bench, "c1", port[1])->grant->yielded, 1);
    assert_int_equal(recording_door_state(&bench->door).links, 4);
}

/* A name can be had without a link, but not without the node. */
static void a_node_goes_before_a_link(void **state)
{
    static const int orders[][2] = {{1, 2}, {2, 1}};
    struct bench *bench = *state;
    begin(bench, RULE("ttyS1", "1000") "KERNEL==\"ttyS2\", CONTAINER+=\"c1\", NODE=\"stick\"\n");
    for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
        plug(bench, orders[i][0]);
        plug(bench, orders[i][1]);
        expect_holder(bench, 0);
        bench_unplug(bench, port[2]);
        expect_holder(bench, 1);
        bench_unplug(bench, port[1]);
        bench_expect_nothing(bench);
    }
}

static void another_priority_moves_the_link_and_nothing_else(void **state)
{
    struct bench *bench = *state;
    begin(bench, RULES("0", "1", "0"));
    plug(bench, 1);
    plug(bench, 2);
    plug(bench, 3);
    bench_forget(bench);
    bench_rules(bench, RULES("0", "1", "7")); /* one rises */
    bench_expect(bench, UNLINKED("2") LINKED("3"));
    expect_holder(bench, 3);
    bench_rules(bench, RULES("0", "1", "-7")); /* one falls */
    bench_expect(bench, UNLINKED("3") LINKED("2"));
    bench_rules(bench, RULES("9", "8", "7"));
    bench_expect(bench, UNLINKED("2") LINKED("1"));
    bench_rules(bench, RULES("3", "3", "3"));
    bench_expect(bench, "");
    expect_holder(bench, 1);
}

static void a_rule_that_wants_the_link_no_more_leaves_it_to_the_others(void **state)
{
    struct bench *bench = *state;
    begin(bench, RULES("0", "1", "2"));
    plug(bench, 1);
    plug(bench, 2);
    plug(bench, 3);
    bench_rules(bench, RULES("0", "1", "2") "KERNEL==\"ttyS3\", SYMLINK=\"\"\n");
    expect_holder(bench, 2);
    bench_rules(bench, RULES("0", "1", "2"));
    expect_holder(bench, 3);
    bench_rules(bench, RULE("ttyS1", "0"));
    expect_holder(bench, 1);
}

static void each_container_has_its_own(void **state)
{
    struct bench *bench = *state;
    begin(bench, "KERNEL==\"ttyS*\", CONTAINER+=\"c*\", SYMLINK+=\"stick\"\n"
                 "KERNEL==\"ttyS1\", CONTAINER==\"c2\", OPTIONS+=\"link_priority=1\"\n");
    bench_register(bench, "c2", 2);
    plug(bench, 2);
    plug(bench, 1);
    assert_int_equal(bench_delivery(bench, "c1", port[1])->grant->yielded, 1);
    assert_int_equal(bench_delivery(bench, "c1", port[2])->grant->yielded, 0);
    assert_int_equal(bench_delivery(bench, "c2", port[1])->grant->yielded, 0);
    assert_int_equal(bench_delivery(bench, "c2", port[2])->grant->yielded, 1);
    assert_int_equal(recording_door_state(&bench->door).links, 2);
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
    bench_unplug(bench, port[2]);
    recording_door_complete(&bench->door, "c1", 0);
    bench_expect(bench, LINKED("1"));
    expect_holder(bench, 1);
}

static void the_weaker_that_goes_while_it_yields_is_in_nobodys_way(void **state)
{
    struct bench *bench = *state;
    begin_yielding(bench);
    bench_unplug(bench, port[1]);
    bench_expect(bench, CUT("1"));
    recording_door_complete(&bench->door, "c1", 0);
    bench_expect(bench, GIVEN("2", LINKED("2")) TAKEN("1", ""));
    expect_holder(bench, 2);
}

static void both_go_while_one_yields_and_nothing_is_left(void **state)
{
    struct bench *bench = *state;
    begin_yielding(bench);
    bench_unplug(bench, port[2]);
    bench_unplug(bench, port[1]);
    recording_door_complete(&bench->door, "c1", 0);
    bench_expect(bench, CUT("1") TAKEN("1", ""));
    bench_expect_nothing(bench);
}

static void one_that_moves_while_it_waits_for_the_link_gets_it(void **state)
{
    struct bench *bench = *state;
    begin_yielding(bench);
    fake_move(&bench->fake, port[2], port[3]);
    bench_event(bench, "move", port[3], "DEVPATH_OLD=/devices/ttyS2");
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

static void who_yielded_for_one_that_failed_gets_its_link_back(void **state)
{
    struct bench *bench = *state;
    begin_yielding(bench);
    bench->door.fail_after = 3; /* node-make, node-attach, link-make */
    bench->door.fail_error = EEXIST;
    recording_door_complete(&bench->door, "c1", 0);
    assert_int_equal(bench_delivery(bench, "c1", port[2])->state, DELIVERY_REFUSED);
    assert_int_equal(bench_delivery(bench, "c1", port[1])->grant->yielded, 0);
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
    assert_int_equal(bench_delivery(bench, "c1", port[2])->state, DELIVERY_REFUSED);
}

static void a_container_that_hangs_while_one_yields_has_all_in_order_later(void **state)
{
    struct bench *bench = *state;
    begin_yielding(bench);
    recording_door_hang(&bench->door, "c1");
    assert_true(recording_door_fire(&bench->door) > 0);
    expect_holder(bench, 2);
    bench_unplug(bench, port[2]);
    bench_unplug(bench, port[1]);
    bench_expect_nothing(bench);
}

static void what_is_explained_is_how_it_will_be(void **state)
{
    struct bench *bench = *state;
    struct refusal why = {.error = 0};
    begin(bench, RULES("0", "10", "-10"));
    plug(bench, 1);
    bench->door.pend = true; /* the others are not taken up */
    bench_event(bench, "add", port[1], NULL);
    plug(bench, 3);
    plug(bench, 2);
    static const uint32_t yielded[] = {0, 0, 0, 1};
    struct container *c1 = delegation_find(bench->delegation, "c1");
    for (int n = 1; n <= PORTS; n++) {
        _cleanup_grant_ struct grant *grant = NULL;
        struct device *device = world_find(delegation_world(bench->delegation), port[n]);
        assert_int_equal(
            delegation_desired(bench->delegation, c1, device, NULL, NULL, &grant, &why), 1);
        assert_int_equal(grant->yielded, yielded[n]);
    }
    bench->door.pend = false;
    recording_door_complete_all(&bench->door);
    expect_holder(bench, 2);
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
        if (!fake_find(&bench->fake, port[n]))
            plug(bench, n);
        break;
    case 1:
        if (fake_find(&bench->fake, port[n]))
            bench_unplug(bench, port[n]);
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
    for (int round = 0; round < 2000; round++) {
        bench->door.pend = true;
        for (unsigned i = draw(&seed, 40); i > 0; i--)
            do_something(bench, &seed, priorities);
        bench->door.pend = false;
        do
            recording_door_complete_all(&bench->door);
        while (recording_door_fire(&bench->door));
        int best = 0, holder = 0;
        for (int n = 1; n <= PORTS; n++) {
            const struct delivery *d = bench_delivery(bench, "c1", port[n]);
            assert_int_equal(d != NULL, fake_find(&bench->fake, port[n]) != NULL);
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
        BENCH_TEST(the_higher_priority_has_the_link_when_it_comes_last),
        BENCH_TEST(the_higher_priority_has_the_link_when_it_comes_first),
        BENCH_TEST(of_equals_the_one_that_has_it_keeps_it),
        BENCH_TEST(of_three_the_best_of_those_that_are_left_has_it),
        BENCH_TEST(only_the_link_that_both_want_is_yielded),
        BENCH_TEST(a_node_goes_before_a_link),
        BENCH_TEST(another_priority_moves_the_link_and_nothing_else),
        BENCH_TEST(a_rule_that_wants_the_link_no_more_leaves_it_to_the_others),
        BENCH_TEST(each_container_has_its_own),
        BENCH_TEST(the_stronger_that_goes_while_the_weaker_yields_was_never_there),
        BENCH_TEST(the_weaker_that_goes_while_it_yields_is_in_nobodys_way),
        BENCH_TEST(both_go_while_one_yields_and_nothing_is_left),
        BENCH_TEST(one_that_moves_while_it_waits_for_the_link_gets_it),
        BENCH_TEST(a_reload_while_one_yields_counts),
        BENCH_TEST(one_that_cannot_yield_is_taken_and_given_anew),
        BENCH_TEST(who_yielded_for_one_that_failed_gets_its_link_back),
        BENCH_TEST(one_that_cannot_be_given_takes_no_link_from_anybody),
        BENCH_TEST(a_container_that_hangs_while_one_yields_has_all_in_order_later),
        BENCH_TEST(what_is_explained_is_how_it_will_be),
        BENCH_TEST(in_the_end_the_best_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
