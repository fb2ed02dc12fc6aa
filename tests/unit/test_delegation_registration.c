/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "engine_bench.h"

/* Containers that come, wait, leave and die. */

#define OTHER "/devices/ttyS9"
#define OTHER_UEVENT "MAJOR=4\nMINOR=73\nDEVNAME=ttyS9\n"

/* Somebody who waits, and what he was told. */
struct listener {
    int calls;
    enum container_end end;
    struct bench *bench;
};

static void on_end(void *userdata, enum container_end end)
{
    struct listener *listener = userdata;
    listener->calls++;
    listener->end = end;
}

static int try_register(struct bench *bench, const char *name, pid_t pid, struct refusal *why)
{
    struct container *container = NULL;
    int r = delegation_register(bench->delegation, name, pid, NULL, NULL, &container, why);
    assert_int_equal(r == 0, container != NULL);
    return r;
}

static void a_name_or_a_process_is_registered_once(void **state)
{
    static const struct {
        const char *name;
        pid_t pid;
        int result;
        const char *why;
    } cases[] = {
        {"c1", 1, 0, ""},
        {"c1", 2, -EEXIST, "container c1 is registered already, with process 1"},
        {"c2", 1, -EEXIST, "process 1 is registered already, as container c1"},
        {"c2", 404, -ESRCH, "there is no process 404"},
        {"-c", 3, -EINVAL, "a container's name does not begin with '-': -c"},
        {"", 3, -EINVAL, "a container's name has 1 to 127 characters, this has 0"},
        {"a/b", 3, -EINVAL, "a container's name has letters, digits and . _ : @ - only: a/b"},
        {"c2", 2, 0, ""},
    };
    struct bench *bench = *state;
    bench_register(bench, "c1", 1);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct refusal why = {.error = 0};
        assert_int_equal(try_register(bench, cases[i].name, cases[i].pid, &why), cases[i].result);
        assert_string_equal(why.text, cases[i].why);
    }
}

static void who_is_not_admitted_is_forgotten(void **state)
{
    struct bench *bench = *state;
    struct refusal why = {.error = 0};
    bench->door.admit_error = EPERM;
    assert_int_equal(try_register(bench, "c1", 1, &why), -EPERM);
    assert_null(delegation_find(bench->delegation, "c1"));
    bench->door.admit_error = 0;
    assert_int_equal(try_register(bench, "c1", 1, &why), 0);
}

static void to_register_again_changes_the_labels_only(void **state)
{
    struct bench *bench = *state;
    struct property_list labels = {.count = 0};
    struct container *c1, *again;
    bench_rules(bench, "SUBSYSTEM==\"tty\", CONTAINER+=\"label:lab=yes\", GROUP=\"20\", "
                       "MODE=\"0660\"\n");
    c1 = bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_expect(bench, "");
    assert_int_equal(property_set(&labels, "lab", "yes"), 0);
    assert_int_equal(delegation_register(bench->delegation, "c1", 1, NULL, &labels, &again, NULL),
                     0);
    property_list_done(&labels);
    assert_ptr_equal(again, c1);
    bench_expect(bench, GIVEN_STEPS("c1"));
    bench_register(bench, "c1", 1);
    bench_expect(bench, CUT_STEPS("c1") TAKEN_STEPS("c1"));
}

static void a_name_whose_holder_died_unheard_is_free(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
    recording_door_kill(&bench->door, 1, false);
    bench_register(bench, "c1", 2);
    bench_expect(bench, CUT_STEPS("c1") GIVEN_STEPS("c1"));
    assert_int_equal(delegation_find(bench->delegation, "c1")->pid, 2);
    bench_expect_one(bench);
}

static void to_unregister_takes_all_back_the_last_one_first(void **state)
{
    struct bench *bench = *state;
    struct listener listener = {.calls = 0};
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_plug(bench, OTHER, "tty", OTHER_UEVENT);
    bench_forget(bench);
    bench->door.pend = true;
    assert_int_equal(delegation_unregister(bench->delegation, "c1", on_end, &listener), 0);
    bench_expect(bench, "c1 access-deny c 4:73 rw\nc1 node-revoke /dev/ttyS9\n" CUT_STEPS(
                            "c1") "c1 node-detach /dev/ttyS9 ...\n");
    assert_int_equal(listener.calls, 0);

    struct refusal why = {.error = 0};
    assert_int_equal(try_register(bench, "c1", 1, &why), -EEXIST);
    assert_string_equal(why.text, "container c1 is still leaving, with process 1");
    bench_forget(bench);

    recording_door_complete_all(&bench->door);
    bench_expect(bench, "c1 node-destroy /dev/ttyS9\nc1 event remove " OTHER "\n"
                        "c1 node-detach /dev/ttyUSB0 ...\nc1 node-destroy /dev/ttyUSB0\n"
                        "c1 event remove " TTY "\n");
    assert_int_equal(listener.calls, 1);
    assert_int_equal(listener.end, CONTAINER_GONE);
    assert_int_equal(delegation_unregister(bench->delegation, "c1", on_end, &listener), -ENOENT);
}

static void who_unregisters_twice_is_answered_twice(void **state)
{
    struct bench *bench = *state;
    struct listener first = {.calls = 0}, second = {.calls = 0};
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench->door.pend = true;
    bench_forget(bench);
    delegation_unregister(bench->delegation, "c1", on_end, &first);
    delegation_unregister(bench->delegation, "c1", on_end, &second);
    recording_door_complete_all(&bench->door);
    bench_expect(bench, CUT_STEPS("c1") "c1 node-detach /dev/ttyUSB0 ...\n"
                                        "c1 node-destroy /dev/ttyUSB0\nc1 event remove " TTY "\n");
    assert_int_equal(first.calls, 1);
    assert_int_equal(second.calls, 1);
}

static void to_unregister_during_a_give_undoes_it(void **state)
{
    struct bench *bench = *state;
    struct listener waiting = {.calls = 0}, leaving = {.calls = 0};
    bench->door.pend = true;
    bench_rules(bench, TTY_RULE);
    struct container *c1 = bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_plug(bench, OTHER, "tty", OTHER_UEVENT);
    delegation_wait(bench->delegation, c1, on_end, &waiting);
    delegation_unregister(bench->delegation, "c1", on_end, &leaving);
    bench_forget(bench);
    recording_door_complete_all(&bench->door);
    bench_expect(bench, "c1 node-detach /dev/ttyUSB0 ...\nc1 node-destroy /dev/ttyUSB0\n");
    assert_int_equal(waiting.calls, 1);
    assert_int_equal(waiting.end, CONTAINER_GONE);
    assert_int_equal(leaving.calls, 1);
}

static void who_hangs_is_let_go_at_once_with_its_nodes_dead(void **state)
{
    struct bench *bench = *state;
    struct listener listener = {.calls = 0};
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench->door.stall = true;
    bench_forget(bench);
    delegation_unregister(bench->delegation, "c1", on_end, &listener);
    bench_expect(bench, CUT_STEPS("c1") "c1 node-detach /dev/ttyUSB0 STALLS\n");
    assert_int_equal(listener.calls, 1);
    assert_int_equal(listener.end, CONTAINER_GONE);
    bench_expect_nothing(bench);
}

static void who_cannot_be_cut_does_not_leave_until_it_is(void **state)
{
    struct bench *bench = *state;
    struct listener listener = {.calls = 0};
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench->door.refused = "access-deny";
    delegation_unregister(bench->delegation, "c1", on_end, &listener);
    assert_int_equal(listener.calls, 0);
    assert_true(recording_door_fire(&bench->door) > 0);
    assert_int_equal(listener.calls, 0);
    assert_int_equal(recording_door_state(&bench->door).allowed, 1);
    assert_int_equal(recording_door_fire(&bench->door), 2500000);
    assert_int_equal(listener.calls, 1);
    assert_int_equal(listener.end, CONTAINER_HELD);
    bench->door.refused = NULL;
    recording_door_fire(&bench->door);
    bench_expect_nothing(bench);
}

static void who_dies_before_it_could_be_cut_is_tried_once_more(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, TTY_RULE);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench->door.refused = "access-deny";
    bench_unplug(bench, TTY);
    bench->door.refused = NULL;
    bench_forget(bench);
    recording_door_kill(&bench->door, 1, true);
    bench_expect(bench, "c1 access-deny c 188:0 rw\n");
    bench_expect_nothing(bench);
}

static void who_waits_is_called_once_when_all_is_done(void **state)
{
    struct bench *bench = *state;
    struct listener at_once = {.calls = 0}, later = {.calls = 0}, cancelled = {.calls = 0};
    bench_rules(bench, TTY_RULE);
    struct container *c1 = bench_register(bench, "c1", 1);
    delegation_wait(bench->delegation, c1, on_end, &at_once);
    assert_int_equal(at_once.calls, 1);
    assert_int_equal(at_once.end, CONTAINER_SETTLED);

    bench->door.pend = true;
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    delegation_wait(bench->delegation, c1, on_end, &later);
    delegation_wait(bench->delegation, c1, on_end, &cancelled);
    delegation_wait_cancel(bench->delegation, &cancelled);
    bench_plug(bench, OTHER, "tty", OTHER_UEVENT); /* which came behind the wait */
    assert_int_equal(later.calls, 0);
    recording_door_complete(&bench->door, "c1", 0);
    assert_int_equal(later.calls, 1);
    assert_int_equal(later.end, CONTAINER_SETTLED);
    recording_door_complete_all(&bench->door);
    assert_int_equal(later.calls, 1);
    assert_int_equal(cancelled.calls, 0);
}

static void who_waits_for_a_container_that_hangs_hears_so(void **state)
{
    struct bench *bench = *state;
    struct listener listener = {.calls = 0};
    bench_rules(bench, TTY_RULE);
    struct container *c1 = bench_register(bench, "c1", 1);
    bench->door.pend = true;
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    delegation_wait(bench->delegation, c1, on_end, &listener);
    recording_door_hang(&bench->door, "c1");
    assert_int_equal(listener.calls, 1);
    assert_int_equal(listener.end, CONTAINER_STALLED);
    delegation_wait(bench->delegation, c1, on_end, &listener);
    assert_int_equal(listener.calls, 2);
}

static void on_end_unregister(void *userdata, enum container_end end)
{
    struct listener *listener = userdata;
    on_end(userdata, end);
    assert_int_equal(delegation_unregister(listener->bench->delegation, "c1", NULL, NULL), 0);
}

static void who_was_called_may_unregister(void **state)
{
    struct bench *bench = *state;
    struct listener listener = {.bench = bench}, other = {.calls = 0};
    bench_rules(bench, TTY_RULE);
    struct container *c1 = bench_register(bench, "c1", 1);
    bench->door.pend = true;
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    delegation_wait(bench->delegation, c1, on_end_unregister, &listener);
    delegation_wait(bench->delegation, c1, on_end, &other);
    recording_door_complete_all(&bench->door);
    assert_int_equal(listener.calls, 1);
    assert_int_equal(other.calls, 1);
    assert_int_equal(other.end, CONTAINER_GONE);
    assert_null(delegation_find(bench->delegation, "c1"));
    bench_expect_nothing(bench);
}

static void the_end_of_all_gives_nothing_to_anybody(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, "SUBSYSTEM==\"tty\", CONTAINER+=\"c*\", OPTIONS+=\"exclusive\"\n");
    bench_register(bench, "c1", 1);
    bench_register(bench, "c2", 2);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    bench_forget(bench);
    delegation_free(bench->delegation);
    bench->delegation = NULL;
    bench_expect(bench, CUT_STEPS("c1"));
}

static void repairs_are_counted_and_failures_said_once(void **state)
{
    struct bench *bench = *state;
    bench_register(bench, "c1", 1);
    delegation_repair(bench->delegation);
    assert_int_equal(delegation_counters(bench->delegation)->repairs, 0);
    bench->door.repairs = 2;
    delegation_repair(bench->delegation);
    assert_int_equal(delegation_counters(bench->delegation)->repairs, 2);
    bench_forget(bench);
    bench->door.repairs = -EPERM;
    delegation_repair(bench->delegation);
    assert_string_not_equal(bench->heard, "");
    bench_forget(bench);
    delegation_repair(bench->delegation);
    assert_string_equal(bench->heard, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(a_name_or_a_process_is_registered_once),
        BENCH_TEST(who_is_not_admitted_is_forgotten),
        BENCH_TEST(to_register_again_changes_the_labels_only),
        BENCH_TEST(a_name_whose_holder_died_unheard_is_free),
        BENCH_TEST(to_unregister_takes_all_back_the_last_one_first),
        BENCH_TEST(who_unregisters_twice_is_answered_twice),
        BENCH_TEST(to_unregister_during_a_give_undoes_it),
        BENCH_TEST(who_hangs_is_let_go_at_once_with_its_nodes_dead),
        BENCH_TEST(who_cannot_be_cut_does_not_leave_until_it_is),
        BENCH_TEST(who_dies_before_it_could_be_cut_is_tried_once_more),
        BENCH_TEST(who_waits_is_called_once_when_all_is_done),
        BENCH_TEST(who_waits_for_a_container_that_hangs_hears_so),
        BENCH_TEST(who_was_called_may_unregister),
        BENCH_TEST(the_end_of_all_gives_nothing_to_anybody),
        BENCH_TEST(repairs_are_counted_and_failures_said_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
