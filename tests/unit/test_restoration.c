/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "engine_bench.h"

/*
 * The daemon ends and another begins: the door and what is in the containers stay, the delegation
 * is a new one that reads the notes.
 */

static void end(struct bench *bench)
{
    delegation_leave(bench->delegation);
}

static void on_saved(void *userdata, const struct saved_place *saved)
{
    struct bench *bench = userdata;
    struct refusal why = {.error = 0};
    if (delegation_restore(bench->delegation, saved, &why) < 0)
        fail_msg("%s was not restored: %s", saved->name, why.text);
}

static void begin(struct bench *bench, const char *rules)
{
    struct world_source source = fake_world_source(&bench->fake);
    struct devnum root_disk = {NODE_BLOCK, 8, 0};
    bench->delegation =
        delegation_new(&bench->door.interface, &source, &bench->observer, &root_disk, 1);
    assert_non_null(bench->delegation);
    bench_rules(bench, rules);
    assert_int_equal(world_scan(delegation_world(bench->delegation)), 0);
    recording_door_each_saved(&bench->door, on_saved, bench);
    delegation_resume(bench->delegation);
}

/* One container with the serial port, and nothing else to say of it. */
static void deliver(struct bench *bench)
{
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 100);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
}

static void what_is_right_is_left_untouched(void **state)
{
    struct bench *bench = *state;
    deliver(bench);
    end(bench);
    begin(bench, TTY_RULE);
    bench_expect(bench, "c1 access-allow c 188:0 rw\n"); /* claimed again; it is there */
    bench_expect_one(bench);
    const struct delivery *delivery = bench_delivery(bench, "c1", TTY);
    assert_int_equal(delivery->state, DELIVERY_DELIVERED);
    assert_int_equal(delivery->gid, 20);
    assert_int_equal(bench->door.resumed_told, 1);
    bench_unplug(bench, TTY);
    bench_expect(bench, CUT_STEPS("c1") TAKEN_STEPS("c1"));
    bench_expect_nothing(bench);
}

static void a_device_that_went_meanwhile_goes(void **state)
{
    struct bench *bench = *state;
    deliver(bench);
    end(bench);
    fake_unplug(&bench->fake, TTY);
    begin(bench, TTY_RULE);
    bench_expect(bench, CUT_STEPS("c1") TAKEN_STEPS("c1"));
    bench_expect_nothing(bench);
}

static void another_device_of_its_number_is_given_anew(void **state)
{
    struct bench *bench = *state;
    deliver(bench);
    end(bench);
    fake_unplug(&bench->fake, TTY);
    fake_plug(&bench->fake, TTY, "tty", TTY_UEVENT);
    begin(bench, TTY_RULE);
    bench_expect(bench, CUT_STEPS("c1") TAKEN_STEPS("c1") GIVEN_STEPS("c1"));
    bench_expect_one(bench);
}

static void a_device_that_came_meanwhile_is_given(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 100);
    end(bench);
    fake_plug(&bench->fake, TTY, "tty", TTY_UEVENT);
    begin(bench, TTY_RULE);
    bench_expect(bench, GIVEN_STEPS("c1"));
}

static void what_the_rules_do_not_give_any_more_is_cut_before_anything_else(void **state)
{
    struct bench *bench = *state;
    deliver(bench);
    end(bench);
    begin(bench, "KERNEL==\"nothing\", CONTAINER+=\"c1\"\n");
    bench_expect(bench, CUT_STEPS("c1") TAKEN_STEPS("c1"));
    bench_expect_nothing(bench);
}

static void another_owner_is_set_in_place(void **state)
{
    struct bench *bench = *state;
    deliver(bench);
    end(bench);
    begin(bench, "SUBSYSTEM==\"tty\", CONTAINER+=\"c*\", GROUP=\"5\", MODE=\"0660\"\n");
    bench_expect(bench, "c1 access-allow c 188:0 rw\n"
                        "c1 node-change /dev/ttyUSB0 c 188:0 owner 0:5 mode 0660\n");
    bench_expect_one(bench);
}

static void what_was_half_given_is_taken_and_given_again(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 100);
    bench->door.pend = true; /* node-attach never ends */
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect(bench, "c1 node-make /dev/ttyUSB0 c 188:0 owner 0:20 mode 0660\n"
                        "c1 node-attach /dev/ttyUSB0 ...\n");
    end(bench);
    bench->door.pend = false;
    begin(bench, TTY_RULE);
    bench_expect(bench, CUT_STEPS("c1") TAKEN_STEPS("c1") GIVEN_STEPS("c1"));
    assert_int_equal(bench->door.resumed_told, 0);
    bench_expect_one(bench);
}

static void what_was_half_taken_goes(void **state)
{
    struct bench *bench = *state;
    deliver(bench);
    bench->door.pend = true; /* node-detach never ends */
    bench_unplug(bench, TTY);
    bench_expect(bench, CUT_STEPS("c1") "c1 node-detach /dev/ttyUSB0 ...\n");
    end(bench);
    bench->door.pend = false;
    begin(bench, TTY_RULE);
    bench_expect(bench, CUT_STEPS("c1") TAKEN_STEPS("c1"));
    bench_expect_nothing(bench);
}

static void what_was_cut_and_is_desired_again_is_given_again(void **state)
{
    struct bench *bench = *state;
    deliver(bench);
    bench->door.pend = true;
    bench_rules(bench, "KERNEL==\"nothing\", CONTAINER+=\"c1\"\n");
    bench_forget(bench);
    end(bench);
    bench->door.pend = false;
    begin(bench, TTY_RULE);
    bench_expect(bench, CUT_STEPS("c1") TAKEN_STEPS("c1") GIVEN_STEPS("c1"));
    bench_expect_one(bench);
}

static void labels_and_what_was_attached_by_hand_are_kept(void **state)
{
    struct bench *bench = *state;
    struct property_list labels = {.count = 0};
    struct container *container;
    struct refusal why = {.error = 0};
    struct share share = {.given = true, .mode = 0640, .rule_file = strdup("attach")};
    assert_int_equal(property_set(&labels, "room", "lab \xff"), 0);
    assert_int_equal(
        delegation_register(bench->delegation, "c1", 100, NULL, &labels, &container, &why), 0);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    struct device *device = world_find(delegation_world(bench->delegation), TTY);
    assert_int_equal(delegation_attach(bench->delegation, container, device, &share, &why), 0);
    bench_forget(bench);
    end(bench);
    begin(bench, "KERNEL==\"nothing\", CONTAINER+=\"c1\"\n");
    bench_expect(bench, "c1 access-allow c 188:0 rw\n");
    container = delegation_find(bench->delegation, "c1");
    assert_string_equal(property_get(&container->labels, "room"), "lab \xff");
    assert_int_equal(delegation_detach(bench->delegation, container, TTY, &why), 0);
    bench_expect(bench, CUT_STEPS("c1") TAKEN_STEPS("c1"));
    share_done(&share);
    property_list_done(&labels);
}

static void the_holder_of_an_exclusive_device_keeps_it(void **state)
{
    struct bench *bench = *state;
    static const char rule[] = "SUBSYSTEM==\"tty\", CONTAINER+=\"c*\", OPTIONS+=\"exclusive\", "
                               "GROUP=\"20\", MODE=\"0660\"\n";
    bench_rules(bench, rule);
    bench_register(bench, "c1", 100);
    bench_register(bench, "c2", 200);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
    end(bench);
    begin(bench, rule);
    bench_expect(bench, "c1 access-allow c 188:0 rw\n");
    bench_expect_one(bench);
}

static void a_container_that_cannot_be_noted_is_served_all_the_same(void **state)
{
    struct bench *bench = *state;
    bench->door.note_error = ENOSPC;
    deliver(bench);
    bench_expect_one(bench);
    assert_non_null(strstr(delegation_find(bench->delegation, "c1")->note.text, "no note"));
}

static void udevs_word_that_was_told_is_not_told_again(void **state)
{
    struct bench *bench = *state;
    bench->door.tells_udev = true;
    deliver(bench);
    assert_int_equal(recording_door_state(&bench->door).records, 1);
    end(bench);
    begin(bench, TTY_RULE);
    bench_expect(bench, "c1 access-allow c 188:0 rw\n");
    assert_int_equal(bench->door.resumed_told, 2);
    bench_unplug(bench, TTY);
    assert_int_equal(recording_door_state(&bench->door).records, 0);
    assert_non_null(strstr(bench->door.log, "udev-event remove"));
}

static void udevs_word_that_was_awaited_follows(void **state)
{
    struct bench *bench = *state;
    bench->door.tells_udev = true;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 100);
    bench->door.refused = "udev-event";
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench->door.refused = NULL;
    bench_forget(bench);
    end(bench);
    begin(bench, TTY_RULE);
    assert_int_equal(recording_door_state(&bench->door).records, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        BENCH_TEST(what_is_right_is_left_untouched),
        BENCH_TEST(a_device_that_went_meanwhile_goes),
        BENCH_TEST(another_device_of_its_number_is_given_anew),
        BENCH_TEST(a_device_that_came_meanwhile_is_given),
        BENCH_TEST(what_the_rules_do_not_give_any_more_is_cut_before_anything_else),
        BENCH_TEST(another_owner_is_set_in_place),
        BENCH_TEST(what_was_half_given_is_taken_and_given_again),
        BENCH_TEST(what_was_half_taken_goes),
        BENCH_TEST(what_was_cut_and_is_desired_again_is_given_again),
        BENCH_TEST(labels_and_what_was_attached_by_hand_are_kept),
        BENCH_TEST(the_holder_of_an_exclusive_device_keeps_it),
        BENCH_TEST(a_container_that_cannot_be_noted_is_served_all_the_same),
        BENCH_TEST(udevs_word_that_was_told_is_not_told_again),
        BENCH_TEST(udevs_word_that_was_awaited_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
