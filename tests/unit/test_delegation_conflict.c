/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "engine_bench.h"

/* Who gets what, where more than one wants it or nobody should. */

#define OTHER "/devices/ttyS9"
#define OTHER_UEVENT "MAJOR=4\nMINOR=73\nDEVNAME=ttyS9\n"

static void expect_refused(struct bench *bench, const char *container, const char *devpath,
                           const char *why)
{
    struct delivery *delivery = bench_delivery(bench, container, devpath);
    assert_non_null(delivery);
    assert_int_equal(delivery->state, DELIVERY_REFUSED);
    assert_string_equal(delivery->why.text, why);
}

static void the_holder_of_a_path_keeps_it_and_the_other_waits(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, "SUBSYSTEM==\"tty\", CONTAINER+=\"c1\", NODE=\"stick\"\n");
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
    bench_plug(bench, OTHER, "tty", OTHER_UEVENT);
    bench_expect(bench, "");
    expect_refused(bench, "c1", OTHER, "/dev/stick is held by " TTY " (test.rules:1)");

    bench_unplug(bench, TTY);
    bench_expect(bench, "c1 access-deny c 188:0 rw\nc1 node-revoke /dev/stick\n"
                        "c1 node-detach /dev/stick\nc1 node-destroy /dev/stick\n"
                        "c1 event remove " TTY "\n"
                        "c1 node-make /dev/stick c 4:73 owner 0:0 mode 0600\n"
                        "c1 node-attach /dev/stick\nc1 access-allow c 4:73 rw\n"
                        "c1 event add " OTHER "\n");
    bench_expect_one(bench);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    expect_refused(bench, "c1", TTY, "/dev/stick is held by " OTHER " (test.rules:1)");
}

static void a_path_is_free_when_its_holder_gets_another(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, "SUBSYSTEM==\"tty\", CONTAINER+=\"c1\", NODE=\"stick\"\n");
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_plug(bench, OTHER, "tty", OTHER_UEVENT);
    bench_rules(bench, "SUBSYSTEM==\"tty\", CONTAINER+=\"c1\", NODE=\"stick\"\n"
                       "KERNEL==\"ttyUSB0\", NODE=\"other\"\n");
    assert_string_equal(bench_delivery(bench, "c1", TTY)->grant->node, "/dev/other");
    assert_string_equal(bench_delivery(bench, "c1", OTHER)->grant->node, "/dev/stick");
    assert_int_equal(recording_door_state(&bench->door).live, 2);
}

static void a_device_that_waited_and_went_waits_no_more(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, "SUBSYSTEM==\"tty\", CONTAINER+=\"c1\", NODE=\"stick\"\n");
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_plug(bench, OTHER, "tty", OTHER_UEVENT);
    bench_forget(bench);
    bench_unplug(bench, OTHER);
    assert_null(bench_delivery(bench, "c1", OTHER));
    bench_expect(bench, "");
    bench_expect_one(bench);
}

static void what_hands_the_host_over_is_given_only_to_who_says_so(void **state)
{
    static const struct {
        const char *devpath, *subsystem, *uevent;
    } cases[] = {
        {"/devices/virtual/mem/kmsg", "mem", "MAJOR=1\nMINOR=11\nDEVNAME=kmsg\n"},
        {"/devices/virtual/misc/uinput", "misc", "MAJOR=10\nMINOR=223\nDEVNAME=uinput\n"},
        {"/devices/pci0/block/sda", "block", "MAJOR=8\nMINOR=0\nDEVNAME=sda\n"},
        {"/devices/pci0/usb1", "usb", "MAJOR=189\nMINOR=0\nDEVNAME=bus/usb/001/001\n"},
    };
    struct bench *bench = *state;
    bench_register(bench, "c1", 1);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        bench_rules(bench, "KERNEL==\"*\", CONTAINER+=\"c1\"\n");
        bench_plug(bench, cases[i].devpath, cases[i].subsystem, cases[i].uevent);
        bench_expect_nothing(bench);
        assert_non_null(strstr(bench->heard, "c1 refused"));
        assert_non_null(
            strstr(delegation_find(bench->delegation, "c1")->note.text, "is never delegated"));
        bench_rules(bench, "KERNEL==\"*\", CONTAINER+=\"c1\", OPTIONS+=\"dangerous\"\n");
        bench_expect_one(bench);
        bench_unplug(bench, cases[i].devpath);
        bench_expect_nothing(bench);
    }
}

static void what_cannot_be_a_node_is_said_and_counts_as_nothing(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, "SUBSYSTEM==\"tty\", CONTAINER+=\"c1\", NODE=\"$attr{path}\"\n");
    bench_register(bench, "c1", 1);
    fake_set_attribute(fake_plug(&bench->fake, TTY, "tty", TTY_UEVENT), "path", "x/../../y");
    bench_event(bench, "add", TTY, NULL);
    bench_expect(bench, "");
    assert_non_null(delegation_find(bench->delegation, "c1")->note.error);
}

/* Which steps are left out, where rule or container say so. */
static void what_is_not_wanted_is_not_done(void **state)
{
    static const struct {
        const char *options;
        enum netns_kind netns;
        const char *give, *change, *take;
    } cases[] = {
        {"no_node", NETNS_ISOLATED, "c1 access-allow c 188:0 rw\nc1 event add " TTY "\n",
         "c1 event change " TTY "\n", "c1 access-deny c 188:0 rw\nc1 event remove " TTY "\n"},
        {"no_node,no_event", NETNS_ISOLATED, "c1 access-allow c 188:0 rw\n", "",
         "c1 access-deny c 188:0 rw\n"},
        {"no_node", NETNS_NATIVE, "c1 access-allow c 188:0 rw\n", "",
         "c1 access-deny c 188:0 rw\n"},
        {"no_node", NETNS_HOST, "c1 access-allow c 188:0 rw\n", "", "c1 access-deny c 188:0 rw\n"},
        {"no_event", NETNS_ISOLATED,
         "c1 node-make /dev/ttyUSB0 c 188:0 owner 0:0 mode 0600\nc1 node-attach /dev/ttyUSB0\n"
         "c1 access-allow c 188:0 rw\n",
         "", CUT_STEPS("c1") "c1 node-detach /dev/ttyUSB0\nc1 node-destroy /dev/ttyUSB0\n"},
    };
    struct bench *bench = *state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char rule[256], *comma;
        snprintf(rule, sizeof(rule), "SUBSYSTEM==\"tty\", CONTAINER+=\"c1\", OPTIONS+=\"%s\"\n",
                 cases[i].options);
        if ((comma = strchr(strstr(rule, "OPTIONS"), ',')))
            strcpy(comma, "\", OPTIONS+=\"no_event\"\n");
        bench->door.netns = cases[i].netns;
        bench_rules(bench, rule);
        bench_register(bench, "c1", 1);
        bench_plug(bench, TTY, "tty", TTY_UEVENT);
        bench_expect(bench, cases[i].give);
        bench_event(bench, "change", TTY, NULL);
        bench_expect(bench, cases[i].change);
        bench_unplug(bench, TTY);
        bench_expect(bench, cases[i].take);
        delegation_unregister(bench->delegation, "c1", NULL, NULL);
    }
}

static void every_event_inside_has_the_names_and_properties_of_the_rule(void **state)
{
    static const char *const actions[] = {"add", "change", "bind"};
    struct bench *bench = *state;
    bench_rules(bench, "SUBSYSTEM==\"tty\", CONTAINER+=\"c1\", NODE=\"serial/zigbee\", "
                       "ENV{ID_MODEL}=\"stick\"\n");
    bench_register(bench, "c1", 1);
    fake_plug(&bench->fake, TTY, "tty", TTY_UEVENT);
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
        bench_event(bench, actions[i], TTY, NULL);
        assert_string_equal(uevent_action_name(bench->door.told.action), actions[i]);
        assert_string_equal(uevent_get(&bench->door.told, "DEVNAME"), "serial/zigbee");
        assert_string_equal(uevent_get(&bench->door.told, "ID_MODEL"), "stick");
        assert_string_equal(uevent_get(&bench->door.told, "MAJOR"), "188");
    }
    bench_unplug(bench, TTY);
    assert_int_equal(bench->door.told.action, UEVENT_REMOVE);
    assert_string_equal(uevent_get(&bench->door.told, "DEVNAME"), "serial/zigbee");
    assert_string_equal(uevent_get(&bench->door.told, "ID_MODEL"), "stick");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(the_holder_of_a_path_keeps_it_and_the_other_waits),
        BENCH_TEST(a_path_is_free_when_its_holder_gets_another),
        BENCH_TEST(a_device_that_waited_and_went_waits_no_more),
        BENCH_TEST(what_hands_the_host_over_is_given_only_to_who_says_so),
        BENCH_TEST(what_cannot_be_a_node_is_said_and_counts_as_nothing),
        BENCH_TEST(what_is_not_wanted_is_not_done),
        BENCH_TEST(every_event_inside_has_the_names_and_properties_of_the_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
