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
 * Network interfaces on a host that runs udevd, which names them: what it has not done with stays,
 * and to it one that comes home is a new one.
 */

#define PARENT "/devices/pci0/0000:00:02.0/net/"
#define USB0 PARENT "usb0"
#define ENX PARENT "enx0"
#define OUT_OF_SIGHT "/elsewhere/enx0"
#define NET_UEVENT "INTERFACE=enx0\nIFINDEX=3\n"
#define NET_RULE "SUBSYSTEM==\"net\", KERNEL==\"enx*\", CONTAINER+=\"c*\", NAME=\"lan0\"\n"
#define UDEV_RULE "SUBSYSTEM==\"net\", ENV{ID_BUS}==\"usb\", CONTAINER+=\"c*\", NAME=\"lan0\"\n"

static struct bench *begin(void **state, const char *rules)
{
    struct bench *bench = *state;
    bench->fake.udevd = FAKE_UDEVD_SETTLED;
    delegation_expect_udev(bench->delegation);
    bench_rules(bench, rules);
    return bench;
}

/* An event by its number. */
static void event(struct bench *bench, const char *action, const char *devpath, unsigned seqnum,
                  const char *more)
{
    char extra[128];
    snprintf(extra, sizeof(extra), "SEQNUM=%u%s", seqnum, more);
    bench->fake.seqnum = seqnum;
    assert_int_equal(bench_event(bench, action, devpath, extra), 0);
}

/* udevd is done with an event. */
static void report(struct bench *bench, const char *devpath, uint64_t seqnum)
{
    struct udev_view view = {0};
    assert_int_equal(property_set(&view.properties, "ID_BUS", "usb"), 0);
    (void)world_describe(delegation_world(bench->delegation), devpath, seqnum, &view);
}

static void plug(struct bench *bench)
{
    fake_plug(&bench->fake, ENX, "net", NET_UEVENT);
    event(bench, "add", ENX, 10, "");
}

/* What the kernel does after a move. */
static void leave(struct bench *bench, unsigned seqnum)
{
    fake_move(&bench->fake, ENX, OUT_OF_SIGHT);
    fake_find(&bench->fake, OUT_OF_SIGHT)->hidden = true;
    event(bench, "remove", ENX, seqnum, "");
}

static void give(struct bench *bench)
{
    bench_register(bench, "c1", 1);
    bench_forget(bench);
    plug(bench);
    bench_expect(bench, "");
    bench->fake.seqnum = 12; /* the kernel says `remove` within the move */
    report(bench, ENX, 10);
    bench_expect(bench, "c1 interface-move lan0\n");
    leave(bench, 12);
}

static void it_stays_until_udevd_has_named_it(void **state)
{
    struct bench *bench = begin(state, NET_RULE "KERNEL==\"usb0\", CONTAINER+=\"c1\"\n");
    bench_register(bench, "c1", 1);
    fake_plug(&bench->fake, USB0, "net", "INTERFACE=usb0\nIFINDEX=3\n");
    event(bench, "add", USB0, 10, "");
    fake_move(&bench->fake, USB0, ENX);
    event(bench, "move", ENX, 11, "|DEVPATH_OLD=" USB0);
    report(bench, ENX, 10); /* it says so under the new name */
    bench_expect(bench, "");
    report(bench, ENX, 11);
    bench_expect(bench, "c1 interface-move lan0\n");
}

static void one_that_stays_on_the_host_waits_for_nothing(void **state)
{
    struct bench *bench =
        begin(state, "SUBSYSTEM==\"net\", CONTAINER+=\"c1\", OPTIONS+=\"no_node\"\n");
    bench_register(bench, "c1", 1);
    plug(bench);
    bench_expect(bench, "c1 event add " ENX "\n");
}

static void what_udev_said_stays_true_while_it_is_out(void **state)
{
    struct bench *bench = begin(state, UDEV_RULE);
    struct world *world = delegation_world(bench->delegation);
    give(bench);
    struct udev_view another = {0};
    assert_true(world_describe(world, ENX, 20, &another)); /* that has its name */
    world_find(world, ENX)->since_us = 0;                  /* a second passes */
    (void)world_describe_all(world, true); /* words of udev's were lost; its notes are gone */
    bench_rules(bench, UDEV_RULE "KERNEL==\"x\", CONTAINER+=\"c1\"\n");
    bench_expect(bench, "");
    assert_int_equal(bench_delivery(bench, "c1", ENX)->state, DELIVERY_DELIVERED);
}

static void one_that_is_home_stays_until_udevd_is_done_with_it_anew(void **state)
{
    struct bench *bench = begin(state, NET_RULE);
    give(bench);
    bench_register(bench, "c2", 2);
    recording_door_kill(&bench->door, 1, true);
    bench_expect(bench, "c1 interface-return lan0\n");
    report(bench, ENX, 11); /* before it left */
    bench_expect(bench, "");
    fake_find(&bench->fake, OUT_OF_SIGHT)->hidden = false;
    fake_move(&bench->fake, OUT_OF_SIGHT, ENX);
    event(bench, "move", ENX, 14, "|DEVPATH_OLD=" PARENT "lan0");
    bench_expect(bench, "");
    report(bench, ENX, 14);
    bench_expect(bench, "c2 interface-move lan0\n");
}

static void one_that_was_sent_home_from_inside_is_given_again_when_udevd_is_done(void **state)
{
    struct bench *bench = begin(state, NET_RULE);
    give(bench);
    fake_find(&bench->fake, OUT_OF_SIGHT)->hidden = false;
    fake_move(&bench->fake, OUT_OF_SIGHT, ENX);
    event(bench, "add", ENX, 14, "");
    recording_door_lose(&bench->door, "c1");
    bench_expect(bench, "c1 interface-return lan0\n");
    report(bench, ENX, 14);
    bench_expect(bench, "c1 interface-move lan0\n");
}

static void udev_inside_knows_it_by_its_name_and_number_there(void **state)
{
    struct bench *bench = begin(state, NET_RULE);
    bench->door.tells_udev = true;
    bench->door.ifindex = 7;
    bench_register(bench, "c1", 1);
    bench_forget(bench);
    plug(bench);
    report(bench, ENX, 10);
    bench_expect(bench, "c1 interface-move lan0\nc1 record-write /run/udev/data/n7\n"
                        "c1 udev-event add " PARENT "lan0\n");
    leave(bench, 12);
    bench_rules(bench, "");
    bench_expect(bench, "c1 interface-return lan0\nc1 record-remove /run/udev/data/n7\n"
                        "c1 udev-event remove " PARENT "lan0\n");
}

/* udevd has nothing more to say of one that is out. */
static void one_that_somebody_renames_needs_no_other_word(void **state)
{
    struct bench *bench = begin(state, NET_RULE);
    bench->door.tells_udev = true;
    bench_register(bench, "c1", 1);
    bench_forget(bench);
    fake_plug(&bench->fake, USB0, "net", "INTERFACE=usb0\nIFINDEX=3\n");
    event(bench, "add", USB0, 10, "");
    report(bench, USB0, 10);
    fake_move(&bench->fake, USB0, ENX);
    event(bench, "move", ENX, 11, "|DEVPATH_OLD=" USB0);
    bench_expect(bench, "c1 interface-move lan0\nc1 record-write /run/udev/data/n3\n"
                        "c1 udev-event add " PARENT "lan0\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(it_stays_until_udevd_has_named_it),
        BENCH_TEST(one_that_is_home_stays_until_udevd_is_done_with_it_anew),
        BENCH_TEST(one_that_somebody_renames_needs_no_other_word),
        BENCH_TEST(one_that_stays_on_the_host_waits_for_nothing),
        BENCH_TEST(one_that_was_sent_home_from_inside_is_given_again_when_udevd_is_done),
        BENCH_TEST(udev_inside_knows_it_by_its_name_and_number_there),
        BENCH_TEST(what_udev_said_stays_true_while_it_is_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
