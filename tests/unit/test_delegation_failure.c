/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "engine_bench.h"

/* Steps that fail, in every place; what was begun is undone, what must be taken is not forgotten.
 */

#define FULL_RULE                                                                                  \
    "SUBSYSTEM==\"tty\", CONTAINER+=\"c*\", GROUP=\"dialout\", MODE=\"0660\", SYMLINK+=\"a b\"\n"
#define FULL_GIVE_STEPS 7 /* identify make attach link link allow event */
#define FULL_TAKE_STEPS 7 /* deny revoke unlink unlink detach destroy event */

static const char *const full_give[FULL_GIVE_STEPS] = {
    "c1 identify group dialout",
    "c1 node-make /dev/ttyUSB0 c 188:0 owner 0:dialout mode 0660",
    "c1 node-attach /dev/ttyUSB0",
    "c1 link-make /dev/a -> /dev/ttyUSB0",
    "c1 link-make /dev/b -> /dev/ttyUSB0",
    "c1 access-allow c 188:0 rw",
    ("c1 event add " TTY),
};

/* How each of them is taken back; the inode is dealt with before anything. */
static const char *const full_undo[FULL_GIVE_STEPS] = {
    "",
    "c1 node-destroy /dev/ttyUSB0\n",
    "c1 node-detach /dev/ttyUSB0\n",
    "c1 link-remove /dev/a -> /dev/ttyUSB0\n",
    "c1 link-remove /dev/b -> /dev/ttyUSB0\n",
    "",
    "",
};

static void expect_undone(struct bench *bench, size_t failing)
{
    char expected[4096] = "";
    for (size_t i = 0; i <= failing; i++) {
        strcat(expected, full_give[i]);
        strcat(expected, i == failing ? " FAILS\n" : "\n");
    }
    strcat(expected, CUT_STEPS("c1"));
    for (size_t i = failing + 1; i > 0; i--)
        strcat(expected, full_undo[i - 1]);
    bench_expect(bench, expected);
}

static void a_give_that_fails_anywhere_leaves_nothing_behind(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, FULL_RULE);
    bench_register(bench, "c1", 1);
    for (size_t i = 0; i < FULL_GIVE_STEPS; i++) {
        bench->door.fail_after = (unsigned)i;
        bench->door.fail_error = EPERM;
        bench_plug(bench, TTY, "tty", TTY_UEVENT);
        expect_undone(bench, i);
        bench_expect_nothing(bench);

        struct delivery *delivery = bench_delivery(bench, "c1", TTY);
        assert_int_equal(delivery->state, DELIVERY_REFUSED);
        assert_int_equal(delivery->why.error, EPERM);
        assert_int_equal(recording_door_timers(&bench->door), 0);

        bench_event(bench, "change", TTY, NULL); /* its next event tries again */
        bench_expect_one(bench);
        bench_unplug(bench, TTY);
        bench_expect_nothing(bench);
        bench_forget(bench);
    }
    assert_int_equal(delegation_counters(bench->delegation)->refused, FULL_GIVE_STEPS);
    assert_int_equal(delegation_counters(bench->delegation)->given, FULL_GIVE_STEPS);
}

static void a_courier_that_dies_behind_its_work_leaves_nothing_behind(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, FULL_RULE);
    bench_register(bench, "c1", 1);
    for (unsigned i = 2; i < 5; i++) { /* attach, link, link */
        bench->door.fail_after = i;
        bench->door.fail_error = EPIPE;
        bench_plug(bench, TTY, "tty", TTY_UEVENT);
        bench_expect_nothing(bench);
        assert_true(recording_door_fire(&bench->door) > 0); /* such a thing passes */
        bench_expect_one(bench);
        bench_unplug(bench, TTY);
        bench_expect_nothing(bench);
    }
}

static void an_undo_that_fails_goes_on(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, FULL_RULE);
    bench_register(bench, "c1", 1);
    bench->door.refused = "access-allow";
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);

    bench->door.fail_after = 8; /* identify make attach link link | deny revoke unlink */
    bench->door.fail_error = EPERM;
    bench_event(bench, "change", TTY, NULL);
    assert_non_null(strstr(bench->door.log, "link-remove /dev/a -> /dev/ttyUSB0 FAILS\n"
                                            "c1 node-detach /dev/ttyUSB0\n"
                                            "c1 node-destroy /dev/ttyUSB0\n"));
    bench_expect_nothing(bench);
}

static void a_give_that_cannot_be_cut_is_cut_later(void **state)
{
    struct bench *bench = *state;
    static const char *const refused[] = {"access-deny", "node-revoke"};
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        bench->door.refused = refused[i];
        bench->door.fail_after = 3; /* the event */
        bench->door.fail_error = EPERM;
        fake_plug(&bench->fake, TTY, "tty", TTY_UEVENT);
        bench->door.fail_error = EPERM;
        bench_event(bench, "add", TTY, NULL);
        struct recording_state left = recording_door_state(&bench->door);
        assert_int_equal(left.inodes, 1); /* not forgotten */
        assert_int_equal(left.attached, 0);
        assert_int_equal(bench_delivery(bench, "c1", TTY)->state, DELIVERY_TAKING);

        bench->door.refused = NULL;
        assert_true(recording_door_fire(&bench->door) > 0);
        bench_expect_one(bench);
        assert_null(strstr(bench->door.log, "event remove"));
        bench_unplug(bench, TTY);
        bench_expect_nothing(bench);
        bench_forget(bench);
    }
}

static void a_take_that_fails_somewhere_goes_on(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, FULL_RULE);
    bench_register(bench, "c1", 1);
    for (unsigned i = 2; i < FULL_TAKE_STEPS; i++) {
        bench_plug(bench, TTY, "tty", TTY_UEVENT);
        bench->door.fail_after = i;
        bench->door.fail_error = EPERM;
        bench_unplug(bench, TTY);
        assert_int_equal(bench->door.fail_error, 0);
        assert_null(bench_delivery(bench, "c1", TTY));
        assert_int_equal(recording_door_state(&bench->door).items, 0);
        assert_int_equal(recording_door_timers(&bench->door), 0);
    }
    assert_int_equal(delegation_counters(bench->delegation)->residues, FULL_TAKE_STEPS - 2);
    assert_int_equal(delegation_counters(bench->delegation)->taken, FULL_TAKE_STEPS - 2);
}

static void a_courier_that_dies_over_a_take_is_followed_by_another(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, FULL_RULE);
    bench_register(bench, "c1", 1);
    for (unsigned i = 2; i < 5; i++) { /* unlink, unlink, detach */
        bench_plug(bench, TTY, "tty", TTY_UEVENT);
        bench->door.fail_after = i;
        bench->door.fail_error = EPIPE;
        bench_unplug(bench, TTY);
        bench_expect_nothing(bench);
        assert_int_equal(recording_door_timers(&bench->door), 0);
    }
    assert_int_equal(delegation_counters(bench->delegation)->residues, 0);
    assert_int_equal(delegation_counters(bench->delegation)->taken, 3);
}

/* The halves of a cut, refused until somebody lets them. */
static void what_cannot_be_cut_is_tried_again_and_told_once(void **state)
{
    static const struct {
        const char *refused, *first, *later;
    } cases[] = {
        {"access-deny",
         "c1 access-deny c 188:0 rw FAILS\nc1 node-revoke /dev/ttyUSB0\n"
         "c1 access-deny c 188:0 rw FAILS\nc1 node-detach /dev/ttyUSB0\n",
         "c1 access-deny c 188:0 rw\n" TAKEN_STEPS("c1")},
        {"node-revoke",
         "c1 access-deny c 188:0 rw\nc1 node-revoke /dev/ttyUSB0 FAILS\n"
         "c1 node-revoke /dev/ttyUSB0 FAILS\nc1 node-detach /dev/ttyUSB0\n",
         "c1 node-revoke /dev/ttyUSB0\n" TAKEN_STEPS("c1")},
    };
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        bench_plug(bench, TTY, "tty", TTY_UEVENT);
        bench_forget(bench);
        bench->door.refused = cases[i].refused;
        bench_unplug(bench, TTY);
        bench_expect(bench, cases[i].first);

        uint64_t delay = recording_door_fire(&bench->door), next;
        assert_int_equal(delay, 1000000);
        while ((next = recording_door_fire(&bench->door)) < 30000000) {
            assert_true(next > delay); /* later and later */
            delay = next;
        }
        assert_int_equal(recording_door_timers(&bench->door), 1); /* and for ever */
        assert_null(strstr(bench->door.log, "event"));
        bench_forget(bench);

        bench->door.refused = NULL;
        recording_door_fire(&bench->door);
        bench_expect(bench, cases[i].later);
        bench_expect_nothing(bench);
        assert_int_equal(recording_door_timers(&bench->door), 0);
    }
}

static void what_passes_is_tried_again_and_what_does_not_is_not(void **state)
{
    static const struct {
        int error;
        bool again;
    } cases[] = {{ENOMEM, true}, {ENOSPC, true},  {EPIPE, true},  {EIO, true},
                 {EPERM, false}, {ENODEV, false}, {EBUSY, false}, {EOVERFLOW, false}};
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        bench->door.fail_after = 0;
        bench->door.fail_error = cases[i].error;
        bench_plug(bench, TTY, "tty", TTY_UEVENT);
        assert_int_equal(bench_delivery(bench, "c1", TTY)->state, DELIVERY_REFUSED);
        assert_int_equal(recording_door_timers(&bench->door), cases[i].again);
        if (recording_door_fire(&bench->door))
            bench_expect_one(bench);
        bench_unplug(bench, TTY);
    }
}

/* Begins and ends with nothing plugged in. */
static void tried_a_few_times(struct bench *bench, int error)
{
    bench->door.refused = "access-allow";
    bench->door.refused_error = error;
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    unsigned tries = 0;
    while (recording_door_fire(&bench->door))
        assert_in_range(++tries, 1, 10);
    assert_int_equal(tries, 3);
    assert_int_equal(bench_delivery(bench, "c1", TTY)->state, DELIVERY_REFUSED);
    bench_unplug(bench, TTY);

    bench->door.refused = NULL;
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect_one(bench);
    bench_unplug(bench, TTY);

    bench->door.refused = "access-allow";
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench->door.refused = NULL;
    assert_true(recording_door_fire(&bench->door));
    bench_expect_one(bench);
    bench_unplug(bench, TTY);
}

static void a_device_cgroup_that_does_not_let_now_is_tried_a_few_times(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    tried_a_few_times(bench, EUSERS);
    tried_a_few_times(bench, ETIMEDOUT);
}

static void a_reload_tries_what_was_refused_once_more(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench->door.refused = "node-make";
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
    bench_rules(bench, TTY_RULE);
    assert_string_equal(bench->heard, "c1 refused\n");
    bench->door.refused = NULL;
    bench_rules(bench, "");
    bench_forget(bench);
    bench_rules(bench, TTY_RULE);
    bench_expect(bench, GIVEN_STEPS("c1"));
}

static void a_change_that_fails_is_taken_and_given_anew(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
    bench->door.refused = "node-change";
    bench_rules(bench, "SUBSYSTEM==\"tty\", CONTAINER+=\"c1\", GROUP=\"5\", MODE=\"0640\"\n");
    bench_expect(bench,
                 "c1 node-change /dev/ttyUSB0 c 188:0 owner 0:5 mode 0640 FAILS\n" CUT_STEPS("c1")
                     TAKEN_STEPS("c1") "c1 node-make /dev/ttyUSB0 c 188:0 owner 0:5 mode 0640\n"
                                       "c1 node-attach /dev/ttyUSB0\n"
                                       "c1 access-allow c 188:0 rw\n"
                                       "c1 event add " TTY "\n");
    bench_expect_one(bench);
}

static void an_event_that_is_not_told_changes_nothing_else(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench->door.refused = "event";
    bench_event(bench, "change", TTY, NULL);
    bench_expect_one(bench);
    assert_int_equal(delegation_counters(bench->delegation)->told, 0);
    bench->door.refused = NULL;
    bench_event(bench, "change", TTY, NULL);
    assert_int_equal(delegation_counters(bench->delegation)->told, 1);
}

static void an_id_that_is_not_mapped_is_named(void **state)
{
    struct bench *bench = *state;
    bench->door.map = "0 100000 10\n";
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    struct delivery *delivery = bench_delivery(bench, "c1", TTY);
    assert_int_equal(delivery->state, DELIVERY_REFUSED);
    assert_string_equal(delivery->why.text, "test.rules:1: gid 20 is not in the container's "
                                            "gid_map, which has 0-9: GROUP must be one of those");
    bench_expect_nothing(bench);
    bench_forget(bench);

    bench_rules(bench, "SUBSYSTEM==\"tty\", CONTAINER+=\"c1\", GROUP=\"9\", OWNER=\"1\"\n");
    assert_non_null(strstr(bench->door.log, "owner 1:9 mode 0660 (host 100001:100009)\n"));
    bench_expect_one(bench);
}

static void a_name_that_is_looked_up_inside_is_translated_too(void **state)
{
    struct bench *bench = *state;
    bench->door.map = "0 100000 100\n1000 200000 1\n";
    bench_rules(bench, "SUBSYSTEM==\"tty\", CONTAINER+=\"c1\", OWNER=\"joe\", GROUP=\"dialout\"\n");
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    assert_non_null(strstr(bench->door.log, "c1 identify owner joe group dialout\n"
                                            "c1 node-make /dev/ttyUSB0 c 188:0 owner joe:dialout "
                                            "mode 0660 (host 200000:100020)\n"));
}

static void a_node_that_is_hidden_inside_is_taken_and_the_container_says_so(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    struct container *container = bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    assert_int_equal(container->note.error, 0);
    bench->door.hidden = true;
    bench_unplug(bench, TTY);
    bench_expect_nothing(bench);
    assert_int_equal(delegation_counters(bench->delegation)->residues, 1);
    assert_int_equal(container->note.error, ENXIO);
    assert_non_null(strstr(container->note.text, "/dev/ttyUSB0 was taken back"));

    bench->door.hidden = false;
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect_one(bench);
    bench_unplug(bench, TTY);
    bench_expect_nothing(bench);
    assert_int_equal(delegation_counters(bench->delegation)->residues, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(a_give_that_fails_anywhere_leaves_nothing_behind),
        BENCH_TEST(a_courier_that_dies_behind_its_work_leaves_nothing_behind),
        BENCH_TEST(an_undo_that_fails_goes_on),
        BENCH_TEST(a_give_that_cannot_be_cut_is_cut_later),
        BENCH_TEST(a_take_that_fails_somewhere_goes_on),
        BENCH_TEST(a_courier_that_dies_over_a_take_is_followed_by_another),
        BENCH_TEST(what_cannot_be_cut_is_tried_again_and_told_once),
        BENCH_TEST(what_passes_is_tried_again_and_what_does_not_is_not),
        BENCH_TEST(a_device_cgroup_that_does_not_let_now_is_tried_a_few_times),
        BENCH_TEST(a_reload_tries_what_was_refused_once_more),
        BENCH_TEST(a_change_that_fails_is_taken_and_given_anew),
        BENCH_TEST(an_event_that_is_not_told_changes_nothing_else),
        BENCH_TEST(an_id_that_is_not_mapped_is_named),
        BENCH_TEST(a_name_that_is_looked_up_inside_is_translated_too),
        BENCH_TEST(a_node_that_is_hidden_inside_is_taken_and_the_container_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
