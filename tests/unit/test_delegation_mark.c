/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "engine_bench.h"

/* What containers have before any device. The marker of a udev is in test_delegation_description.c,
 * too. */

#define STICK "/devices/pci0/usb1/1-1"
#define STICK_UEVENT "MAJOR=189\nMINOR=1\nDEVNAME=bus/usb/001/002\nDEVTYPE=usb_device\n"
#define USB_RULE "SUBSYSTEM==\"usb\", CONTAINER+=\"c*\"\n"
#define NODE "/dev/bus/usb/001/002"
#define STICK_STEPS(c)                                                                             \
    c " node-make " NODE " c 189:1 owner 0:0 mode 0600\n" c " node-attach " NODE "\n" c            \
      " access-allow c 189:1 rw\n" c " event add " STICK "\n"

static int setup(void **state)
{
    int r = bench_setup(state);
    struct bench *bench = *state;
    bench->door.shows_usb = true;
    return r;
}

static void expect_ready(const struct bench *bench, size_t containers)
{
    assert_int_equal(recording_door_state(&bench->door).usb, containers);
}

static void unregister(struct bench *bench, const char *name)
{
    assert_int_equal(delegation_unregister(bench->delegation, name, NULL, NULL), 0);
    assert_null(delegation_find(bench->delegation, name));
}

static void who_may_get_a_usb_device_is_ready_for_it_before_there_is_one(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, USB_RULE);
    bench_register(bench, "c1", 1);
    bench_register(bench, "other", 2);
    bench_expect(bench, "c1 usb-make\n");
    bench_plug(bench, STICK, "usb", STICK_UEVENT);
    bench_expect(bench, STICK_STEPS("c1"));
}

static void it_is_made_before_the_first_device_is_given_and_goes_with_the_last(void **state)
{
    struct bench *bench = *state;
    bench->door.tells_udev = true;
    bench_rules(bench, USB_RULE);
    bench_plug(bench, STICK, "usb", STICK_UEVENT);
    bench->door.pend = true;
    bench_register(bench, "c1", 1);
    bench_expect(bench, "c1 marker-make ...\n");
    recording_door_complete(&bench->door, "c1", 0);
    bench_expect(bench, "c1 usb-make ...\n");
    assert_false(container_settled(delegation_find(bench->delegation, "c1")));
    bench->door.pend = false;
    recording_door_complete(&bench->door, "c1", 0);
    assert_non_null(strstr(bench->door.log, STICK_STEPS("c1")));
    bench_forget(bench);
    unregister(bench, "c1");
    assert_non_null(strstr(bench->door.log, "c1 node-detach " NODE));
    assert_non_null(strstr(bench->door.log, "c1 marker-remove\nc1 usb-remove\n"));
    expect_ready(bench, 0);
}

static void it_comes_and_goes_with_the_rules(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_expect(bench, "");
    bench_rules(bench, USB_RULE);
    bench_expect(bench, "c1 usb-make\n");
    bench_rules(bench, USB_RULE TTY_RULE);
    bench_expect(bench, "");
    bench_rules(bench, TTY_RULE);
    bench_expect(bench, "c1 usb-remove\n");
    unregister(bench, "c1");
    bench_expect(bench, "");
}

static void labels_may_make_a_container_one_of_those(void **state)
{
    struct bench *bench = *state;
    struct property_list labels = {0};
    struct container *container;
    struct refusal why;
    bench_rules(bench, "SUBSYSTEM==\"usb\", CONTAINER+=\"label:usb=yes\"\n");
    bench_register(bench, "c1", 1);
    bench_expect(bench, "");
    assert_int_equal(property_set(&labels, "usb", "yes"), 0);
    assert_int_equal(
        delegation_register(bench->delegation, "c1", 1, NULL, &labels, &container, &why), 0);
    property_list_done(&labels);
    bench_expect(bench, "c1 usb-make\n");
}

static void who_registers_again_has_it_made_again(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, USB_RULE);
    bench_register(bench, "c1", 1);
    bench_forget(bench);
    bench_register(bench, "c1", 1);
    bench_expect(bench, "c1 usb-make\n");
}

static void where_it_cannot_be_made_devices_are_given_all_the_same(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, USB_RULE);
    bench->door.refused = "usb-make";
    struct container *container = bench_register(bench, "c1", 1);
    assert_string_equal(container->note.text, "usb-make was refused");
    bench_forget(bench);
    bench_plug(bench, STICK, "usb", STICK_UEVENT);
    bench_expect(bench, STICK_STEPS("c1"));
}

static void one_that_hangs_is_tried_again(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, USB_RULE);
    bench->door.stall = true;
    struct container *container = bench_register(bench, "c1", 1);
    assert_true(container->stalled);
    bench->door.stall = false;
    bench_forget(bench);
    recording_door_fire(&bench->door);
    bench_expect(bench, "c1 usb-make\n");
    assert_false(container->stalled);
}

static void who_unregisters_while_it_is_made_has_none(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, USB_RULE);
    bench->door.pend = true;
    bench_register(bench, "c1", 1);
    assert_int_equal(delegation_unregister(bench->delegation, "c1", NULL, NULL), 0);
    bench->door.pend = false;
    recording_door_complete(&bench->door, "c1", 0);
    bench_expect(bench, "c1 usb-make ...\nc1 usb-remove\n");
    assert_null(delegation_find(bench->delegation, "c1"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_may_get_a_usb_device_is_ready_for_it_before_there_is_one),
        TEST(it_is_made_before_the_first_device_is_given_and_goes_with_the_last),
        TEST(it_comes_and_goes_with_the_rules),
        TEST(labels_may_make_a_container_one_of_those),
        TEST(who_registers_again_has_it_made_again),
        TEST(where_it_cannot_be_made_devices_are_given_all_the_same),
        TEST(one_that_hangs_is_tried_again),
        TEST(who_unregisters_while_it_is_made_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
