/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "engine_bench.h"
#include "model/rule_parser.h"

static void add_line(char **text, const char *container, const char *what)
{
    char *grown;
    assert_true(asprintf(&grown, "%s%s %s\n", *text, container ? container : "-", what) >= 0);
    free(*text);
    *text = grown;
}

static void on_activity(void *userdata, const struct activity *activity)
{
    struct bench *bench = userdata;
    if (activity->kind == ACTIVITY_CONTAINER || activity->kind == ACTIVITY_OUTCOME)
        add_line(&bench->heard, activity->container, activity->text);
}

int bench_setup(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    recording_door_init(&bench->door);
    bench->heard = strdup("");
    bench->observer = (struct observer){.on_activity = on_activity, .userdata = bench};
    struct world_source source = fake_world_source(&bench->fake);
    struct devnum root_disk = {NODE_BLOCK, 8, 0};
    bench->delegation =
        delegation_new(&bench->door.interface, &source, &bench->observer, &root_disk, 1);
    assert_non_null(bench->delegation);
    *state = bench;
    return 0;
}

int bench_teardown(void **state)
{
    struct bench *bench = *state;
    delegation_free(bench->delegation);
    recording_door_done(&bench->door);
    fake_world_done(&bench->fake);
    free(bench->heard);
    free(bench);
    return 0;
}

void bench_rules(struct bench *bench, const char *text)
{
    struct rule_set *rules = rule_set_new();
    struct rule_problems problems = {.count = 0};
    assert_non_null(rules);
    assert_int_equal(rule_parse(rules, "test.rules", text, strlen(text), &problems), 0);
    rule_problems_done(&problems);
    delegation_set_rules(bench->delegation, rules);
}

struct container *bench_register(struct bench *bench, const char *name, pid_t pid)
{
    struct container *container;
    struct refusal why = {.error = 0};
    int r = delegation_register(bench->delegation, name, pid, NULL, NULL, &container, &why);
    if (r < 0)
        fail_msg("%s was not registered: %s", name, why.text);
    return container;
}

int bench_event(struct bench *bench, const char *action, const char *devpath, const char *extra)
{
    struct uevent event;
    fake_event(&bench->fake, action, devpath, extra, &event);
    return world_apply(delegation_world(bench->delegation), &event);
}

void bench_plug(struct bench *bench, const char *devpath, const char *subsystem, const char *uevent)
{
    fake_plug(&bench->fake, devpath, subsystem, uevent);
    assert_int_equal(bench_event(bench, "add", devpath, NULL), 0);
}

void bench_unplug(struct bench *bench, const char *devpath)
{
    struct uevent event;
    fake_event(&bench->fake, "remove", devpath, NULL, &event);
    fake_unplug(&bench->fake, devpath);
    assert_int_equal(world_apply(delegation_world(bench->delegation), &event), 0);
}

void bench_forget(struct bench *bench)
{
    recording_door_clear(&bench->door);
    free(bench->heard);
    bench->heard = strdup("");
}

void bench_expect(struct bench *bench, const char *steps)
{
    assert_string_equal(bench->door.log, steps);
    bench_forget(bench);
}

struct delivery *bench_delivery(struct bench *bench, const char *container, const char *devpath)
{
    struct container *c = delegation_find(bench->delegation, container);
    assert_non_null(c);
    return container_find_delivery(c, devpath);
}

void bench_expect_nothing(struct bench *bench)
{
    static const struct recording_state nothing = {.items = 0};
    struct recording_state state = recording_door_state(&bench->door);
    assert_memory_equal(&state, &nothing, sizeof(state));
}

void bench_expect_one(struct bench *bench)
{
    struct recording_state state = recording_door_state(&bench->door);
    assert_int_equal(state.items, 1);
    assert_int_equal(state.live, 1);
    assert_int_equal(state.attached, 1);
    assert_int_equal(state.allowed, 1);
}
