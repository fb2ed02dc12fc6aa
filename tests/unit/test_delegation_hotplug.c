/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "engine_bench.h"

/* Devices come, change, move and go; rules are reloaded. */

#define USB "/devices/pci0/usb1/1-1"
#define USB_UEVENT "MAJOR=189\nMINOR=3\nDEVNAME=bus/usb/001/004\nDEVTYPE=usb_device\n"

static void a_device_is_complete_before_it_is_told(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect(bench, GIVEN_STEPS("c1"));
    bench_expect_one(bench);
}

static void a_device_is_dead_before_anything_that_waits(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
    bench_unplug(bench, TTY);
    bench_expect(bench, CUT_STEPS("c1") TAKEN_STEPS("c1"));
    bench_expect_nothing(bench);
}

static void a_device_that_was_there_before_is_given_too(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    fake_plug(&bench->fake, TTY, "tty", TTY_UEVENT);
    assert_int_equal(world_scan(delegation_world(bench->delegation)), 0);
    bench_register(bench, "c1", 1);
    bench_expect(bench, GIVEN_STEPS("c1"));
}

static void the_add_of_a_device_that_was_found_already_is_not_told_again(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    fake_plug(&bench->fake, TTY, "tty", TTY_UEVENT);
    assert_int_equal(world_scan(delegation_world(bench->delegation)), 0);
    bench_expect(bench, GIVEN_STEPS("c1"));
    bench_event(bench, "add", TTY, NULL);
    world_scan(delegation_world(bench->delegation));
    bench_expect(bench, "");
}

static void a_removal_that_nobody_announced_is_told_once(void **state)
{
    struct bench *bench = *state;
    struct uevent late;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
    fake_event(&bench->fake, "remove", TTY, NULL, &late);
    fake_unplug(&bench->fake, TTY);
    assert_int_equal(world_scan(delegation_world(bench->delegation)), 0);
    bench_expect(bench, CUT_STEPS("c1") TAKEN_STEPS("c1"));
    assert_string_equal(uevent_get(&bench->door.told, "DEVNAME"), "ttyUSB0");
    world_apply(delegation_world(bench->delegation), &late);
    bench_expect(bench, "");
}

/* One event of a device that is delivered, and what the container sees of it. */
static void each_event_is_told_once_or_not_at_all(void **state)
{
    static const struct {
        const char *action, *extra, *steps;
    } cases[] = {
        {"change", NULL, "c1 event change " TTY "\n"},
        {"bind", NULL, "c1 event bind " TTY "\n"},
        {"unbind", NULL, "c1 event unbind " TTY "\n"},
        {"online", NULL, "c1 event online " TTY "\n"},
        {"offline", NULL, "c1 event offline " TTY "\n"},
        {"add", NULL, ""},
        {"change", "SYNTH_UUID=0", "c1 event change " TTY "\n"},
        {"add", "SYNTH_UUID=0", ""},
        {"remove", "SYNTH_UUID=0", ""},
        {"offline", "SYNTH_UUID=0", ""},
        {"move", "SYNTH_UUID=0|DEVPATH_OLD=/devices/x", ""},
    };
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(bench_event(bench, cases[i].action, TTY, cases[i].extra), 0);
        bench_expect(bench, cases[i].steps);
    }
    bench_expect_one(bench);
}

static void a_move_is_told_and_later_events_use_the_new_path(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, "SUBSYSTEM==\"net\", CONTAINER+=\"c1\", OPTIONS+=\"no_node\"\n");
    bench_register(bench, "c1", 1);
    bench_plug(bench, "/devices/net/eth0", "net", "INTERFACE=eth0\nIFINDEX=7\n");
    bench_expect(bench, "c1 event add /devices/net/eth0\n");
    fake_move(&bench->fake, "/devices/net/eth0", "/devices/net/lan");
    bench_event(bench, "move", "/devices/net/lan", "DEVPATH_OLD=/devices/net/eth0");
    bench_expect(bench, "c1 event move /devices/net/lan\n");
    assert_string_equal(uevent_get(&bench->door.told, "DEVPATH_OLD"), "/devices/net/eth0");

    fake_unplug(&bench->fake, "/devices/net/lan");
    world_scan(delegation_world(bench->delegation));
    bench_expect(bench, "c1 event remove /devices/net/lan\n");
}

static void a_relative_that_moved_along_goes_under_its_new_path(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, "SUBSYSTEM==\"queues\", CONTAINER+=\"c1\"\n");
    bench_register(bench, "c1", 1);
    bench_plug(bench, "/devices/net/eth0", "net", "INTERFACE=eth0\nIFINDEX=7\n");
    bench_plug(bench, "/devices/net/eth0/queues/rx-0", "queues", "");
    bench_forget(bench);
    fake_move(&bench->fake, "/devices/net/eth0", "/devices/net/lan");
    bench_event(bench, "move", "/devices/net/lan", "DEVPATH_OLD=/devices/net/eth0");
    bench_expect(bench, "");
    bench_rules(bench, "");
    bench_expect(bench, "c1 event remove /devices/net/lan/queues/rx-0\n");
}

static void a_new_device_at_the_same_path_is_another_device(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
    bench_plug(bench, TTY, "tty", TTY_UEVENT); /* its remove was lost */
    bench_expect(bench, CUT_STEPS("c1") TAKEN_STEPS("c1") GIVEN_STEPS("c1"));
    bench_expect_one(bench);
}

static void a_number_that_was_given_anew_is_taken_from_its_last_owner_first(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
    bench_plug(bench, "/devices/other/ttyUSB1", "tty", "MAJOR=188\nMINOR=0\nDEVNAME=ttyUSB1\n");
    bench_expect(bench,
                 CUT_STEPS("c1")
                     TAKEN_STEPS("c1") "c1 node-make /dev/ttyUSB1 c 188:0 owner 0:20 mode 0660\n"
                                       "c1 node-attach /dev/ttyUSB1\n"
                                       "c1 access-allow c 188:0 rw\n"
                                       "c1 event add /devices/other/ttyUSB1\n");
}

/* What a reload does to a device that is delivered by TTY_RULE. */
static void a_reload_does_no_more_than_it_must(void **state)
{
    static const struct {
        const char *rule, *steps;
    } cases[] = {
        {TTY_RULE, ""},
        {"SUBSYSTEM==\"tty\", CONTAINER+=\"c1\", GROUP=\"20\", MODE=\"0660\"\n", ""},
        {"SUBSYSTEM==\"tty\", CONTAINER+=\"c1\", GROUP=\"5\", MODE=\"0640\"\n",
         "c1 node-change /dev/ttyUSB0 c 188:0 owner 0:5 mode 0640\n"},
        {"SUBSYSTEM==\"tty\", CONTAINER+=\"c1\", GROUP=\"5\", MODE=\"0640\", ACCESS=\"r\"\n",
         "c1 access-allow c 188:0 r\n"},
        {"SUBSYSTEM==\"tty\", CONTAINER+=\"c1\", GROUP=\"tty\", MODE=\"0640\", ACCESS=\"r\"\n",
         "c1 identify group tty\nc1 node-change /dev/ttyUSB0 c 188:0 owner 0:tty mode 0640\n"},
        {"SUBSYSTEM==\"tty\", CONTAINER+=\"c2\"\n",
         "c1 access-deny c 188:0 r\nc1 node-revoke /dev/ttyUSB0\n" TAKEN_STEPS("c1")},
        {TTY_RULE, GIVEN_STEPS("c1")},
    };
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        bench_rules(bench, cases[i].rule);
        bench_expect(bench, cases[i].steps);
    }
    bench_expect_one(bench);
}

static void another_name_is_news_for_programs_inside(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
    bench_rules(bench, "SUBSYSTEM==\"tty\", CONTAINER+=\"c1\", SYMLINK+=\"stick\"\n");
    bench_expect(bench,
                 CUT_STEPS("c1")
                     TAKEN_STEPS("c1") "c1 node-make /dev/ttyUSB0 c 188:0 owner 0:0 mode 0600\n"
                                       "c1 node-attach /dev/ttyUSB0\n"
                                       "c1 link-make /dev/stick -> /dev/ttyUSB0\n"
                                       "c1 access-allow c 188:0 rw\n"
                                       "c1 event add " TTY "\n");
    bench_unplug(bench, TTY);
    bench_expect(bench,
                 CUT_STEPS("c1") "c1 link-remove /dev/stick -> /dev/ttyUSB0\n" TAKEN_STEPS("c1"));
}

static void a_change_that_ends_the_grant_is_a_removal_inside(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, "SUBSYSTEM==\"tty\", ATTR{owner}==\"lab\", CONTAINER+=\"c1\", "
                       "GROUP=\"20\", MODE=\"0660\"\n");
    bench_register(bench, "c1", 1);
    fake_set_attribute(fake_plug(&bench->fake, TTY, "tty", TTY_UEVENT), "owner", "lab");
    bench_event(bench, "add", TTY, NULL);
    bench_expect(bench, GIVEN_STEPS("c1"));
    fake_set_attribute(fake_find(&bench->fake, TTY), "owner", "home");
    bench_event(bench, "change", TTY, NULL);
    bench_expect(bench, CUT_STEPS("c1") TAKEN_STEPS("c1"));
    fake_set_attribute(fake_find(&bench->fake, TTY), "owner", "lab");
    bench_event(bench, "change", TTY, NULL);
    bench_expect(bench, GIVEN_STEPS("c1"));
}

static void a_rule_that_names_the_driver_gives_at_bind(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, "SUBSYSTEM==\"tty\", DRIVERS==\"cp210x\", CONTAINER+=\"c1\", "
                       "GROUP=\"20\", MODE=\"0660\"\n");
    bench_register(bench, "c1", 1);
    bench_plug(bench, USB, "usb", USB_UEVENT);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect(bench, "");
    fake_set_text(&fake_find(&bench->fake, USB)->driver, "cp210x");
    bench_event(bench, "bind", USB, NULL);
    bench_expect(bench, GIVEN_STEPS("c1"));
    fake_set_text(&fake_find(&bench->fake, USB)->driver, NULL);
    bench_event(bench, "unbind", USB, NULL);
    bench_expect(bench, CUT_STEPS("c1") TAKEN_STEPS("c1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(a_device_is_complete_before_it_is_told),
        BENCH_TEST(a_device_is_dead_before_anything_that_waits),
        BENCH_TEST(a_device_that_was_there_before_is_given_too),
        BENCH_TEST(the_add_of_a_device_that_was_found_already_is_not_told_again),
        BENCH_TEST(a_removal_that_nobody_announced_is_told_once),
        BENCH_TEST(each_event_is_told_once_or_not_at_all),
        BENCH_TEST(a_move_is_told_and_later_events_use_the_new_path),
        BENCH_TEST(a_relative_that_moved_along_goes_under_its_new_path),
        BENCH_TEST(a_new_device_at_the_same_path_is_another_device),
        BENCH_TEST(a_number_that_was_given_anew_is_taken_from_its_last_owner_first),
        BENCH_TEST(a_reload_does_no_more_than_it_must),
        BENCH_TEST(another_name_is_news_for_programs_inside),
        BENCH_TEST(a_change_that_ends_the_grant_is_a_removal_inside),
        BENCH_TEST(a_rule_that_names_the_driver_gives_at_bind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
