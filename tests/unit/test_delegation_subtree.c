/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "engine_bench.h"

/* OPTIONS+="subtree": what hangs below a device that is given. */

#define USB "/devices/pci0/usb1/1-1"
#define USB_UEVENT "MAJOR=189\nMINOR=3\nDEVNAME=bus/usb/001/004\nDEVTYPE=usb_device\n"
#define BOARD_RULE                                                                                 \
    "SUBSYSTEM==\"usb\", ENV{DEVTYPE}==\"usb_device\", CONTAINER+=\"c1\", NODE=\"board\", "        \
    "SYMLINK+=\"b\", GROUP=\"20\", MODE=\"0660\", OPTIONS+=\"subtree\"\n"
#define BOARD_STEPS                                                                                \
    "c1 node-make /dev/board c 189:3 owner 0:20 mode 0660\n"                                       \
    "c1 node-attach /dev/board\n"                                                                  \
    "c1 link-make /dev/b -> /dev/board\n"                                                          \
    "c1 access-allow c 189:3 rw\n"                                                                 \
    "c1 event add " USB "\n"
#define INTERFACE "/devices/pci0/usb1/1-1/1-1:1.0"

static void a_subtree_comes_with_all_that_hangs_below(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, BOARD_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, USB, "usb", USB_UEVENT);
    bench_expect(bench, BOARD_STEPS);
    bench_plug(bench, INTERFACE, "usb", "DEVTYPE=usb_interface\n");
    bench_expect(bench, "c1 event add " INTERFACE "\n");
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect(bench, GIVEN_STEPS("c1"));
    bench_plug(bench, "/devices/pci0/usb1/1-10", "usb", "DEVTYPE=usb_interface\n");
    bench_expect(bench, "");
}

static void lines_about_a_child_refine_what_it_inherits(void **state)
{
    static const struct {
        const char *line, *steps;
    } cases[] = {
        {"SUBSYSTEM==\"tty\", GROUP=\"5\", MODE=\"0600\"",
         "c1 node-make /dev/ttyUSB0 c 188:0 owner 0:5 mode 0600\nc1 node-attach /dev/ttyUSB0\n"
         "c1 access-allow c 188:0 rw\nc1 event add " TTY "\n"},
        {"SUBSYSTEM==\"tty\", CONTAINER==\"c1\", NODE=\"modem\", SYMLINK+=\"m\"",
         "c1 node-make /dev/modem c 188:0 owner 0:20 mode 0660\nc1 node-attach /dev/modem\n"
         "c1 link-make /dev/m -> /dev/modem\n"
         "c1 access-allow c 188:0 rw\nc1 event add " TTY "\n"},
        {"SUBSYSTEM==\"tty\", CONTAINER==\"c2\", NODE=\"modem\"", GIVEN_STEPS("c1")},
        {"SUBSYSTEM==\"tty\", CONTAINER-=\"c1\"", ""},
    };
    struct bench *bench = *state;
    bench_register(bench, "c1", 1);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char rules[1024];
        snprintf(rules, sizeof(rules), BOARD_RULE "%s\n", cases[i].line);
        bench_rules(bench, rules);
        bench_plug(bench, USB, "usb", USB_UEVENT);
        bench_forget(bench);
        bench_plug(bench, TTY, "tty", TTY_UEVENT);
        bench_expect(bench, cases[i].steps);
        bench_unplug(bench, USB);
        bench_unplug(bench, TTY);
        bench_forget(bench);
    }
}

static void a_root_hub_hands_nothing_down_unless_the_rule_means_it(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, "KERNEL==\"usb1\", CONTAINER+=\"c1\", OPTIONS+=\"subtree\"\n");
    bench_register(bench, "c1", 1);
    bench_plug(bench, "/devices/pci0/usb1", "usb", "DEVTYPE=usb_device\n");
    bench_plug(bench, USB, "usb", "DEVTYPE=usb_device\n");
    bench_expect(bench, "");
    bench_rules(bench, "KERNEL==\"usb1\", CONTAINER+=\"c1\", OPTIONS+=\"subtree dangerous\"\n");
    bench_expect(bench, "c1 event add /devices/pci0/usb1\nc1 event add " USB "\n");
}

static void what_has_no_subsystem_is_not_told_of(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, "SUBSYSTEM==\"usb\", CONTAINER+=\"c1\", OPTIONS+=\"subtree\"\n");
    bench_register(bench, "c1", 1);
    bench_plug(bench, USB, "usb", "DEVTYPE=usb_device\n");
    bench_forget(bench);
    fake_plug(&bench->fake, USB "/odd", "", "");
    bench_plug(bench, USB "/odd/x", "misc", "");
    bench_expect(bench, "c1 event add " USB "/odd/x\n");
}

static void children_lose_what_their_parent_loses(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, BOARD_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, USB, "usb", USB_UEVENT);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
    bench_rules(bench, "");
    assert_non_null(strstr(bench->door.log, "event remove " TTY "\n"));
    assert_non_null(strstr(bench->door.log, "event remove " USB "\n"));
    bench_expect_nothing(bench);
}

static void children_do_not_outlive_a_parent_whose_removal_came_first(void **state)
{
    struct bench *bench = *state;
    struct uevent event;
    bench_rules(bench, BOARD_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, USB, "usb", USB_UEVENT);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
    fake_event(&bench->fake, "remove", USB, NULL, &event);
    world_apply(delegation_world(bench->delegation), &event);
    bench_expect_nothing(bench);
}

static void children_go_before_a_parent_that_an_event_takes_away(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, "ATTR{authorized}==\"1\", CONTAINER+=\"c1\", OPTIONS+=\"subtree\"\n");
    bench_register(bench, "c1", 1);
    fake_set_attribute(fake_plug(&bench->fake, USB, "usb", "DEVTYPE=usb_device\n"), "authorized",
                       "1");
    bench_event(bench, "add", USB, NULL);
    bench_plug(bench, INTERFACE, "usb", "DEVTYPE=usb_interface\n");
    bench_plug(bench, INTERFACE "/a", "misc", "");
    bench_plug(bench, INTERFACE "/b", "misc", "");
    bench_expect(bench, "c1 event add " USB "\nc1 event add " INTERFACE "\nc1 event add " INTERFACE
                        "/a\nc1 event add " INTERFACE "/b\n");
    fake_set_attribute(fake_find(&bench->fake, USB), "authorized", "0");
    bench_event(bench, "change", USB, NULL);
    bench_expect(bench, "c1 event remove " INTERFACE "/b\nc1 event remove " INTERFACE
                        "/a\nc1 event remove " INTERFACE "\nc1 event remove " USB "\n");
}

static void children_that_were_known_first_follow_a_parent_that_comes_late(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, BOARD_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect(bench, "");
    bench_plug(bench, USB, "usb", USB_UEVENT);
    bench_expect(bench, BOARD_STEPS GIVEN_STEPS("c1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(a_subtree_comes_with_all_that_hangs_below),
        BENCH_TEST(lines_about_a_child_refine_what_it_inherits),
        BENCH_TEST(a_root_hub_hands_nothing_down_unless_the_rule_means_it),
        BENCH_TEST(what_has_no_subsystem_is_not_told_of),
        BENCH_TEST(children_lose_what_their_parent_loses),
        BENCH_TEST(children_do_not_outlive_a_parent_whose_removal_came_first),
        BENCH_TEST(children_go_before_a_parent_that_an_event_takes_away),
        BENCH_TEST(children_that_were_known_first_follow_a_parent_that_comes_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
