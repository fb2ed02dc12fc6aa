/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "engine_bench.h"

/* Grants that hang on what udev says. */

#define SERIAL_RULE                                                                                \
    "ENV{ID_SERIAL}==\"A5\", SUBSYSTEM==\"tty\", CONTAINER+=\"c*\", GROUP=\"20\", MODE=\"0660\"\n"

/* udevd reports a device with these properties ("KEY=VALUE", with blanks between) and tags. */
static void report(struct bench *bench, const char *devpath, const char *properties,
                   const char *tag)
{
    struct udev_view view = {0};
    _cleanup_free_ char *copy = strdup(properties);
    char *rest = copy;
    for (char *pair; (pair = strsep(&rest, " "));) {
        char *equals = strchr(pair, '=');
        if (!equals)
            continue;
        *equals = '\0';
        assert_int_equal(property_set(&view.properties, pair, equals + 1), 0);
    }
    if (tag)
        assert_int_equal(name_list_add(&view.tags, tag), 0);
    world_describe(delegation_world(bench->delegation), devpath, 100, &view);
}

static void a_rule_that_asks_udev_gives_when_udev_is_done(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, SERIAL_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect(bench, "");
    report(bench, TTY, "ID_SERIAL=A5", NULL);
    bench_expect(bench, GIVEN_STEPS("c1"));
    bench_expect_one(bench);
    report(bench, TTY, "ID_SERIAL=A5 ID_MODEL=x", NULL);
    bench_event(bench, "change", TTY, NULL);
    bench_expect(bench, "c1 event change " TTY "\n");
    bench_unplug(bench, TTY);
    bench_expect(bench, CUT_STEPS("c1") TAKEN_STEPS("c1"));
    bench_expect_nothing(bench);
}

static void what_udev_takes_back_is_taken(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, SERIAL_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    report(bench, TTY, "ID_SERIAL=A5", NULL);
    bench_forget(bench);
    report(bench, TTY, "ID_SERIAL=other", NULL);
    bench_expect(bench, CUT_STEPS("c1") TAKEN_STEPS("c1"));
    bench_expect_nothing(bench);
}

static void the_successor_of_a_device_waits_for_its_own_word(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, SERIAL_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    report(bench, TTY, "ID_SERIAL=A5", NULL);
    bench_unplug(bench, TTY);
    bench_forget(bench);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect(bench, "");
    bench_expect_nothing(bench);
}

static void rules_of_udev_delegate_without_any_of_ours(void **state)
{
    struct bench *bench = *state;
    bench_register(bench, "c1", 1);
    bench_register(bench, "d1", 2);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect(bench, "");
    report(bench, TTY, "DEVOLVE_CONTAINER=c1 DEVOLVE_GROUP=20 DEVOLVE_MODE=0660", NULL);
    bench_expect(bench, GIVEN_STEPS("c1"));
    report(bench, TTY, "DEVOLVE_GROUP=20", NULL);
    bench_expect(bench, CUT_STEPS("c1") TAKEN_STEPS("c1"));
}

static void a_tag_of_a_parent_counts_when_udev_tells_of_it(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, "TAGS==\"lab\", SUBSYSTEM==\"tty\", CONTAINER+=\"c*\", GROUP=\"20\", "
                       "MODE=\"0660\"\n");
    bench_register(bench, "c1", 1);
    bench_plug(bench, "/devices/pci0/usb1/1-1", "usb", "DEVTYPE=usb_device\n");
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    report(bench, TTY, "", NULL);
    bench_expect(bench, "");
    report(bench, "/devices/pci0/usb1/1-1", "", "lab");
    bench_expect(bench, GIVEN_STEPS("c1"));
}

static void a_subtree_that_udev_heads_is_given_with_what_is_there(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, "ENV{ID_SERIAL}==\"A5\", CONTAINER+=\"c*\", OPTIONS+=\"subtree\", "
                       "GROUP=\"20\", MODE=\"0660\"\n");
    bench_register(bench, "c1", 1);
    bench_plug(bench, "/devices/pci0/usb1/1-1", "usb", "DEVTYPE=usb_device\n");
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    report(bench, TTY, "", NULL);
    bench_expect(bench, "");
    report(bench, "/devices/pci0/usb1/1-1", "ID_SERIAL=A5", NULL);
    assert_non_null(bench_delivery(bench, "c1", TTY));
    assert_int_equal(bench_delivery(bench, "c1", TTY)->state, DELIVERY_DELIVERED);
    report(bench, "/devices/pci0/usb1/1-1", "ID_SERIAL=other", NULL);
    assert_null(bench_delivery(bench, "c1", TTY));
}

#define KEYBOARD "/devices/platform/i8042/input/input0/event0"

#define KEYBOARD_UEVENT "MAJOR=13\nMINOR=64\nDEVNAME=input/event0\n"
#define INPUT_RULE "SUBSYSTEM==\"input\", CONTAINER+=\"c*\""

static bool has_keyboard(struct bench *bench)
{
    const struct delivery *delivery = bench_delivery(bench, "c1", KEYBOARD);
    return delivery && delivery->state == DELIVERY_DELIVERED;
}

static void what_belongs_to_the_hosts_seat_is_never_given(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, INPUT_RULE "\n");
    delegation_expect_udev(bench->delegation);
    bench_register(bench, "c1", 1);
    bench_plug(bench, KEYBOARD, "input", KEYBOARD_UEVENT);
    bench_expect(bench, ""); /* whether it does, only udev knows */
    report(bench, KEYBOARD, "", "seat");
    assert_null(bench_delivery(bench, "c1", KEYBOARD));
    assert_non_null(strstr(bench->heard, "c1 refused\n"));
    bench_expect(bench, "");
    report(bench, KEYBOARD, "", "uaccess");
    assert_true(has_keyboard(bench));
    report(bench, KEYBOARD, "", "seat");
    bench_expect_nothing(bench);
}

static void without_a_udevd_no_seat_is_waited_for(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, INPUT_RULE "\n");
    bench_register(bench, "c1", 1);
    bench_plug(bench, KEYBOARD, "input", KEYBOARD_UEVENT);
    assert_true(has_keyboard(bench));
}

static void a_rule_that_means_the_danger_waits_for_nothing(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, INPUT_RULE ", OPTIONS+=\"dangerous\"\n");
    delegation_expect_udev(bench->delegation);
    bench_register(bench, "c1", 1);
    bench_plug(bench, KEYBOARD, "input", KEYBOARD_UEVENT);
    assert_true(has_keyboard(bench));
    report(bench, KEYBOARD, "", "seat");
    assert_true(has_keyboard(bench));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(a_rule_that_asks_udev_gives_when_udev_is_done),
        BENCH_TEST(what_udev_takes_back_is_taken),
        BENCH_TEST(the_successor_of_a_device_waits_for_its_own_word),
        BENCH_TEST(rules_of_udev_delegate_without_any_of_ours),
        BENCH_TEST(a_tag_of_a_parent_counts_when_udev_tells_of_it),
        BENCH_TEST(a_subtree_that_udev_heads_is_given_with_what_is_there),
        BENCH_TEST(what_belongs_to_the_hosts_seat_is_never_given),
        BENCH_TEST(without_a_udevd_no_seat_is_waited_for),
        BENCH_TEST(a_rule_that_means_the_danger_waits_for_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
