/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "engine_bench.h"

/* OPTIONS+="exclusive": one container at a time. */

#define USB "/devices/pci0/usb1/1-1"
#define USB_UEVENT "MAJOR=189\nMINOR=3\nDEVNAME=bus/usb/001/004\nDEVTYPE=usb_device\n"
#define INTERFACE USB "/1-1:1.0"

static void expect_refused(struct bench *bench, const char *container, const char *devpath,
                           const char *why)
{
    struct delivery *delivery = bench_delivery(bench, container, devpath);
    assert_non_null(delivery);
    assert_int_equal(delivery->state, DELIVERY_REFUSED);
    assert_string_equal(delivery->why.text, why);
}

#define EXCLUSIVE_RULE                                                                             \
    "SUBSYSTEM==\"tty\", CONTAINER+=\"c*\", GROUP=\"20\", MODE=\"0660\", OPTIONS+=\"exclusive\"\n"

static void an_exclusive_device_goes_from_one_container_to_the_next(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, EXCLUSIVE_RULE);
    bench_register(bench, "c1", 1);
    bench_register(bench, "c2", 2);
    bench_register(bench, "c3", 3);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect(bench, GIVEN_STEPS("c1"));
    expect_refused(bench, "c2", TTY,
                   "container c1 has it, and test.rules:1 says OPTIONS+=\"exclusive\"");
    delegation_unregister(bench->delegation, "c1", NULL, NULL);
    bench_expect(bench, CUT_STEPS("c1") TAKEN_STEPS("c1") GIVEN_STEPS("c2"));
    recording_door_kill(&bench->door, 2, true);
    bench_expect(bench, CUT_STEPS("c2") GIVEN_STEPS("c3"));
    bench_expect_one(bench);
}

static void an_exclusive_device_waits_until_it_is_taken_back(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, EXCLUSIVE_RULE);
    bench_register(bench, "c1", 1);
    bench_register(bench, "c2", 2);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
    bench->door.pend = true;
    delegation_unregister(bench->delegation, "c1", NULL, NULL);
    bench_expect(bench, CUT_STEPS("c1") "c1 node-detach /dev/ttyUSB0 ...\n");
    bench->door.pend = false;
    recording_door_complete(&bench->door, "c1", 0);
    bench_expect(bench,
                 "c1 node-destroy /dev/ttyUSB0\nc1 event remove " TTY "\n" GIVEN_STEPS("c2"));
}

static void an_exclusive_device_that_one_cannot_have_goes_to_the_next(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, EXCLUSIVE_RULE);
    bench_register(bench, "c1", 1);
    bench_register(bench, "c2", 2);
    bench_register(bench, "c3", 3);
    bench->door.pend = true;
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    recording_door_complete(&bench->door, "c1", EPERM);
    recording_door_complete(&bench->door, "c2", EPERM);
    recording_door_complete_all(&bench->door);
    expect_refused(bench, "c1", TTY, "the courier says no");
    expect_refused(bench, "c2", TTY, "the courier says no");
    assert_int_equal(bench_delivery(bench, "c3", TTY)->state, DELIVERY_DELIVERED);
}

static void an_exclusive_device_that_nobody_can_have_ends_nobodys_day(void **state)
{
    struct bench *bench = *state;
    char name[16];
    bench_rules(bench, EXCLUSIVE_RULE);
    for (int i = 1; i < 40; i++) {
        snprintf(name, sizeof(name), "c%d", i);
        bench_register(bench, name, i);
    }
    bench->door.refused = "node-attach";
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect_nothing(bench);
    for (int i = 1; i < 40; i++) {
        snprintf(name, sizeof(name), "c%d", i);
        assert_int_equal(bench_delivery(bench, name, TTY)->why.error, EIO);
    }
}

static void what_was_given_before_it_became_exclusive_is_not_taken_from_the_first(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_register(bench, "c2", 2);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_rules(bench, EXCLUSIVE_RULE);
    int holders = 0;
    for (struct container *c = delegation_containers(bench->delegation); c; c = c->next)
        holders += container_find_delivery(c, TTY)->state == DELIVERY_DELIVERED;
    assert_int_equal(holders, 1);
    bench_expect_one(bench);
}

#define RANKED_RULES                                                                               \
    "SUBSYSTEM==\"tty\", CONTAINER+=\"c1\", GROUP=\"20\", MODE=\"0660\", OPTIONS+=\"exclusive\"\n" \
    "SUBSYSTEM==\"tty\", CONTAINER+=\"c2\", GROUP=\"20\", MODE=\"0660\", OPTIONS+=\"exclusive\"\n"
#define FIRST_HAS_IT "container c1 has it, and test.rules:2 says OPTIONS+=\"exclusive\""

static void of_those_who_want_it_that_of_the_first_rule_gets_it(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, RANKED_RULES);
    bench_register(bench, "c2", 2);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect(bench, GIVEN_STEPS("c1"));
    assert_int_equal(bench_delivery(bench, "c2", TTY)->state, DELIVERY_REFUSED);
    bench_event(bench, "change", TTY, NULL);
    bench_expect(bench, "c1 event change " TTY "\n");
    expect_refused(bench, "c2", TTY, FIRST_HAS_IT);
    recording_door_kill(&bench->door, 1, true);
    bench_expect(bench, CUT_STEPS("c1") GIVEN_STEPS("c2"));
}

static void who_has_it_keeps_it_when_one_of_an_earlier_rule_comes(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, RANKED_RULES);
    bench_register(bench, "c2", 2);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect(bench, GIVEN_STEPS("c2"));
    bench_register(bench, "c1", 1);
    bench_expect(bench, "");
    expect_refused(bench, "c1", TTY,
                   "container c2 has it, and test.rules:1 says OPTIONS+=\"exclusive\"");
}

static void who_cannot_have_it_is_not_waited_for(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, RANKED_RULES);
    bench_register(bench, "c2", 2);
    bench_register(bench, "c1", 1);
    bench->door.pend = true;
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    expect_refused(bench, "c2", TTY, "container c1 comes before it, by an earlier rule");
    recording_door_complete(&bench->door, "c1", EPERM);
    recording_door_complete_all(&bench->door);
    expect_refused(bench, "c1", TTY, "the courier says no");
    assert_int_equal(bench_delivery(bench, "c2", TTY)->state, DELIVERY_DELIVERED);
}

static void who_hangs_is_not_waited_for(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, RANKED_RULES);
    bench_register(bench, "c2", 2);
    bench_register(bench, "c1", 1);
    bench->door.stall = true;
    bench_plug(bench, "/devices/ttyS9", "tty", "MAJOR=4\nMINOR=73\nDEVNAME=ttyS9\n");
    assert_true(delegation_find(bench->delegation, "c1")->stalled);
    bench->door.stall = false;
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    assert_int_equal(bench_delivery(bench, "c2", TTY)->state, DELIVERY_DELIVERED);
}

static void who_leaves_before_it_was_served_is_not_waited_for(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, RANKED_RULES "KERNEL==\"ttyS9\", CONTAINER=\"c1\", NODE=\"first\"\n");
    bench_register(bench, "c2", 2);
    bench_register(bench, "c1", 1);
    bench->door.pend = true;
    bench_plug(bench, "/devices/ttyS9", "tty", "MAJOR=4\nMINOR=73\nDEVNAME=ttyS9\n");
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    expect_refused(bench, "c2", TTY, "container c1 comes before it, by an earlier rule");
    assert_null(bench_delivery(bench, "c1", TTY));
    bench->door.pend = false;
    recording_door_kill(&bench->door, 1, true);
    assert_int_equal(bench_delivery(bench, "c2", TTY)->state, DELIVERY_DELIVERED);
}

#define TREE_RULES                                                                                 \
    "SUBSYSTEM==\"usb\", CONTAINER+=\"c1\", OPTIONS+=\"subtree exclusive\"\n"                      \
    "SUBSYSTEM==\"usb\", CONTAINER+=\"c2\", OPTIONS+=\"subtree exclusive\"\n"

/* Also where the other one's rule comes first, and when the child comes later. */
static void a_subtree_is_never_parted(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TREE_RULES "KERNEL==\"ttyS9\", CONTAINER+=\"c2\"\n");
    bench_register(bench, "c2", 2);
    bench_plug(bench, USB, "usb", USB_UEVENT);
    bench_register(bench, "c1", 1);
    bench_forget(bench);
    bench_plug(bench, INTERFACE, "usb", "DEVTYPE=usb_interface\n");
    bench_expect(bench, "c2 event add " INTERFACE "\n");
    bench->door.pend = true; /* and also when the one who has it is busy yet */
    bench_plug(bench, "/devices/ttyS9", "tty", "MAJOR=4\nMINOR=73\nDEVNAME=ttyS9\n");
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    expect_refused(bench, "c1", TTY,
                   "container c2 has " INTERFACE
                   " with all below it, and test.rules:2 says OPTIONS+=\"exclusive\"");
}

static void what_the_rules_leave_out_of_a_subtree_is_free(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TREE_RULES "SUBSYSTEM==\"tty\", CONTAINER-=\"c2\"\n" TTY_RULE
                                  "SUBSYSTEM==\"tty\", CONTAINER-=\"c2\"\n");
    bench_register(bench, "c2", 2);
    bench_plug(bench, USB, "usb", USB_UEVENT);
    bench_register(bench, "c1", 1);
    bench_forget(bench);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect(bench, GIVEN_STEPS("c1"));
}

static void a_subtree_goes_over_as_a_whole_parents_first(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TREE_RULES);
    bench_register(bench, "c1", 1);
    bench_register(bench, "c2", 2);
    bench_plug(bench, USB, "usb", "DEVTYPE=usb_device\n");
    bench_plug(bench, INTERFACE, "usb", "DEVTYPE=usb_interface\n");
    bench_plug(bench, INTERFACE "/a", "misc", "");
    bench_forget(bench);
    bench_event(bench, "bind", USB, NULL);
    assert_string_equal(bench->heard, "c1 told\n"); /* that c2 is refused it was said */
    bench_expect(bench, "c1 event bind " USB "\n");
    delegation_unregister(bench->delegation, "c1", NULL, NULL);
    bench_expect(bench, "c1 event remove " INTERFACE "/a\nc1 event remove " INTERFACE
                        "\nc1 event remove " USB "\nc2 event add " USB "\nc2 event add " INTERFACE
                        "\nc2 event add " INTERFACE "/a\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(an_exclusive_device_goes_from_one_container_to_the_next),
        BENCH_TEST(an_exclusive_device_waits_until_it_is_taken_back),
        BENCH_TEST(an_exclusive_device_that_one_cannot_have_goes_to_the_next),
        BENCH_TEST(an_exclusive_device_that_nobody_can_have_ends_nobodys_day),
        BENCH_TEST(what_was_given_before_it_became_exclusive_is_not_taken_from_the_first),
        BENCH_TEST(of_those_who_want_it_that_of_the_first_rule_gets_it),
        BENCH_TEST(who_has_it_keeps_it_when_one_of_an_earlier_rule_comes),
        BENCH_TEST(who_cannot_have_it_is_not_waited_for),
        BENCH_TEST(who_hangs_is_not_waited_for),
        BENCH_TEST(who_leaves_before_it_was_served_is_not_waited_for),
        BENCH_TEST(a_subtree_is_never_parted),
        BENCH_TEST(what_the_rules_leave_out_of_a_subtree_is_free),
        BENCH_TEST(a_subtree_goes_over_as_a_whole_parents_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
