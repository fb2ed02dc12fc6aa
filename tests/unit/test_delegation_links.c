/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "link_scene.h"

/* One link that several devices of a container want. */

static void the_higher_priority_has_the_link_when_it_comes_last(void **state)
{
    struct bench *bench = *state;
    begin(bench, RULES("0", "10", "0"));
    plug(bench, 1);
    bench_expect(bench, GIVEN("1", LINKED("1")));
    plug(bench, 2); /* the weaker loses it before the stronger is told of, and nothing else */
    bench_expect(bench, UNLINKED("1") GIVEN("2", LINKED("2")));
    expect_holder(bench, 2);
    bench_unplug(bench, ports[2]); /* it is gone before the `remove` is told */
    bench_expect(bench, CUT("2") TAKEN("2", UNLINKED("2")) LINKED("1"));
    expect_holder(bench, 1);
    bench_unplug(bench, ports[1]);
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
    bench_unplug(bench, ports[2]);
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
    bench_event(bench, "change", ports[1], NULL);
    bench_event(bench, "change", ports[2], NULL);
    bench_expect(bench, "c1 event change /devices/ttyS1\nc1 event change /devices/ttyS2\n");
    bench_unplug(bench, ports[2]); /* then who came first */
    expect_holder(bench, 1);
    plug(bench, 2);
    expect_holder(bench, 1);
    bench_unplug(bench, ports[1]);
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
    bench_unplug(bench, ports[2]);
    bench_expect(bench, CUT("2") TAKEN("2", UNLINKED("2")) LINKED("3"));
    expect_holder(bench, 3);
    bench_unplug(bench, ports[3]);
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
    assert_int_equal(bench_delivery(bench, "c1", ports[1])->grant->yielded, 1);
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
        expect_explained(bench, 1, 1);
        bench_unplug(bench, ports[2]);
        expect_holder(bench, 1);
        bench_unplug(bench, ports[1]);
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
    bench_rules(bench, RULES("7", "8", "9"));
    bench_expect(bench, UNLINKED("1") LINKED("3"));
    bench_rules(bench, RULES("3", "3", "3"));
    bench_expect(bench, "");
    expect_holder(bench, 3);
}

static void an_event_that_changes_the_priority_moves_the_link(void **state)
{
    struct bench *bench = *state;
    begin(bench, RULES("0", "-1", "0") "KERNEL==\"ttyS2\", ATTR{used}==\"1\", "
                                       "OPTIONS+=\"link_priority=10\"\n");
    plug(bench, 1);
    plug(bench, 2);
    bench_forget(bench);
    fake_set_attribute(fake_find(&bench->fake, ports[2]), "used", "1");
    bench_event(bench, "change", ports[2], NULL);
    bench_expect(bench, UNLINKED("1") LINKED("2") "c1 event change /devices/ttyS2\n");
    fake_set_attribute(fake_find(&bench->fake, ports[2]), "used", "0");
    bench_event(bench, "change", ports[2], NULL);
    bench_expect(bench, UNLINKED("2") "c1 event change /devices/ttyS2\n" LINKED("1"));
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
    assert_int_equal(bench_delivery(bench, "c1", ports[1])->grant->yielded, 1);
    assert_int_equal(bench_delivery(bench, "c1", ports[2])->grant->yielded, 0);
    assert_int_equal(bench_delivery(bench, "c2", ports[1])->grant->yielded, 0);
    assert_int_equal(bench_delivery(bench, "c2", ports[2])->grant->yielded, 1);
    assert_int_equal(recording_door_state(&bench->door).links, 2);
}

static void what_is_explained_is_how_it_will_be(void **state)
{
    struct bench *bench = *state;
    begin(bench, RULES("0", "10", "-10"));
    bench->door.pend = true; /* the others are not taken up */
    plug(bench, 1);
    plug(bench, 3);
    plug(bench, 2);
    expect_explained(bench, 1, 0);
    expect_explained(bench, 2, 0); /* port 1 will yield to it */
    expect_explained(bench, 3, 1);
    bench->door.pend = false;
    recording_door_complete_all(&bench->door);
    expect_holder(bench, 2);
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
        BENCH_TEST(an_event_that_changes_the_priority_moves_the_link),
        BENCH_TEST(a_rule_that_wants_the_link_no_more_leaves_it_to_the_others),
        BENCH_TEST(each_container_has_its_own),
        BENCH_TEST(what_is_explained_is_how_it_will_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
