/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "engine/examination.h"
#include "engine_bench.h"

/* The doctor of one container: what it finds while the container goes on. */

/* What was found but what is good: "VERDICT GATE DEVPATH" a line; and how it ended. */
struct report {
    char *text;
    int ends;
    unsigned good;
};

static void on_finding(void *userdata, const struct finding *finding)
{
    struct report *report = userdata;
    const char *gate = gate_name(finding->gate);
    char *grown;
    assert_int_equal(report->ends, 0);
    assert_non_null(finding->text);
    report->good += finding->verdict == FINDING_GOOD;
    if (finding->verdict == FINDING_GOOD)
        return;
    assert_true(asprintf(&grown, "%s%s %s %s\n", report->text,
                         finding->verdict == FINDING_BAD ? "bad" : "warning", gate ? gate : "-",
                         finding->devpath ? finding->devpath : "-") >= 0);
    free(report->text);
    report->text = grown;
}

static void on_end(void *userdata)
{
    struct report *report = userdata;
    report->ends++;
}

static void begin(struct container *container, struct report *report)
{
    const struct examiner examiner = {on_finding, on_end, report};
    *report = (struct report){.text = strdup("")};
    assert_int_equal(examination_start(container, &examiner), 0);
}

static void expect(struct report *report, const char *text)
{
    assert_int_equal(report->ends, 1);
    assert_string_equal(report->text, text);
    free(report->text);
}

static struct container *open_scene(struct bench *bench, bool tells_udev)
{
    bench->door.tells_udev = tells_udev;
    bench_rules(bench, TTY_RULE);
    struct container *container = bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    return container;
}

/* The looks that are expected, each with the gate that it finds. */
static void see(struct bench *bench, enum look_kind look, enum gate gate)
{
    assert_int_equal(recording_door_look(&bench->door, "c1"), look);
    recording_door_see(&bench->door, "c1", gate);
}

static void nothing_is_found_where_nothing_is_wrong(void **state)
{
    struct bench *bench = *state;
    struct report report;
    begin(open_scene(bench, true), &report);
    see(bench, LOOK_DEV, GATE_NONE);
    see(bench, LOOK_MARKER, GATE_NONE);
    see(bench, LOOK_NODE, GATE_NONE);
    see(bench, LOOK_RECORD, GATE_NONE);
    assert_int_equal(recording_door_look(&bench->door, "c1"), -1);
    assert_true(report.good >= 6);
    expect(&report, "");
}

static void each_gate_is_told_and_of_a_device_the_first_only(void **state)
{
    struct bench *bench = *state;
    struct report report;
    begin(open_scene(bench, true), &report);
    see(bench, LOOK_DEV, GATE_DEV);
    see(bench, LOOK_MARKER, GATE_MARKER);
    see(bench, LOOK_NODE, GATE_CGROUP);
    expect(&report, "bad dev -\nwarning marker -\nbad cgroup " TTY "\n");
}

static void a_record_that_went_is_a_warning(void **state)
{
    struct bench *bench = *state;
    struct report report;
    begin(open_scene(bench, true), &report);
    see(bench, LOOK_DEV, GATE_NONE);
    see(bench, LOOK_MARKER, GATE_NONE);
    see(bench, LOOK_NODE, GATE_NONE);
    see(bench, LOOK_RECORD, GATE_RECORD);
    expect(&report, "warning record " TTY "\n");
}

static void what_a_udevd_inside_does_is_not_looked_at(void **state)
{
    struct bench *bench = *state;
    struct report report;
    bench->door.has_udevd = 1;
    begin(open_scene(bench, true), &report);
    see(bench, LOOK_DEV, GATE_NONE);
    see(bench, LOOK_NODE, GATE_NONE);
    expect(&report, "");
}

static void a_refusal_has_the_gate_of_the_step_that_failed(void **state)
{
    static const struct {
        const char *step, *found;
    } cases[] = {
        {"node-make", "bad node " TTY "\n"},
        {"node-attach", "bad node " TTY "\n"},
        {"access-allow", "bad cgroup " TTY "\n"},
        {"event", "bad netns " TTY "\n"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bench *bench;
        struct report report;
        if (i > 0)
            assert_int_equal(bench_teardown(state) + bench_setup(state), 0);
        bench = *state;
        bench->door.refused = cases[i].step;
        begin(open_scene(bench, false), &report);
        see(bench, LOOK_DEV, GATE_NONE);
        expect(&report, cases[i].found);
    }
}

static void an_owner_that_is_not_mapped_and_a_conflict_have_theirs(void **state)
{
    struct bench *bench = *state;
    struct report report;
    bench->door.map = "0 100000 10";
    begin(open_scene(bench, false), &report);
    see(bench, LOOK_DEV, GATE_NONE);
    expect(&report, "bad ids " TTY "\n");

    bench->door.map = NULL;
    bench_rules(bench, "SUBSYSTEM==\"tty\", CONTAINER+=\"c*\", OPTIONS+=\"exclusive\"\n");
    struct container *second = bench_register(bench, "c2", 2);
    begin(second, &report);
    assert_int_equal(recording_door_look(&bench->door, "c2"), LOOK_DEV);
    recording_door_see(&bench->door, "c2", GATE_NONE);
    expect(&report, "bad rules " TTY "\n");
}

static void in_other_network_namespaces_that_is_said(void **state)
{
    static const enum netns_kind kinds[] = {NETNS_NATIVE, NETNS_HOST};
    struct bench *bench = *state;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct report report;
        bench->door.netns = kinds[i];
        begin(bench_register(bench, i ? "c1" : "c0", (pid_t)i + 1), &report);
        assert_int_equal(recording_door_look(&bench->door, i ? "c1" : "c0"), LOOK_DEV);
        recording_door_see(&bench->door, i ? "c1" : "c0", GATE_NONE);
        expect(&report, "warning netns -\n");
    }
}

static void a_device_that_goes_meanwhile_is_not_spoken_of(void **state)
{
    struct bench *bench = *state;
    struct report report;
    begin(open_scene(bench, false), &report);
    see(bench, LOOK_DEV, GATE_NONE);
    assert_int_equal(recording_door_look(&bench->door, "c1"), LOOK_NODE);
    bench_unplug(bench, TTY);
    see(bench, LOOK_NODE, GATE_NODE);
    expect(&report, "");
}

static void one_that_went_and_came_again_meanwhile_is_another(void **state)
{
    struct bench *bench = *state;
    struct report report;
    begin(open_scene(bench, false), &report);
    see(bench, LOOK_DEV, GATE_NONE);
    bench_unplug(bench, TTY);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    see(bench, LOOK_NODE, GATE_NODE);
    expect(&report, "");
}

static void a_container_that_goes_meanwhile_ends_it(void **state)
{
    struct bench *bench = *state;
    struct report report, second;
    struct container *container = open_scene(bench, false);
    begin(container, &report);
    begin(container, &second);
    recording_door_kill(&bench->door, 1, true);
    expect(&report, "bad container -\n");
    expect(&second, "bad container -\n");
}

static void a_process_that_is_dead_already_is_named(void **state)
{
    struct bench *bench = *state;
    struct report report;
    struct container *container = open_scene(bench, false);
    recording_door_kill(&bench->door, 1, false);
    begin(container, &report);
    expect(&report, "bad container -\n");
}

static void one_that_hangs_is_named_and_not_asked_again(void **state)
{
    struct bench *bench = *state;
    struct report report;
    begin(open_scene(bench, true), &report);
    see(bench, LOOK_DEV, GATE_CONTAINER);
    assert_int_equal(recording_door_look(&bench->door, "c1"), -1);
    expect(&report, "bad container -\n");
}

static void two_at_once_are_held_one_after_the_other(void **state)
{
    struct bench *bench = *state;
    struct report first, second;
    struct container *container = open_scene(bench, false);
    begin(container, &first);
    begin(container, &second);
    see(bench, LOOK_DEV, GATE_NONE);
    assert_int_equal(second.ends, 0);
    see(bench, LOOK_NODE, GATE_NODEV);
    assert_int_equal(first.ends, 1);
    see(bench, LOOK_DEV, GATE_DEV);
    see(bench, LOOK_NODE, GATE_NONE);
    expect(&first, "bad nodev " TTY "\n");
    expect(&second, "bad dev -\n");
}

static void who_went_is_remembered_and_how(void **state)
{
    struct bench *bench = *state;
    bench_register(bench, "c1", 1);
    bench_register(bench, "c2", 2);
    assert_null(delegation_find_departed(bench->delegation, "c1"));
    recording_door_kill(&bench->door, 1, true);
    assert_int_equal(delegation_unregister(bench->delegation, "c2", NULL, NULL), 0);
    const struct departure *first = delegation_find_departed(bench->delegation, "c1");
    const struct departure *second = delegation_find_departed(bench->delegation, "c2");
    assert_non_null(first);
    assert_non_null(second);
    assert_int_equal(first->pid, 1);
    assert_string_equal(first->how, "died");
    assert_string_equal(second->how, "unregistered");

    for (pid_t pid = 10; pid < 10 + DEPARTED_MAX; pid++) {
        bench_register(bench, "c2", pid);
        recording_door_kill(&bench->door, pid, true);
    }
    assert_null(delegation_find_departed(bench->delegation, "c1"));
    assert_int_equal(delegation_find_departed(bench->delegation, "c2")->pid, 9 + DEPARTED_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(nothing_is_found_where_nothing_is_wrong),
        BENCH_TEST(each_gate_is_told_and_of_a_device_the_first_only),
        BENCH_TEST(a_record_that_went_is_a_warning),
        BENCH_TEST(what_a_udevd_inside_does_is_not_looked_at),
        BENCH_TEST(a_refusal_has_the_gate_of_the_step_that_failed),
        BENCH_TEST(an_owner_that_is_not_mapped_and_a_conflict_have_theirs),
        BENCH_TEST(in_other_network_namespaces_that_is_said),
        BENCH_TEST(a_device_that_goes_meanwhile_is_not_spoken_of),
        BENCH_TEST(one_that_went_and_came_again_meanwhile_is_another),
        BENCH_TEST(a_container_that_goes_meanwhile_ends_it),
        BENCH_TEST(a_process_that_is_dead_already_is_named),
        BENCH_TEST(one_that_hangs_is_named_and_not_asked_again),
        BENCH_TEST(two_at_once_are_held_one_after_the_other),
        BENCH_TEST(who_went_is_remembered_and_how),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
