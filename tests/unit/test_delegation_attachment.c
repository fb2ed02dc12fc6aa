/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "engine_bench.h"
#include "model/rule_parser.h"

/* Devices that were given by hand. */

static void attach(struct bench *bench, const char *devpath, unsigned options)
{
    struct refusal why = {.error = 0};
    struct share share = {.given = true,
                          .mode = 0660,
                          .group = (char[]){"20"},
                          .options = options,
                          .rule_file = (char[]){"attach"}};
    struct container *c1 = delegation_find(bench->delegation, "c1");
    struct device *device = world_find(delegation_world(bench->delegation), devpath);
    assert_non_null(device);
    if (delegation_attach(bench->delegation, c1, device, &share, &why) < 0)
        fail_msg("%s", why.text);
}

static void what_is_attached_by_hand_needs_no_rule(void **state)
{
    struct bench *bench = *state;
    struct refusal why = {.error = 0};
    struct container *c1 = bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect(bench, "");
    attach(bench, TTY, 0);
    bench_expect(bench, GIVEN_STEPS("c1"));
    attach(bench, TTY, 0);
    bench_expect(bench, "");
    assert_int_equal(delegation_detach(bench->delegation, c1, TTY, &why), 0);
    bench_expect(bench, CUT_STEPS("c1") TAKEN_STEPS("c1"));
    assert_int_equal(delegation_detach(bench->delegation, c1, TTY, &why), -ENOENT);
    assert_string_equal(why.text, TTY " is not attached to c1");
}

static void an_attachment_is_of_one_incarnation(void **state)
{
    struct bench *bench = *state;
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    attach(bench, TTY, 0);
    bench_unplug(bench, TTY);
    bench_forget(bench);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect(bench, "");
}

static void an_attached_subtree_hands_down_and_takes_along(void **state)
{
    static const char *const usb = "/devices/pci0/usb1/1-1";
    struct bench *bench = *state;
    struct container *c1 = bench_register(bench, "c1", 1);
    bench_plug(bench, usb, "usb", "MAJOR=189\nMINOR=3\nDEVNAME=bus/usb/001/004\n");
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    attach(bench, usb, OPTION_SUBTREE);
    assert_int_equal(recording_door_state(&bench->door).live, 2);
    assert_non_null(strstr(bench->door.log, GIVEN_STEPS("c1")));
    assert_int_equal(delegation_detach(bench->delegation, c1, usb, NULL), 0);
    bench_expect_nothing(bench);
}

static void what_comes_later_below_an_attached_subtree_follows(void **state)
{
    static const char *const usb = "/devices/pci0/usb1/1-1";
    struct bench *bench = *state;
    struct refusal why = {.error = 0};
    struct container *c1 = bench_register(bench, "c1", 1);
    bench_plug(bench, usb, "usb", "MAJOR=189\nMINOR=3\nDEVNAME=bus/usb/001/004\n");
    attach(bench, usb, OPTION_SUBTREE);
    bench_forget(bench);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect(bench, GIVEN_STEPS("c1"));
    bench_unplug(bench, TTY);
    bench_expect(bench, CUT_STEPS("c1") TAKEN_STEPS("c1"));
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    assert_int_equal(recording_door_state(&bench->door).live, 2);

    assert_int_equal(delegation_detach(bench->delegation, c1, TTY, &why), -EPERM);
    assert_string_equal(why.text, TTY " was not attached by itself: it comes with "
                                      "/devices/pci0/usb1/1-1, which was attached with all below "
                                      "it; detach that");
    bench_unplug(bench, usb);
    bench_plug(bench, usb, "usb", "MAJOR=189\nMINOR=3\nDEVNAME=bus/usb/001/004\n");
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect_nothing(bench); /* another incarnation, of which nothing was said */
}

static void what_is_attached_alone_hands_nothing_down(void **state)
{
    static const char *const usb = "/devices/pci0/usb1/1-1";
    struct bench *bench = *state;
    struct refusal why = {.error = 0};
    struct container *c1 = bench_register(bench, "c1", 1);
    bench_plug(bench, usb, "usb", "MAJOR=189\nMINOR=3\nDEVNAME=bus/usb/001/004\n");
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    attach(bench, usb, 0);
    bench_expect_one(bench);
    assert_int_equal(delegation_detach(bench->delegation, c1, TTY, &why), -ENOENT);
}

static void rules_are_tried_without_what_was_attached(void **state)
{
    struct bench *bench = *state;
    struct refusal why = {.error = 0};
    struct rule_problems problems = {.count = 0};
    _cleanup_rule_set_ struct rule_set *none = rule_set_new(), *rules = rule_set_new();
    _cleanup_grant_ struct grant *grant = NULL;
    struct container *c1 = bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    attach(bench, TTY, 0);
    bench_forget(bench);
    struct device *device = world_find(delegation_world(bench->delegation), TTY);

    assert_int_equal(delegation_try_rules(bench->delegation, none, c1, device, &grant, &why), 0);
    assert_null(grant);
    assert_int_equal(rule_parse(rules, "new.rules", TTY_RULE, strlen(TTY_RULE), &problems), 0);
    assert_int_equal(delegation_try_rules(bench->delegation, rules, c1, device, &grant, &why), 1);
    assert_string_equal(grant->rule_file, "new.rules");
    bench_expect(bench, "");
    rule_problems_done(&problems);
}

static void rules_are_tried_with_what_is_in_the_way(void **state)
{
    static const char text[] = "KERNEL==\"ttyUSB1\", CONTAINER+=\"c1\", NODE=\"ttyUSB0\"\n";
    struct bench *bench = *state;
    struct refusal why = {.error = 0};
    struct rule_problems problems = {.count = 0};
    _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
    struct grant *grant = NULL;
    struct container *c1 = bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    attach(bench, TTY, 0);
    bench_plug(bench, "/devices/ttyUSB1", "tty", "MAJOR=188\nMINOR=1\nDEVNAME=ttyUSB1\n");
    struct device *device = world_find(delegation_world(bench->delegation), "/devices/ttyUSB1");

    assert_int_equal(rule_parse(rules, "new.rules", text, strlen(text), &problems), 0);
    assert_int_equal(delegation_try_rules(bench->delegation, rules, c1, device, &grant, &why),
                     -EBUSY);
    assert_string_equal(why.text, "/dev/ttyUSB0 is held by " TTY);
    assert_null(grant);
    rule_problems_done(&problems);
}

static void a_grant_names_the_rule_that_gives_it_now(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
    assert_int_equal(bench_delivery(bench, "c1", TTY)->grant->rule_line, 1);
    bench_rules(bench, "# moved\n\n" TTY_RULE);
    bench_expect(bench, "");
    assert_int_equal(bench_delivery(bench, "c1", TTY)->grant->rule_line, 3);
}

static void a_rule_goes_on_where_an_attachment_ends(void **state)
{
    struct bench *bench = *state;
    struct refusal why = {.error = 0};
    bench_rules(bench, "SUBSYSTEM==\"tty\", CONTAINER+=\"c1\", MODE=\"0600\"\n");
    struct container *c1 = bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
    assert_int_equal(delegation_detach(bench->delegation, c1, TTY, &why), -EPERM);
    assert_string_equal(why.text, TTY " was not attached by hand: c1 has it by test.rules:1; "
                                      "change the rule and reload");
    attach(bench, TTY, 0);
    bench_expect(bench, "c1 node-change /dev/ttyUSB0 c 188:0 owner 0:20 mode 0660\n");
    assert_int_equal(delegation_detach(bench->delegation, c1, TTY, &why), 0);
    bench_expect(bench, "c1 node-change /dev/ttyUSB0 c 188:0 owner 0:0 mode 0600\n");
}

static void an_attachment_that_cannot_be_leaves_the_one_before(void **state)
{
    struct bench *bench = *state;
    struct refusal why = {.error = 0};
    struct share wrong = {.given = true, .mode = -1, .node = (char[]){"/etc/passwd"}};
    struct container *c1 = bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    attach(bench, TTY, 0);
    bench_forget(bench);
    struct device *device = world_find(delegation_world(bench->delegation), TTY);
    assert_int_equal(delegation_attach(bench->delegation, c1, device, &wrong, &why), -EINVAL);
    assert_string_equal(why.text, "NODE \"/etc/passwd\" is not below /dev");
    bench_rules(bench, "");
    bench_expect(bench, "");
    bench_expect_one(bench);
}

static void nobody_attaches_to_a_container_that_leaves(void **state)
{
    struct bench *bench = *state;
    struct refusal why = {.error = 0};
    struct share share = {.given = true, .mode = -1};
    bench_rules(bench, TTY_RULE);
    struct container *c1 = bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench->door.pend = true;
    delegation_unregister(bench->delegation, "c1", NULL, NULL);
    struct device *device = world_find(delegation_world(bench->delegation), TTY);
    assert_int_equal(delegation_attach(bench->delegation, c1, device, &share, &why), -ESHUTDOWN);
    recording_door_complete_all(&bench->door);
    bench_expect_nothing(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(what_is_attached_by_hand_needs_no_rule),
        BENCH_TEST(an_attachment_is_of_one_incarnation),
        BENCH_TEST(an_attached_subtree_hands_down_and_takes_along),
        BENCH_TEST(what_comes_later_below_an_attached_subtree_follows),
        BENCH_TEST(what_is_attached_alone_hands_nothing_down),
        BENCH_TEST(rules_are_tried_without_what_was_attached),
        BENCH_TEST(rules_are_tried_with_what_is_in_the_way),
        BENCH_TEST(a_grant_names_the_rule_that_gives_it_now),
        BENCH_TEST(a_rule_goes_on_where_an_attachment_ends),
        BENCH_TEST(an_attachment_that_cannot_be_leaves_the_one_before),
        BENCH_TEST(nobody_attaches_to_a_container_that_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
