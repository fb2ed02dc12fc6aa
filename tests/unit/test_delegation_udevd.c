/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "engine_bench.h"

/* Udevds and udev's word inside: one in the container that comes and goes, a slow one on the host.
 */

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

static void a_container_with_a_udevd_is_left_to_it(void **state)
{
    struct bench *bench = begin(state, FAKE_UDEVD_NONE);
    bench->door.has_udevd = 1;
    bench_register(bench, "c1", 1);
    bench_forget(bench);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect(bench, GIVEN_STEPS("c1"));
    bench_event(bench, "change", TTY, NULL);
    bench_expect(bench, SAID("c1", "change"));
    bench_unplug(bench, TTY);
    bench_expect(bench, CUT_STEPS("c1") TAKEN_STEPS("c1"));
}

static void a_udevd_that_comes_hears_of_all_and_our_records_go(void **state)
{
    struct bench *bench = begin(state, FAKE_UDEVD_NONE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
    bench->door.has_udevd = 1;
    delegation_repair(bench->delegation);
    bench_expect(bench, "c1 record-remove " RECORD "\n" SAID("c1", "add"));
    delegation_repair(bench->delegation);
    bench_event(bench, "change", TTY, NULL);
    bench_expect(bench, SAID("c1", "change"));

    bench->door.has_udevd = -ESRCH; /* not known: as before */
    delegation_repair(bench->delegation);
    bench_expect(bench, "");
    bench->door.has_udevd = 0;
    delegation_repair(bench->delegation);
    bench_expect(bench, "c1 marker-make\nc1 record-write " RECORD "\n");
    bench_event(bench, "change", TTY, NULL);
    bench_expect(bench, SAID("c1", "change") "c1 udev-event change " TTY "\n");
    bench_unplug(bench, TTY);
    bench_expect(bench, CUT_STEPS("c1") TAKEN_WITH_RECORD("c1"));
}

static void a_udevd_is_seen_where_there_is_no_device(void **state)
{
    struct bench *bench = begin(state, FAKE_UDEVD_NONE);
    bench->door.has_udevd = 1;
    assert_true(bench_register(bench, "c1", 1)->has_udevd);
    bench_forget(bench);
    bench->door.has_udevd = 0;
    delegation_repair(bench->delegation);
    assert_false(delegation_find(bench->delegation, "c1")->has_udevd);
    bench_expect(bench, "c1 marker-make\n"); /* the udevd's socket went, and libudev is to listen */
}

static void a_udevd_that_cannot_be_seen_is_noted_once(void **state)
{
    struct bench *bench = begin(state, FAKE_UDEVD_NONE);
    struct container *container = bench_register(bench, "c1", 1);
    bench->door.has_udevd = -E2BIG;
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    assert_string_equal(
        container->note.text,
        "whether a udevd runs inside cannot be known: too many sockets listen there");
    container->note.error = 0;
    bench_event(bench, "change", TTY, NULL);
    assert_int_equal(container->note.error, 0);
    bench->door.has_udevd = 0;
    bench_event(bench, "change", TTY, NULL);
    bench->door.has_udevd = -E2BIG;
    bench_event(bench, "change", TTY, NULL);
    assert_int_equal(container->note.error, E2BIG);
}

static void an_event_is_enough_to_see_the_udevd(void **state)
{
    struct bench *bench = begin(state, FAKE_UDEVD_NONE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
    bench->door.has_udevd = 1;
    bench_event(bench, "change", TTY, NULL);
    bench_expect(bench, SAID("c1", "change") "c1 record-remove " RECORD "\n" SAID("c1", "add"));
}

static void tell_many(struct bench *bench, const char *action, unsigned from, unsigned count)
{
    char seqnum[64];
    for (unsigned i = from; i < from + count; i++) {
        snprintf(seqnum, sizeof(seqnum), "SEQNUM=%u", i);
        bench_event(bench, action, TTY, seqnum);
    }
}

static void of_many_changes_the_oldest_are_merged_and_the_add_is_kept(void **state)
{
    struct bench *bench = begin(state, FAKE_UDEVD_SETTLED);
    const struct delegation_counters *counters = delegation_counters(bench->delegation);
    bench_register(bench, "c1", 1);
    plug_at(bench, "10");
    bench_event(bench, "bind", TTY, "SEQNUM=11");
    tell_many(bench, "change", 12, DELIVERY_OWED_MAX - 2);
    assert_int_equal(counters->merged_words, 0);
    tell_many(bench, "change", 200, 100);
    assert_int_equal(counters->merged_words, 100);
    assert_int_equal(counters->dropped_words, 0);
    assert_int_equal(bench_delivery(bench, "c1", TTY)->owed_count, DELIVERY_OWED_MAX);
    bench_forget(bench);
    report(bench, 11, "A5", NULL);
    bench_expect(bench, DESCRIBED("c1", "add") "c1 udev-event bind " TTY "\n");
    report(bench, 237, "A5", NULL); /* 38 of the last 100 are told up to here, and 62 are owed */
    bench_expect(bench, "");
    report(bench, 238, "A5", NULL);
    bench_expect(bench, "c1 udev-event change " TTY "\n");
    report(bench, 299, "A5", NULL);
    assert_null(bench_delivery(bench, "c1", TTY)->owed);
    assert_null(bench_delivery(bench, "c1", TTY)->owed_tail);
}

static void what_no_change_can_stand_for_is_counted_as_dropped(void **state)
{
    struct bench *bench = begin(state, FAKE_UDEVD_SETTLED);
    const struct delegation_counters *counters = delegation_counters(bench->delegation);
    bench_register(bench, "c1", 1);
    plug_at(bench, "10");
    bench_event(bench, "change", TTY, "SEQNUM=11");
    tell_many(bench, "bind", 12, DELIVERY_OWED_MAX - 2);
    tell_many(bench, "unbind", 100, 2); /* the change goes first, then the oldest bind */
    assert_int_equal(counters->merged_words, 0);
    assert_int_equal(counters->dropped_words, 2);
    bench_forget(bench);
    report(bench, 10, "A5", NULL);
    bench_expect(bench, DESCRIBED("c1", "add"));
    report(bench, 12, "A5", NULL);
    bench_expect(bench, "");
    report(bench, 13, "A5", NULL);
    bench_expect(bench, "c1 udev-event bind " TTY "\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(a_container_with_a_udevd_is_left_to_it),
        BENCH_TEST(a_udevd_that_comes_hears_of_all_and_our_records_go),
        BENCH_TEST(a_udevd_is_seen_where_there_is_no_device),
        BENCH_TEST(a_udevd_that_cannot_be_seen_is_noted_once),
        BENCH_TEST(an_event_is_enough_to_see_the_udevd),
        BENCH_TEST(of_many_changes_the_oldest_are_merged_and_the_add_is_kept),
        BENCH_TEST(what_no_change_can_stand_for_is_counted_as_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
