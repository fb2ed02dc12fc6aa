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
 * Network interfaces: what leaves the host says `remove`, is not in sysfs, and is the same when it
 * comes home. "Out of sight" stands for the container's network namespace.
 */

#define NET "/devices/pci0/0000:00:02.0/net/eth0"
#define OUT_OF_SIGHT "/elsewhere/eth0"
#define NET_UEVENT "INTERFACE=eth0\nIFINDEX=3\n"
#define NET_RULE "SUBSYSTEM==\"net\", ATTR{address}==\"02:*\", CONTAINER+=\"c1\", NAME=\"lan0\"\n"

static void plug(struct bench *bench)
{
    struct fake_device *device = fake_plug(&bench->fake, NET, "net", NET_UEVENT);
    fake_set_attribute(device, "address", "02:00:00:00:00:01");
    assert_int_equal(bench_event(bench, "add", NET, NULL), 0);
}

/* What the kernel does after a move. */
static void leave(struct bench *bench)
{
    fake_move(&bench->fake, NET, OUT_OF_SIGHT);
    fake_find(&bench->fake, OUT_OF_SIGHT)->hidden = true;
    assert_int_equal(bench_event(bench, "remove", NET, NULL), 0);
}

static void come_home(struct bench *bench)
{
    fake_find(&bench->fake, OUT_OF_SIGHT)->hidden = false;
    fake_move(&bench->fake, OUT_OF_SIGHT, NET);
    assert_int_equal(bench_event(bench, "add", NET, NULL), 0);
}

static void give(struct bench *bench)
{
    bench_rules(bench, NET_RULE);
    bench_register(bench, "c1", 1);
    plug(bench);
    bench_expect(bench, "c1 interface-move lan0\n");
    leave(bench);
}

static size_t interfaces(const struct bench *bench)
{
    return recording_door_state(&bench->door).interfaces;
}

static void expect_refused(struct bench *bench, const char *container, const char *why)
{
    struct delivery *delivery = bench_delivery(bench, container, NET);
    assert_non_null(delivery);
    assert_int_equal(delivery->state, DELIVERY_REFUSED);
    assert_string_equal(delivery->why.text, why);
}

static void its_leaving_is_no_reason_to_take_it(void **state)
{
    struct bench *bench = *state;
    give(bench);
    bench_expect(bench, "");
    assert_int_equal(bench_delivery(bench, "c1", NET)->state, DELIVERY_DELIVERED);
    assert_int_equal(world_scan(delegation_world(bench->delegation)), 0);
    bench_rules(bench, NET_RULE "KERNEL==\"other\", CONTAINER+=\"c1\"\n");
    (void)bench_event(bench, "remove", NET, "SYNTH_UUID=0");
    bench_expect(bench, "");
    assert_int_equal(interfaces(bench), 1);
}

static void it_comes_home_when_the_container_dies(void **state)
{
    struct bench *bench = *state;
    give(bench);
    recording_door_kill(&bench->door, 1, true);
    bench_expect(bench, "c1 interface-return lan0\n");
    bench_expect_nothing(bench);
    come_home(bench);
    assert_non_null(world_find(delegation_world(bench->delegation), NET));

    bench_register(bench, "c1", 2);
    bench_expect(bench, "c1 interface-move lan0\n");
    leave(bench);
    assert_int_equal(interfaces(bench), 1);
}

static void it_comes_home_when_the_container_is_unregistered(void **state)
{
    struct bench *bench = *state;
    give(bench);
    assert_int_equal(delegation_unregister(bench->delegation, "c1", NULL, NULL), 0);
    bench_expect(bench, "c1 interface-return lan0\n");
    bench_expect_nothing(bench);
}

static void it_comes_home_when_the_rule_goes(void **state)
{
    struct bench *bench = *state;
    give(bench);
    bench_rules(bench, "");
    bench_expect(bench, "c1 interface-return lan0\n");
    bench_expect_nothing(bench);
    come_home(bench);
    bench_rules(bench, NET_RULE);
    bench_expect(bench, "c1 interface-move lan0\n");
}

static void another_name_is_a_way_home_and_back(void **state)
{
    struct bench *bench = *state;
    give(bench);
    bench_rules(bench, "SUBSYSTEM==\"net\", CONTAINER+=\"c1\", NAME=\"wan0\"\n");
    bench_expect(bench, "c1 interface-return lan0\nc1 interface-move wan0\n");
    /* The kernel's events of all that are read only now. */
    assert_int_equal(bench_event(bench, "add", NET, NULL), 0);
    assert_int_equal(bench_event(bench, "remove", NET, NULL), 0);
    bench_expect(bench, "");
    assert_int_equal(interfaces(bench), 1);
}

static void who_goes_and_comes_before_we_read_of_it_stays_known(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, NET_RULE);
    bench_register(bench, "c1", 1);
    plug(bench);
    bench_rules(bench, "");
    bench_expect(bench, "c1 interface-move lan0\nc1 interface-return lan0\n");
    assert_int_equal(bench_event(bench, "remove", NET, NULL), 0);
    assert_int_equal(bench_event(bench, "add", NET, NULL), 0);
    assert_non_null(world_find(delegation_world(bench->delegation), NET));

    bench_unplug(bench, NET); /* this one is meant */
    assert_null(world_find(delegation_world(bench->delegation), NET));
}

static void the_first_has_it_and_the_other_gets_it_afterwards(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, "SUBSYSTEM==\"net\", CONTAINER+=\"c*\"\n");
    bench_register(bench, "c1", 1);
    bench_register(bench, "c2", 2);
    plug(bench);
    bench_expect(bench, "c1 interface-move eth0\n");
    leave(bench);
    expect_refused(
        bench, "c2",
        "container c1 has it, and test.rules:1 gave it there: an interface is in one place only");
    recording_door_kill(&bench->door, 1, true);
    bench_expect(bench, "c1 interface-return eth0\nc2 interface-move eth0\n");
    assert_int_equal(interfaces(bench), 1);
}

static void the_hosts_own_network_is_no_place_to_move_it_to(void **state)
{
    struct bench *bench = *state;
    bench->door.netns = NETNS_HOST;
    bench_rules(bench, NET_RULE);
    bench_register(bench, "c1", 1);
    plug(bench);
    bench_expect(bench, "");
    expect_refused(bench, "c1", "container c1 has the host's network, where eth0 is already");
}

static void a_refusal_leaves_it_where_it_is(void **state)
{
    struct bench *bench = *state;
    bench->door.refused = "interface-move";
    bench_rules(bench, NET_RULE);
    bench_register(bench, "c1", 1);
    plug(bench);
    bench_expect(bench, "c1 interface-move lan0 FAILS\nc1 interface-return lan0\n");
    assert_int_equal(interfaces(bench), 0);
    bench_unplug(bench, NET);
    bench_expect_nothing(bench);
}

static void what_does_not_come_home_is_tried_again(void **state)
{
    struct bench *bench = *state;
    give(bench);
    bench->door.refused = "interface-return";
    bench_rules(bench, "");
    bench_expect(bench, "c1 interface-return lan0 FAILS\nc1 interface-return lan0 FAILS\n");
    bench->door.refused = NULL;
    assert_true(recording_door_fire(&bench->door) > 0);
    bench_expect(bench, "c1 interface-return lan0\n");
    bench_expect_nothing(bench);
}

struct ending {
    unsigned calls;
    enum container_end end;
};

static void on_end(void *userdata, enum container_end end)
{
    struct ending *ending = userdata;
    ending->calls++;
    ending->end = end;
}

static void who_unregisters_is_answered_though_it_does_not_come_home(void **state)
{
    struct bench *bench = *state;
    struct ending first = {.calls = 0}, second = {.calls = 0};
    give(bench);
    bench->door.refused = "interface-return";
    (void)delegation_unregister(bench->delegation, "c1", on_end, &first);
    assert_int_equal(first.calls, 0);
    const struct container *c1 = delegation_find(bench->delegation, "c1");
    assert_non_null(container_find_uncut(c1));
    assert_string_equal(c1->note.text, container_find_uncut(c1)->why.text);
    for (int i = 0; i < 4 && first.calls == 0; i++)
        assert_true(recording_door_fire(&bench->door) > 0);
    assert_int_equal(first.calls, 1);
    assert_int_equal(first.end, CONTAINER_HELD);
    assert_ptr_equal(delegation_find(bench->delegation, "c1"), c1);
    assert_true(c1->leaving);

    (void)delegation_unregister(bench->delegation, "c1", on_end, &second);
    bench->door.refused = NULL;
    for (int i = 0; i < 4 && second.calls == 0; i++)
        assert_true(recording_door_fire(&bench->door) > 0);
    assert_int_equal(second.calls, 1);
    assert_int_equal(second.end, CONTAINER_GONE);
    bench_expect_nothing(bench);
}

static void what_hindered_it_is_forgotten_when_it_is_home(void **state)
{
    struct bench *bench = *state;
    give(bench);
    const struct container *c1 = delegation_find(bench->delegation, "c1");
    bench->door.refused = "interface-return";
    bench_rules(bench, "");
    assert_non_null(container_find_uncut(c1));
    assert_true(c1->note.error);
    bench->door.refused = NULL;
    assert_true(recording_door_fire(&bench->door) > 0);
    assert_null(container_find_uncut(c1));
    assert_false(c1->note.error);
}

static void one_that_ends_inside_ends_for_all(void **state)
{
    struct bench *bench = *state;
    give(bench);
    fake_unplug(&bench->fake, OUT_OF_SIGHT);
    recording_door_lose(&bench->door, "c1");
    bench_expect(bench, "c1 interface-return lan0\n");
    bench_expect_nothing(bench);
    assert_null(bench_delivery(bench, "c1", NET));
    assert_null(world_find(delegation_world(bench->delegation), NET));
}

static void one_that_was_sent_home_from_inside_is_given_again(void **state)
{
    struct bench *bench = *state;
    give(bench);
    come_home(bench);
    bench_expect(bench, "");
    recording_door_lose(&bench->door, "c1");
    bench_expect(bench, "c1 interface-return lan0\nc1 interface-move lan0\n");
}

static void its_queues_are_no_devices_of_the_container(void **state)
{
    struct bench *bench = *state;
    bench_rules(bench, "KERNEL==\"0000:00:02.0\", CONTAINER+=\"c1\", OPTIONS+=\"subtree\"\n");
    bench_register(bench, "c1", 1);
    bench_plug(bench, "/devices/pci0/0000:00:02.0", "pci", "");
    bench_forget(bench);
    plug(bench);
    bench_expect(bench, "c1 interface-move eth0\n");
    bench_plug(bench, NET "/queues/rx-0", "queues", "");
    bench_expect(bench, "");
}

static void who_takes_its_name_meanwhile_has_to_wait(void **state)
{
    struct bench *bench = *state;
    give(bench);
    struct fake_device *other = fake_plug(&bench->fake, NET, "net", "INTERFACE=eth0\nIFINDEX=9\n");
    fake_set_attribute(other, "address", "02:00:00:00:00:02");
    assert_int_equal(bench_event(bench, "add", NET, NULL), 0);
    assert_int_equal(world_scan(delegation_world(bench->delegation)), 0);
    bench_expect(bench, "");
    bench_unplug(bench, NET);
    bench_expect(bench, "");
    assert_int_equal(bench_delivery(bench, "c1", NET)->state, DELIVERY_DELIVERED);
}

/* The kernel says `add` under the name that it had inside, then `move`. */
static void a_name_from_inside_is_not_mistaken_for_another_interface(void **state)
{
    static const char lan0[] = "/devices/pci0/0000:00:02.0/net/lan0";
    struct bench *bench = *state;
    bench_plug(bench, lan0, "net", "INTERFACE=lan0\nIFINDEX=4\n");
    give(bench);
    bench_forget(bench);
    bench_rules(bench, "");
    fake_move(&bench->fake, OUT_OF_SIGHT, NET);
    assert_int_equal(bench_event(bench, "add", lan0, NULL), 0);
    assert_int_equal(bench_event(bench, "move", NET,
                                 "DEVPATH_OLD=/devices/pci0/0000:00:02.0/net/"
                                 "lan0"),
                     0);
    assert_int_equal(world_find(delegation_world(bench->delegation), lan0)->ifindex, 4);
    assert_int_equal(world_find(delegation_world(bench->delegation), NET)->ifindex, 3);
}

static void one_that_comes_home_under_another_name_is_known_by_that(void **state)
{
    static const char dev0[] = "/devices/pci0/0000:00:02.0/net/dev0";
    struct bench *bench = *state;
    give(bench);
    bench_rules(bench, "");
    fake_move(&bench->fake, OUT_OF_SIGHT, dev0);
    assert_int_equal(bench_event(bench, "move", dev0,
                                 "DEVPATH_OLD=/devices/pci0/0000:00:02.0/net/"
                                 "lan0"),
                     0);
    assert_non_null(world_find(delegation_world(bench->delegation), dev0));
    assert_null(world_find(delegation_world(bench->delegation), NET));
}

static void nothing_is_told_of_it_by_us(void **state)
{
    struct bench *bench = *state;
    give(bench);
    assert_null(bench_delivery(bench, "c1", NET)->announcement);
    (void)bench_event(bench, "change", NET, NULL);
    bench_expect(bench, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(a_name_from_inside_is_not_mistaken_for_another_interface),
        BENCH_TEST(a_refusal_leaves_it_where_it_is),
        BENCH_TEST(another_name_is_a_way_home_and_back),
        BENCH_TEST(it_comes_home_when_the_container_dies),
        BENCH_TEST(it_comes_home_when_the_container_is_unregistered),
        BENCH_TEST(it_comes_home_when_the_rule_goes),
        BENCH_TEST(its_leaving_is_no_reason_to_take_it),
        BENCH_TEST(its_queues_are_no_devices_of_the_container),
        BENCH_TEST(nothing_is_told_of_it_by_us),
        BENCH_TEST(one_that_comes_home_under_another_name_is_known_by_that),
        BENCH_TEST(one_that_ends_inside_ends_for_all),
        BENCH_TEST(one_that_was_sent_home_from_inside_is_given_again),
        BENCH_TEST(the_first_has_it_and_the_other_gets_it_afterwards),
        BENCH_TEST(the_hosts_own_network_is_no_place_to_move_it_to),
        BENCH_TEST(what_does_not_come_home_is_tried_again),
        BENCH_TEST(who_goes_and_comes_before_we_read_of_it_stays_known),
        BENCH_TEST(what_hindered_it_is_forgotten_when_it_is_home),
        BENCH_TEST(who_takes_its_name_meanwhile_has_to_wait),
        BENCH_TEST(who_unregisters_is_answered_though_it_does_not_come_home),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
