/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "engine_bench.h"

#define USB "/devices/pci0/usb1/1-1"
#define INTERFACE USB "/1-1:1.0"

/* What happens while a courier is under way, and when it does not come back. */

#define NAMED_RULE "SUBSYSTEM==\"tty\", CONTAINER+=\"c*\", GROUP=\"dialout\", SYMLINK+=\"a\"\n"
#define UNTIL_ATTACH                                                                               \
    "c1 node-make /dev/ttyUSB0 c 188:0 owner 0:20 mode 0660\nc1 node-attach /dev/ttyUSB0 ...\n"

static void an_unplug_cuts_at_once_and_undoes_later(void **state)
{
    struct bench *bench = *state;
    bench->door.pend = true;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect(bench, UNTIL_ATTACH);
    bench_unplug(bench, TTY);
    bench_expect(bench, CUT_STEPS("c1"));
    recording_door_complete(&bench->door, "c1", 0);
    bench_expect(bench, "c1 node-detach /dev/ttyUSB0 ...\n");
    recording_door_complete(&bench->door, "c1", 0);
    bench_expect(bench, "c1 node-destroy /dev/ttyUSB0\n");
    bench_expect_nothing(bench);
    assert_null(bench_delivery(bench, "c1", TTY));
}

/* Whatever step of a give pends when the device goes, nothing is left and nothing was told. */
static void an_unplug_at_any_step_leaves_nothing_and_tells_nothing(void **state)
{
    struct bench *bench = *state;
    bench->door.pend = true;
    bench_rules(bench, NAMED_RULE);
    bench_register(bench, "c1", 1);
    for (int step = 0; step < 3; step++) /* identify, attach, link */
        for (int error = 0; error <= EPIPE; error += EPIPE) {
            bench_plug(bench, TTY, "tty", TTY_UEVENT);
            for (int i = 0; i < step; i++)
                recording_door_complete(&bench->door, "c1", 0);
            bench_unplug(bench, TTY);
            recording_door_complete(&bench->door, "c1", error);
            recording_door_complete_all(&bench->door);
            bench_expect_nothing(bench);
            assert_null(bench_delivery(bench, "c1", TTY));
            assert_null(strstr(bench->door.log, "event"));
            while (recording_door_fire(&bench->door))
                recording_door_complete_all(&bench->door);
        }
}

static void a_reload_meanwhile_is_obeyed_at_once(void **state)
{
    struct bench *bench = *state;
    bench->door.pend = true;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
    bench_rules(bench, "");
    bench_expect(bench, CUT_STEPS("c1"));
    bench_rules(bench, TTY_RULE);
    bench_expect(bench, ""); /* what was cut is not opened up again */
    recording_door_complete(&bench->door, "c1", 0);
    recording_door_complete(&bench->door, "c1", 0);
    bench_expect(bench,
                 "c1 node-detach /dev/ttyUSB0 ...\nc1 node-destroy /dev/ttyUSB0\n" UNTIL_ATTACH);
    recording_door_complete_all(&bench->door);
    bench_expect(bench, "c1 access-allow c 188:0 rw\nc1 event add " TTY "\n");
    bench_expect_one(bench);
}

static void a_successor_is_given_when_its_predecessor_is_undone(void **state)
{
    struct bench *bench = *state;
    bench->door.pend = true;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    uint64_t first = bench_delivery(bench, "c1", TTY)->grant->inode;
    bench_unplug(bench, TTY);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
    recording_door_complete_all(&bench->door);
    bench_expect(bench,
                 "c1 node-detach /dev/ttyUSB0 ...\nc1 node-destroy /dev/ttyUSB0\n" UNTIL_ATTACH
                 "c1 access-allow c 188:0 rw\nc1 event add " TTY "\n");
    assert_true(bench_delivery(bench, "c1", TTY)->grant->inode > first);
    bench_expect_one(bench);
}

static void a_replug_during_a_take_is_a_remove_and_an_add(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench->door.pend = true;
    bench_forget(bench);
    bench_unplug(bench, TTY);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect(bench, CUT_STEPS("c1") "c1 node-detach /dev/ttyUSB0 ...\n");
    recording_door_complete_all(&bench->door);
    bench_expect(bench, "c1 node-destroy /dev/ttyUSB0\nc1 event remove " TTY "\n" UNTIL_ATTACH
                        "c1 access-allow c 188:0 rw\nc1 event add " TTY "\n");
}

static void a_device_that_came_and_went_meanwhile_was_never_there(void **state)
{
    struct bench *bench = *state;
    bench->door.pend = true;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_plug(bench, "/devices/ttyS9", "tty", "MAJOR=4\nMINOR=73\nDEVNAME=ttyS9\n");
    bench_unplug(bench, "/devices/ttyS9");
    recording_door_complete_all(&bench->door);
    assert_null(strstr(bench->door.log, "ttyS9"));
    bench_expect_one(bench);
}

static void events_of_a_device_wait_for_its_add(void **state)
{
    struct bench *bench = *state;
    bench->door.pend = true;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_event(bench, "bind", TTY, NULL);
    bench_event(bench, "change", TTY, NULL);
    bench_forget(bench);
    recording_door_complete_all(&bench->door);
    bench_expect(bench, "c1 access-allow c 188:0 rw\nc1 event add " TTY "\nc1 event bind " TTY
                        "\nc1 event change " TTY "\n");
}

static void a_move_meanwhile_is_told_behind_the_add(void **state)
{
    struct bench *bench = *state;
    bench->door.pend = true;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    fake_move(&bench->fake, TTY, "/devices/x/ttyUSB0");
    bench_event(bench, "move", "/devices/x/ttyUSB0", "DEVPATH_OLD=" TTY);
    bench_forget(bench);
    recording_door_complete_all(&bench->door);
    bench_expect(bench, "c1 access-allow c 188:0 rw\nc1 event add " TTY
                        "\nc1 event move /devices/x/ttyUSB0\n");
    bench->door.pend = false;
    bench_unplug(bench, "/devices/x/ttyUSB0");
    assert_non_null(strstr(bench->door.log, "event remove /devices/x/ttyUSB0\n"));
    bench_expect_nothing(bench);
}

static void a_move_of_what_is_gone_by_now_is_told_before_its_remove(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench->door.pend = true;
    bench_plug(bench, "/devices/ttyS9", "tty", "MAJOR=4\nMINOR=73\nDEVNAME=ttyS9\n");
    fake_move(&bench->fake, TTY, "/devices/x/ttyUSB0");
    bench_event(bench, "move", "/devices/x/ttyUSB0", "DEVPATH_OLD=" TTY);
    bench_unplug(bench, "/devices/x/ttyUSB0");
    recording_door_complete_all(&bench->door);
    const char *moved = strstr(bench->door.log, "event move /devices/x/ttyUSB0\n");
    assert_non_null(moved);
    assert_non_null(strstr(moved, "event remove /devices/x/ttyUSB0\n"));
    assert_null(strstr(bench->door.log, "event remove " TTY "\n"));
}

/* All that the kernel says is told, in its order, though the device is no more when it is. */
static void what_happened_before_the_remove_is_told_before_it(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, "SUBSYSTEM==\"usb\", CONTAINER+=\"c1\", OPTIONS+=\"subtree no_node\"\n");
    bench_register(bench, "c1", 1);
    bench_plug(bench, USB, "usb", "DEVTYPE=usb_device\n");
    bench_plug(bench, INTERFACE, "usb", "DEVTYPE=usb_interface\n");
    bench->door.pend = true;
    bench_rules(bench,
                "SUBSYSTEM==\"usb\", CONTAINER+=\"c1\", OPTIONS+=\"subtree no_node\"\n" TTY_RULE);
    bench_plug(bench, "/devices/ttyS9", "tty", "MAJOR=4\nMINOR=73\nDEVNAME=ttyS9\n");
    bench_forget(bench);
    bench_event(bench, "unbind", USB, NULL);
    bench_event(bench, "unbind", INTERFACE, NULL);
    bench_unplug(bench, INTERFACE);
    bench_unplug(bench, USB);
    bench_expect(bench, "");
    recording_door_complete_all(&bench->door);
    assert_non_null(strstr(bench->door.log,
                           "c1 event unbind " USB "\nc1 event unbind " INTERFACE
                           "\nc1 event remove " INTERFACE "\nc1 event remove " USB "\n"));
}

/* The removal comes through a full queue: the container is compared as a whole. */
static void a_queue_that_is_full_converges(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench->door.pend = true;
    bench_plug(bench, "/devices/ttyS9", "tty", "MAJOR=4\nMINOR=73\nDEVNAME=ttyS9\n");
    bench_forget(bench);
    for (int i = 0; i < CONTAINER_QUEUE_MAX + 10; i++)
        bench_event(bench, "change", TTY, NULL);
    struct container *c1 = delegation_find(bench->delegation, "c1");
    assert_int_equal(c1->told_count, CONTAINER_QUEUE_MAX);
    assert_true(c1->compare_wanted);
    bench_unplug(bench, TTY);
    bench_plug(bench, "/devices/ttyS8", "tty", "MAJOR=4\nMINOR=72\nDEVNAME=ttyS8\n");
    bench_expect(bench, CUT_STEPS("c1")); /* which waits for nobody */

    recording_door_complete_all(&bench->door);
    assert_int_equal(c1->told_count, 0);
    assert_false(c1->compare_wanted);
    assert_non_null(strstr(bench->door.log, "c1 event add /devices/ttyS8\n"));
    const char *removed = strstr(bench->door.log, "c1 event remove " TTY "\n");
    assert_non_null(removed);
    assert_null(strstr(removed + 1, "c1 event remove " TTY "\n"));
    assert_int_equal(recording_door_state(&bench->door).attached, 2);
}

static void looks_without_an_event_do_not_fill_the_queue(void **state)
{
    struct bench *bench = *state;
    char devpath[64], uevent[64];
    bench_rules(bench, TTY_RULE);
    for (int i = 0; i < CONTAINER_QUEUE_MAX + 50; i++) {
        snprintf(devpath, sizeof(devpath), "/devices/ttyS%d", i);
        snprintf(uevent, sizeof(uevent), "MAJOR=4\nMINOR=%d\nDEVNAME=ttyS%d\n", i, i);
        fake_plug(&bench->fake, devpath, "tty", uevent);
    }
    world_scan(delegation_world(bench->delegation));
    bench->door.pend = true;
    struct container *c1 = bench_register(bench, "c1", 1);
    bench_event(bench, "change", "/devices/ttyS5", NULL);
    assert_false(c1->compare_wanted);
    recording_door_complete_all(&bench->door);
    assert_int_equal(recording_door_state(&bench->door).live, CONTAINER_QUEUE_MAX + 50);
    assert_non_null(strstr(bench->door.log, "event change /devices/ttyS5\n"));
}

static void a_container_that_hangs_delays_nobody(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench->door.stall = true;
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    assert_true(delegation_find(bench->delegation, "c1")->stalled);
    bench->door.stall = false;
    bench_register(bench, "c2", 2);
    bench_expect(bench, "c1 node-make /dev/ttyUSB0 c 188:0 owner 0:20 mode 0660\n"
                        "c1 node-attach /dev/ttyUSB0 STALLS\n" CUT_STEPS("c1") GIVEN_STEPS("c2"));
    bench_event(bench, "change", TTY, NULL);
    bench_expect(bench, "c2 event change " TTY "\n");

    assert_int_equal(recording_door_fire(&bench->door), 1000000);
    assert_string_equal(bench->heard, "c1 taken\nc1 delivered\nc1 told\nc1 recovered\n");
    bench_expect(bench, "c1 node-detach /dev/ttyUSB0\nc1 node-destroy /dev/ttyUSB0\n" GIVEN_STEPS(
                            "c1") "c1 event change " TTY "\n");
    assert_int_equal(recording_door_timers(&bench->door), 0);
}

static void a_container_that_goes_on_hanging_is_asked_more_and_more_seldom(void **state)
{
    struct bench *bench = *state;
    static const uint64_t delays[] = {1000000,  2000000,  4000000, 8000000,
                                      16000000, 30000000, 30000000};
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench->door.stall = true;
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    for (size_t i = 0; i < ARRAY_SIZE(delays); i++)
        assert_int_equal(recording_door_fire(&bench->door), delays[i]);
    bench->door.stall = false;
    recording_door_fire(&bench->door);
    bench_expect_one(bench);

    bench->door.stall = true; /* and all over again */
    bench_unplug(bench, TTY);
    assert_int_equal(recording_door_fire(&bench->door), delays[0]);
    bench->door.stall = false;
    bench_forget(bench);
    recording_door_fire(&bench->door);
    bench_expect(bench, TAKEN_STEPS("c1"));
    bench_expect_nothing(bench);
}

static void a_take_that_hangs_is_told_when_it_is_done(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
    bench->door.stall = true;
    bench_unplug(bench, TTY);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect(bench, CUT_STEPS("c1") "c1 node-detach /dev/ttyUSB0 STALLS\n");
    bench->door.stall = false;
    recording_door_fire(&bench->door);
    bench_expect(bench, TAKEN_STEPS("c1") GIVEN_STEPS("c1"));
}

static void a_courier_that_misses_its_deadline_stalls_the_container(void **state)
{
    struct bench *bench = *state;
    bench->door.pend = true;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    recording_door_hang(&bench->door, "c1");
    assert_true(delegation_find(bench->delegation, "c1")->stalled);
    assert_string_equal(delegation_find(bench->delegation, "c1")->note.text, "the courier says no");
    bench->door.pend = false;
    recording_door_fire(&bench->door);
    bench_expect_one(bench);
}

static void a_death_forgets_the_step_that_pends(void **state)
{
    struct bench *bench = *state;
    bench->door.pend = true;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_plug(bench, "/devices/ttyS9", "tty", "MAJOR=4\nMINOR=73\nDEVNAME=ttyS9\n");
    bench_forget(bench);
    recording_door_kill(&bench->door, 1, true);
    bench_expect(bench, CUT_STEPS("c1"));
    assert_null(delegation_find(bench->delegation, "c1"));
    bench_expect_nothing(bench);
    bench_unplug(bench, TTY);
    bench_expect(bench, "");
}

static void a_death_while_it_hung_leaves_no_timer(void **state)
{
    struct bench *bench = *state;
    bench->door.stall = true;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    assert_int_equal(recording_door_timers(&bench->door), 1);
    recording_door_kill(&bench->door, 1, true);
    assert_int_equal(recording_door_timers(&bench->door), 0);
    bench_expect_nothing(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(an_unplug_cuts_at_once_and_undoes_later),
        BENCH_TEST(an_unplug_at_any_step_leaves_nothing_and_tells_nothing),
        BENCH_TEST(a_reload_meanwhile_is_obeyed_at_once),
        BENCH_TEST(a_successor_is_given_when_its_predecessor_is_undone),
        BENCH_TEST(a_replug_during_a_take_is_a_remove_and_an_add),
        BENCH_TEST(a_device_that_came_and_went_meanwhile_was_never_there),
        BENCH_TEST(events_of_a_device_wait_for_its_add),
        BENCH_TEST(a_move_meanwhile_is_told_behind_the_add),
        BENCH_TEST(what_happened_before_the_remove_is_told_before_it),
        BENCH_TEST(a_move_of_what_is_gone_by_now_is_told_before_its_remove),
        BENCH_TEST(a_queue_that_is_full_converges),
        BENCH_TEST(looks_without_an_event_do_not_fill_the_queue),
        BENCH_TEST(a_container_that_hangs_delays_nobody),
        BENCH_TEST(a_container_that_goes_on_hanging_is_asked_more_and_more_seldom),
        BENCH_TEST(a_take_that_hangs_is_told_when_it_is_done),
        BENCH_TEST(a_courier_that_misses_its_deadline_stalls_the_container),
        BENCH_TEST(a_death_forgets_the_step_that_pends),
        BENCH_TEST(a_death_while_it_hung_leaves_no_timer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
