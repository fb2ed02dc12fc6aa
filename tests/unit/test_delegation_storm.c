/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "divisor.h"
#include "engine_bench.h"

/*
 * Everything at once, in an order that nobody thought of: devices come, go, move and are replaced,
 * rules change, containers come, hang and die, steps fail. When it is quiet again, each container
 * has what the rules give it, and each was told of it by one `add` and one `remove` at a time.
 */

#define DEVICES 6
#define CONTAINERS 4 /* at a time */
#define ROUNDS 400
#define SEEDS 20

static uint32_t state_of_chance;

static uint32_t chance(uint32_t below)
{
    state_of_chance = state_of_chance * 1664525u + 1013904223u;
    return (state_of_chance >> 8) % below;
}

static const char *const rule_sets[] = {
    "SUBSYSTEM==\"tty\", CONTAINER+=\"*\"\n",
    "SUBSYSTEM==\"tty\", CONTAINER+=\"*\", GROUP=\"dialout\", SYMLINK+=\"by/%k\"\n",
    "SUBSYSTEM==\"tty\", CONTAINER+=\"*\", MODE=\"0666\", OPTIONS+=\"exclusive\"\n",
    "SUBSYSTEM==\"tty\", CONTAINER+=\"c[12]-*\", NODE=\"one\"\n",
    "SUBSYSTEM==\"tty\", KERNEL==\"tty0\", CONTAINER+=\"c*\", OPTIONS+=\"subtree\"\n",
    "",
};

/* Device 1 is below device 0, the others stand alone; every second has two homes to move between.
 */
static const char *path_of(uint32_t device, uint32_t home, char out[static 64])
{
    if (device == 1)
        snprintf(out, 64, "/devices/a/tty0/tty1");
    else
        snprintf(out, 64, "/devices/%s/tty%u", device % 2 && home ? "b" : "a", device);
    return out;
}

static const char *home_of(const struct bench *bench, uint32_t device, char out[static 64])
{
    for (uint32_t home = 0; home < 2; home++)
        if (fake_find(&bench->fake, path_of(device, home, out)))
            return out;
    return NULL;
}

static void plug(struct bench *bench, uint32_t device, bool announced)
{
    char devpath[64], uevent[64];
    const char *there = home_of(bench, device, devpath);
    snprintf(uevent, sizeof(uevent), "MAJOR=4\nMINOR=%u\nDEVNAME=tty%u\n", device, device);
    if (!there)
        there = path_of(device, 0, devpath);
    fake_plug(&bench->fake, there, "tty", uevent);
    if (announced)
        bench_event(bench, "add", there, NULL);
}

static void unplug(struct bench *bench, uint32_t device, bool announced)
{
    char devpath[64], child[64];
    struct uevent event;
    if (!home_of(bench, device, devpath))
        return;
    if (device == 0 && home_of(bench, 1, child)) /* children first, as the kernel has it */
        unplug(bench, 1, announced);
    fake_event(&bench->fake, "remove", devpath, NULL, &event);
    fake_unplug(&bench->fake, devpath);
    if (announced)
        world_apply(delegation_world(bench->delegation), &event);
}

static void move(struct bench *bench, uint32_t device)
{
    char from[64], to[64], extra[128];
    if (device % 2 == 0 || device == 1 || !home_of(bench, device, from))
        return;
    path_of(device, after_prefix(from, "/devices/a/") != NULL, to);
    fake_move(&bench->fake, from, to);
    snprintf(extra, sizeof(extra), "DEVPATH_OLD=%s", from);
    bench_event(bench, "move", to, extra);
}

static void say(struct bench *bench, uint32_t device)
{
    static const char *const actions[] = {"change", "bind", "unbind", "online"};
    char devpath[64];
    if (home_of(bench, device, devpath))
        bench_event(bench, actions[chance(4)], devpath, chance(3) ? NULL : "SYNTH_UUID=0");
}

/* A container's name says in which of the CONTAINERS places it stands; nobody has it twice. */
static struct container *container_at(const struct bench *bench, uint32_t place)
{
    char prefix[16];
    snprintf(prefix, sizeof(prefix), "c%u-", place);
    struct container *container = delegation_containers(bench->delegation);
    while (container && !after_prefix(container->name, prefix))
        container = container->next;
    return container;
}

static void register_at(struct bench *bench, uint32_t place)
{
    static int pid = 1000;
    char name[32];
    snprintf(name, sizeof(name), "c%u-%d", place, ++pid);
    bench_register(bench, name, pid);
}

static void meddle_with_container(struct bench *bench, uint32_t place)
{
    static const int errors[] = {0, 0, 0, EPIPE, EPERM};
    struct container *container = container_at(bench, place);
    uint32_t what = chance(16);
    if (!container)
        register_at(bench, place);
    else if (what == 0)
        (void)delegation_unregister(bench->delegation, container->name, NULL, NULL);
    else if (what == 1)
        recording_door_kill(&bench->door, container->pid, true);
    else if (recording_door_pending(&bench->door, container->name) && what == 2)
        recording_door_hang(&bench->door, container->name);
    else if (recording_door_pending(&bench->door, container->name))
        recording_door_complete(&bench->door, container->name, errors[chance(ARRAY_SIZE(errors))]);
}

static void meddle_with_door(struct bench *bench)
{
    static const char *const refused[] = {NULL,          NULL,       "access-deny",
                                          "node-revoke", "node-cha", "link"};
    bench->door.pend = chance(2);
    bench->door.stall = chance(6) == 0;
    bench->door.refused = refused[chance(ARRAY_SIZE(refused))];
    bench->door.fail_after = chance(8);
    bench->door.fail_error = chance(3) ? 0 : ENOMEM;
    (void)recording_door_fire(&bench->door);
}

static void do_something(struct bench *bench)
{
    uint32_t device = chance(DEVICES);
    switch (chance(12)) {
    case 0:
    case 1:
        plug(bench, device, chance(4) > 0);
        break;
    case 2:
    case 3:
        unplug(bench, device, chance(4) > 0);
        break;
    case 4:
        move(bench, device);
        break;
    case 5:
        say(bench, device);
        break;
    case 6:
        bench_rules(bench, rule_sets[chance(ARRAY_SIZE(rule_sets))]);
        break;
    case 7:
        (void)world_scan(delegation_world(bench->delegation));
        break;
    case 8:
        meddle_with_door(bench);
        break;
    default:
        meddle_with_container(bench, chance(CONTAINERS));
        break;
    }
}

/* Nothing fails or waits any more. */
static void calm_down(struct bench *bench)
{
    bench->door.pend = bench->door.stall = false;
    bench->door.refused = NULL;
    bench->door.fail_error = 0;
    recording_door_complete_all(&bench->door);
    for (int i = 0; recording_door_fire(&bench->door); i++)
        assert_true(i < 100);
    for (int i = 0; i < CONTAINERS; i++) { /* devices that were passed over: each has a new inode */
        for (uint32_t device = 0; device < DEVICES; device++) {
            char devpath[64];
            if (home_of(bench, device, devpath))
                bench_event(bench, "add", devpath, NULL);
        }
        (void)world_scan(delegation_world(bench->delegation));
    }
    bench_rules(bench, rule_sets[1]);
    assert_int_equal(recording_door_timers(&bench->door), 0);
}

static void check_container(struct bench *bench, struct container *container)
{
    struct delegation *delegation = bench->delegation;
    size_t count = 0;
    assert_true(container_settled(container) && !container->stalled && !container->leaving);
    for (struct delivery *d = container->deliveries; d; d = d->next, count++) {
        _cleanup_grant_ struct grant *grant = NULL;
        struct device *device = world_find(delegation_world(delegation), d->grant->devpath);
        assert_non_null(device);
        assert_int_equal(d->state, DELIVERY_DELIVERED);
        assert_false(d->cut);
        assert_int_equal(
            delegation_desired(delegation, container, device, NULL, NULL, &grant, NULL), 1);
        assert_true(grant_equal(grant, d->grant));
    }
    assert_int_equal(count, world_count(delegation_world(delegation)));
    assert_int_equal(count, bench->fake.count);
}

/* How a line of the log changes what a container knows of a device. */
static int change_by(const char *line, const char *container, const char *devpath)
{
    char add[128], remove[128];
    snprintf(add, sizeof(add), "%s event add %s", container, devpath);
    snprintf(remove, sizeof(remove), "%s event remove %s", container, devpath);
    const char *added = after_prefix(line, add), *removed = after_prefix(line, remove);
    if (removed && *removed != '/') /* one that failed is as good as told: there is no second */
        return -1;
    return added && *added == '\n' ? 1 : 0;
}

/* Each container heard one `add` of a path before its `remove`, and one `remove` before the next.
 */
static void check_told(const struct bench *bench, const char *devpath)
{
    for (const struct container *c = delegation_containers(bench->delegation); c; c = c->next) {
        int known = 0;
        for (const char *line = bench->door.log; *line; line = strchr(line, '\n') + 1) {
            known += change_by(line, c->name, devpath);
            if (known < 0 || known > 1)
                fail_msg("%s knows of %s %d times: %.100s", c->name, devpath, known, line);
        }
        assert_int_equal(known, container_find_delivery(c, devpath) != NULL);
    }
}

static void whatever_happens_it_converges(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= SEEDS / test_divisor(); seed++) {
        void *fresh;
        bench_setup(&fresh);
        struct bench *bench = fresh;
        state_of_chance = seed * 7919;
        for (int round = 0; round < ROUNDS; round++)
            do_something(bench);
        calm_down(bench);
        for (struct container *c = delegation_containers(bench->delegation); c; c = c->next)
            check_container(bench, c);
        check_told(bench, "/devices/a/tty0");
        check_told(bench, "/devices/a/tty0/tty1");
        check_told(bench, "/devices/a/tty2");
        bench_rules(bench, "");
        bench_expect_nothing(bench);
        bench_teardown(&fresh);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_happens_it_converges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
