/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "engine_bench.h"

/* udev's word inside: records, udev's events and the marker. */

#define RECORD "/run/udev/data/c188:0"
#define DESCRIBED(c, action) c " record-write " RECORD "\n" c " udev-event " action " " TTY "\n"
#define SAID(c, action) c " event " action " " TTY "\n"
#define TAKEN_WITH_RECORD(c)                                                                       \
    c " node-detach /dev/ttyUSB0\n" c " node-destroy /dev/ttyUSB0\n" c " record-remove " RECORD    \
      "\n" SAID(c, "remove") c " udev-event remove " TTY "\n"

/* A host with a udevd that is settled, or without. */
static struct bench *begin(void **state, enum fake_udevd udevd)
{
    struct bench *bench = *state;
    bench->door.tells_udev = true;
    bench->fake.udevd = udevd;
    bench_rules(bench, TTY_RULE);
    return bench;
}

static void plug_at(struct bench *bench, const char *seqnum)
{
    char extra[64];
    snprintf(extra, sizeof(extra), "SEQNUM=%s", seqnum);
    fake_plug(&bench->fake, TTY, "tty", TTY_UEVENT);
    bench_event(bench, "add", TTY, extra);
}

/* udevd is done with an event. */
static void report(struct bench *bench, uint64_t seqnum, const char *serial, const char *tag)
{
    struct udev_view view = {0};
    if (serial)
        assert_int_equal(property_set(&view.properties, "ID_SERIAL", serial), 0);
    if (tag)
        assert_int_equal(name_list_add(&view.tags, tag), 0);
    world_describe(delegation_world(bench->delegation), TTY, seqnum, &view);
}

static void where_the_host_has_no_udevd_the_word_follows_at_once(void **state)
{
    struct bench *bench = begin(state, FAKE_UDEVD_NONE);
    bench_register(bench, "c1", 1);
    bench_expect(bench, "c1 marker-make\n");
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect(bench, GIVEN_STEPS("c1") DESCRIBED("c1", "add"));
    bench_event(bench, "change", TTY, NULL);
    bench_expect(bench, SAID("c1", "change") "c1 udev-event change " TTY "\n");
    bench_unplug(bench, TTY);
    bench_expect(bench, CUT_STEPS("c1") TAKEN_WITH_RECORD("c1"));
    assert_int_equal(recording_door_state(&bench->door).records, 0);
}

static void udev_is_later_than_the_kernel(void **state)
{
    struct bench *bench = begin(state, FAKE_UDEVD_SETTLED);
    bench_register(bench, "c1", 1);
    bench_forget(bench);
    plug_at(bench, "10");
    bench_expect(bench, GIVEN_STEPS("c1"));
    report(bench, 10, "A5", "lab");
    bench_expect(bench, DESCRIBED("c1", "add"));
    assert_non_null(strstr(bench->door.record, "E:ID_SERIAL=A5\nG:lab\nQ:lab\n"));
    report(bench, 10, "A5", "lab");
    bench_expect(bench, "");
}

static void what_is_given_by_another_event_is_added_for_udev_too(void **state)
{
    struct bench *bench = begin(state, FAKE_UDEVD_NONE);
    bench_rules(bench, "DRIVER==\"ftdi\", CONTAINER+=\"c1\", GROUP=\"20\", MODE=\"0660\"\n");
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    fake_set_text(&fake_find(&bench->fake, TTY)->driver, "ftdi");
    bench_event(bench, "bind", TTY, "DRIVER=ftdi");
    bench_expect(bench, "c1 marker-make\n" GIVEN_STEPS("c1") DESCRIBED("c1", "add"));
}

static void udev_is_faster_than_the_courier(void **state)
{
    struct bench *bench = begin(state, FAKE_UDEVD_SETTLED);
    bench_register(bench, "c1", 1);
    bench_forget(bench);
    bench->door.pend = true;
    plug_at(bench, "10");
    report(bench, 10, "A5", NULL);
    bench->door.pend = false;
    recording_door_complete(&bench->door, "c1", 0);
    bench_expect(bench, "c1 node-make /dev/ttyUSB0 c 188:0 owner 0:20 mode 0660\n"
                        "c1 node-attach /dev/ttyUSB0 ...\n"
                        "c1 access-allow c 188:0 rw\n" SAID("c1", "add") DESCRIBED("c1", "add"));
}

static void each_event_of_the_kernel_has_one_of_udev(void **state)
{
    struct bench *bench = begin(state, FAKE_UDEVD_SETTLED);
    bench_register(bench, "c1", 1);
    plug_at(bench, "10");
    bench_event(bench, "bind", TTY, "SEQNUM=11");
    bench_event(bench, "change", TTY, "SEQNUM=13|RESIZE=1");
    bench_forget(bench);
    report(bench, 9, "A4", NULL); /* its predecessor's */
    bench_expect(bench, "");
    report(bench, 10, "A5", NULL);
    bench_expect(bench, DESCRIBED("c1", "add"));
    report(bench, 11, "A5", NULL);
    bench_expect(bench, "c1 udev-event bind " TTY "\n");
    report(bench, 12, "A5", NULL); /* synthetic: the container was not told of it */
    bench_expect(bench, "");
    report(bench, 13, "A6", NULL);
    bench_expect(bench, DESCRIBED("c1", "change"));
    assert_null(strstr(bench->door.record, "RESIZE"));
}

static void one_report_ends_all_events_before_it(void **state)
{
    struct bench *bench = begin(state, FAKE_UDEVD_SETTLED);
    bench_register(bench, "c1", 1);
    plug_at(bench, "10");
    bench_event(bench, "change", TTY, "SEQNUM=11");
    bench_forget(bench);
    report(bench, 11, "A5", NULL); /* that of 10 was lost */
    bench_expect(bench, DESCRIBED("c1", "add") "c1 udev-event change " TTY "\n");
}

static void what_udev_says_anew_without_an_event_is_a_record_alone(void **state)
{
    struct bench *bench = begin(state, FAKE_UDEVD_SETTLED);
    bench_register(bench, "c1", 1);
    plug_at(bench, "10");
    report(bench, 10, "A5", NULL);
    bench_forget(bench);
    report(bench, 12, "B6", NULL);
    bench_expect(bench, "c1 record-write " RECORD "\n");
    assert_non_null(strstr(bench->door.record, "E:ID_SERIAL=B6\n"));
}

static void what_udev_never_told_of_is_not_taken_back_by_it(void **state)
{
    struct bench *bench = begin(state, FAKE_UDEVD_SETTLED);
    bench_register(bench, "c1", 1);
    bench_forget(bench);
    plug_at(bench, "10");
    bench_unplug(bench, TTY);
    bench_expect(bench, GIVEN_STEPS("c1") CUT_STEPS("c1") TAKEN_STEPS("c1"));
}

static void in_a_native_namespace_the_kernel_tells_and_udevs_word_is_ours(void **state)
{
    struct bench *bench = begin(state, FAKE_UDEVD_SETTLED);
    bench->door.netns = NETNS_NATIVE;
    bench_register(bench, "c1", 1);
    bench_forget(bench);
    plug_at(bench, "10");
    bench_expect(bench, "c1 node-make /dev/ttyUSB0 c 188:0 owner 0:20 mode 0660\n"
                        "c1 node-attach /dev/ttyUSB0\nc1 access-allow c 188:0 rw\n");
    report(bench, 10, "A5", NULL);
    bench_expect(bench, DESCRIBED("c1", "add"));
    bench_event(bench, "change", TTY, "SEQNUM=11");
    bench_expect(bench, "");
    report(bench, 11, "A5", NULL);
    bench_expect(bench, "c1 udev-event change " TTY "\n");
    bench_unplug(bench, TTY);
    bench_expect(bench, CUT_STEPS("c1") "c1 node-detach /dev/ttyUSB0\n"
                                        "c1 node-destroy /dev/ttyUSB0\n"
                                        "c1 record-remove " RECORD "\n"
                                        "c1 udev-event remove " TTY "\n");
}

static void without_events_there_is_a_record(void **state)
{
    struct bench *bench = begin(state, FAKE_UDEVD_NONE);
    bench_rules(bench, "SUBSYSTEM==\"tty\", CONTAINER+=\"c*\", OPTIONS+=\"no_event\"\n");
    bench_register(bench, "c1", 1);
    bench_forget(bench);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    assert_non_null(strstr(bench->door.log, "access-allow c 188:0 rw\nc1 record-write " RECORD));
    assert_null(strstr(bench->door.log, "event"));
    bench_forget(bench);
    bench_unplug(bench, TTY);
    assert_non_null(strstr(bench->door.log, "record-remove"));
    assert_null(strstr(bench->door.log, "event"));
}

static void a_record_that_cannot_be_written_costs_nothing_else_and_is_said_once(void **state)
{
    struct bench *bench = begin(state, FAKE_UDEVD_NONE);
    bench->door.refused = "record-write";
    struct container *container = bench_register(bench, "c1", 1);
    bench_forget(bench);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect(bench,
                 GIVEN_STEPS("c1") "c1 record-write " RECORD " FAILS\nc1 udev-event add " TTY "\n");
    bench_expect_one(bench);
    assert_string_equal(container->note.text, "record-write was refused");
    bench_event(bench, "change", TTY, NULL);
    assert_string_equal(bench->heard, "c1 told\nc1 described\n");
    bench->door.refused = NULL;
    bench_forget(bench);
    bench_event(bench, "change", TTY, NULL);
    bench_expect(bench, SAID("c1", "change") DESCRIBED("c1", "change"));
}

static void a_device_that_goes_while_its_record_is_written_leaves_none(void **state)
{
    static const int ends[] = {0, EPIPE, EIO};
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        struct bench *bench = begin(state, FAKE_UDEVD_SETTLED);
        bench_register(bench, "c1", (pid_t)(i + 1));
        plug_at(bench, "10");
        bench->door.pend = true;
        report(bench, 10, "A5", NULL);
        assert_true(recording_door_pending(&bench->door, "c1"));
        bench_unplug(bench, TTY);
        bench->door.pend = false;
        recording_door_complete(&bench->door, "c1", ends[i]);
        assert_int_equal(recording_door_state(&bench->door).records, 0);
        assert_null(bench_delivery(bench, "c1", TTY));
        assert_null(strstr(bench->door.log, "udev-event add"));
        assert_null(strstr(bench->door.log, "udev-event remove"));
        assert_int_equal(delegation_unregister(bench->delegation, "c1", NULL, NULL), 0);
        bench_forget(bench);
    }
}

static void every_step_may_hang_and_nothing_is_left(void **state)
{
    struct bench *bench = begin(state, FAKE_UDEVD_NONE);
    bench_register(bench, "c1", 1);
    bench->door.pend = true;
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    recording_door_complete(&bench->door, "c1", 0); /* node-attach */
    recording_door_hang(&bench->door, "c1");        /* record-write */
    assert_true(delegation_find(bench->delegation, "c1")->stalled);
    bench->door.pend = false;
    bench_forget(bench);
    recording_door_fire(&bench->door);
    bench_expect(bench, DESCRIBED("c1", "add"));
    bench_unplug(bench, TTY);
    assert_int_equal(recording_door_state(&bench->door).records, 0);
}

static void the_marker_comes_first_and_goes_last(void **state)
{
    struct bench *bench = begin(state, FAKE_UDEVD_NONE);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench->door.pend = true;
    bench_register(bench, "c1", 1);
    bench_expect(bench, "c1 marker-make ...\n");
    assert_false(container_settled(delegation_find(bench->delegation, "c1")));
    bench->door.pend = false;
    recording_door_complete(&bench->door, "c1", 0);
    bench_expect(bench, GIVEN_STEPS("c1") DESCRIBED("c1", "add"));

    bench->door.pend = true;
    assert_int_equal(delegation_unregister(bench->delegation, "c1", NULL, NULL), 0);
    bench_forget(bench);
    recording_door_complete(&bench->door, "c1", 0); /* node-detach */
    recording_door_complete(&bench->door, "c1", 0); /* record-remove */
    bench_expect(bench, "c1 node-destroy /dev/ttyUSB0\nc1 record-remove " RECORD " ...\n" SAID(
                            "c1", "remove") "c1 udev-event remove " TTY "\nc1 marker-remove ...\n");
    recording_door_complete(&bench->door, "c1", 0);
    assert_null(delegation_find(bench->delegation, "c1"));
}

static void who_unregisters_while_the_marker_is_made_has_none(void **state)
{
    struct bench *bench = begin(state, FAKE_UDEVD_NONE);
    bench->door.pend = true;
    bench_register(bench, "c1", 1);
    assert_int_equal(delegation_unregister(bench->delegation, "c1", NULL, NULL), 0);
    bench->door.pend = false;
    recording_door_complete(&bench->door, "c1", 0);
    bench_expect(bench, "c1 marker-make ...\nc1 marker-remove\n");
    assert_null(delegation_find(bench->delegation, "c1"));
}

static void a_marker_that_cannot_be_made_is_noted(void **state)
{
    struct bench *bench = begin(state, FAKE_UDEVD_NONE);
    bench->door.refused = "marker-make";
    struct container *container = bench_register(bench, "c1", 1);
    assert_string_equal(container->note.text, "marker-make was refused");
    assert_true(container_settled(container));
    bench_forget(bench);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect(bench, GIVEN_STEPS("c1") DESCRIBED("c1", "add"));
}

static void a_marker_that_hangs_is_tried_again(void **state)
{
    struct bench *bench = begin(state, FAKE_UDEVD_NONE);
    bench->door.stall = true;
    struct container *container = bench_register(bench, "c1", 1);
    assert_true(container->stalled);
    bench->door.stall = false;
    bench_forget(bench);
    recording_door_fire(&bench->door);
    bench_expect(bench, "c1 marker-make\n");
    assert_false(container->stalled);
}

static void the_records_links_are_those_that_are_there(void **state)
{
    struct bench *bench = begin(state, FAKE_UDEVD_NONE);
    bench_rules(bench, "SUBSYSTEM==\"tty\", CONTAINER+=\"c*\", SYMLINK+=\"zigbee\"\n");
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    assert_non_null(strstr(bench->door.record, "S:zigbee\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(what_is_given_by_another_event_is_added_for_udev_too),
        BENCH_TEST(where_the_host_has_no_udevd_the_word_follows_at_once),
        BENCH_TEST(udev_is_later_than_the_kernel),
        BENCH_TEST(udev_is_faster_than_the_courier),
        BENCH_TEST(each_event_of_the_kernel_has_one_of_udev),
        BENCH_TEST(one_report_ends_all_events_before_it),
        BENCH_TEST(what_udev_says_anew_without_an_event_is_a_record_alone),
        BENCH_TEST(what_udev_never_told_of_is_not_taken_back_by_it),
        BENCH_TEST(in_a_native_namespace_the_kernel_tells_and_udevs_word_is_ours),
        BENCH_TEST(without_events_there_is_a_record),
        BENCH_TEST(a_record_that_cannot_be_written_costs_nothing_else_and_is_said_once),
        BENCH_TEST(a_device_that_goes_while_its_record_is_written_leaves_none),
        BENCH_TEST(every_step_may_hang_and_nothing_is_left),
        BENCH_TEST(the_marker_comes_first_and_goes_last),
        BENCH_TEST(who_unregisters_while_the_marker_is_made_has_none),
        BENCH_TEST(a_marker_that_cannot_be_made_is_noted),
        BENCH_TEST(a_marker_that_hangs_is_tried_again),
        BENCH_TEST(the_records_links_are_those_that_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
