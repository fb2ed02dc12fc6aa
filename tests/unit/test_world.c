/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "world_scene.h"

/* The world against a sysfs of tables: what it believes of events, and what of a scan. */

static void plug(struct world_scene *scene, const char *devpath, const char *uevent)
{
    fake_plug(&scene->fake, devpath, "block", uevent);
    assert_int_equal(world_scene_hear(scene, "add", devpath, NULL), 0);
}

static void a_device_appears_and_vanishes_with_its_events(void **state)
{
    struct world_scene *scene = *state;
    plug(scene, DISK, DISK_UEVENT);
    world_scene_expect(scene, "appeared " DISK " by add\n");
    assert_int_equal(world_scene_hear(scene, "change", DISK, NULL), 0);
    world_scene_expect(scene, "updated " DISK " by change\n");
    fake_unplug(&scene->fake, DISK);
    assert_int_equal(world_scene_hear(scene, "remove", DISK, NULL), 0);
    world_scene_expect(scene, "vanished " DISK " by remove\n");
    assert_int_equal(world_count(scene->world), 0);
    assert_int_equal(world_scene_hear(scene, "remove", DISK, NULL), 0);
    world_scene_expect(scene, "");
}

/* What an event says of a device that is known, and is still there. */
static void synthetic_events_are_doubted(void **state)
{
    static const struct {
        const char *action, *news;
        uint64_t ignored;
    } cases[] = {
        {"remove", "", 1},
        {"add", "updated " DISK "\n", 1},
        {"offline", "updated " DISK "\n", 1},
        {"move", "updated " DISK "\n", 1},
        {"change", "updated " DISK " by change\n", 0},
    };
    struct world_scene *scene = *state;
    uint64_t ignored = 0;
    plug(scene, DISK, DISK_UEVENT);
    world_scene_expect(scene, "appeared " DISK " by add\n");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(world_scene_hear(scene, cases[i].action, DISK, "SYNTH_UUID=0"), 0);
        world_scene_expect(scene, cases[i].news);
        ignored += cases[i].ignored;
        assert_int_equal(world_counters(scene->world)->hints_ignored, ignored);
    }
}

static void a_synthetic_remove_is_believed_where_sysfs_agrees(void **state)
{
    struct world_scene *scene = *state;
    plug(scene, DISK, DISK_UEVENT);
    fake_unplug(&scene->fake, DISK);
    world_scene_expect(scene, "appeared " DISK " by add\n");
    assert_int_equal(world_scene_hear(scene, "remove", DISK, "SYNTH_UUID=0"), 0);
    world_scene_expect(scene, "vanished " DISK "\n");
    assert_int_equal(world_scene_hear(scene, "remove", DISK, "SYNTH_UUID=0"), 0);
    world_scene_expect(scene, "");
}

static void a_synthetic_event_finds_what_was_missed_but_is_no_add(void **state)
{
    struct world_scene *scene = *state;
    fake_plug(&scene->fake, DISK, "block", DISK_UEVENT);
    assert_int_equal(world_scene_hear(scene, "add", DISK, "SYNTH_UUID=0"), 0);
    world_scene_expect(scene, "appeared " DISK "\n");
}

static void an_event_of_a_device_whose_add_was_lost_is_an_appearance_and_then_news(void **state)
{
    struct world_scene *scene = *state;
    fake_plug(&scene->fake, DISK, "block", DISK_UEVENT);
    assert_int_equal(world_scene_hear(scene, "bind", DISK, NULL), 0);
    world_scene_expect(scene, "appeared " DISK "\nupdated " DISK " by bind\n");
}

static void an_event_of_what_is_gone_already_is_nothing(void **state)
{
    struct world_scene *scene = *state;
    assert_int_equal(world_scene_hear(scene, "add", DISK, NULL), 0);
    assert_int_equal(world_scene_hear(scene, "change", DISK, NULL), 0);
    world_scene_expect(scene, "");
}

/* As most do that are read while a device goes: its directory is away before its `remove` is read.
 */
static void what_is_said_of_a_known_device_that_is_gone_is_told_until_its_remove(void **state)
{
    struct world_scene *scene = *state;
    plug(scene, DISK, DISK_UEVENT);
    fake_unplug(&scene->fake, DISK);
    world_scene_expect(scene, "appeared " DISK " by add\n");
    assert_int_equal(world_scene_hear(scene, "unbind", DISK, NULL), 0);
    world_scene_expect(scene, "updated " DISK " by unbind\n");
    assert_int_equal(world_scene_hear(scene, "change", DISK, "SYNTH_UUID=0"), 0);
    assert_int_equal(world_scene_hear(scene, "add", DISK, NULL), 0);
    world_scene_expect(scene, "");
    assert_int_equal(world_scene_hear(scene, "remove", DISK, NULL), 0);
    world_scene_expect(scene, "vanished " DISK " by remove\n");
}

/* Its links go before its directory. */
static void a_device_that_lost_its_subsystem_is_about_to_go(void **state)
{
    struct world_scene *scene = *state;
    struct uevent event;
    plug(scene, DISK, DISK_UEVENT);
    world_scene_expect(scene, "appeared " DISK " by add\n");
    fake_event(&scene->fake, "change", DISK, NULL, &event);
    fake_set_text(&fake_find(&scene->fake, DISK)->subsystem, "");
    assert_int_equal(world_apply(scene->world, &event), 0);
    world_scene_expect(scene, "updated " DISK " by change\n");
    assert_string_equal(world_find(scene->world, DISK)->subsystem, "block");
}

static void another_inode_is_another_device(void **state)
{
    struct world_scene *scene = *state;
    plug(scene, DISK, DISK_UEVENT);
    plug(scene, DISK, DISK_UEVENT);
    world_scene_expect(scene,
                       "appeared " DISK " by add\nvanished " DISK "\nappeared " DISK " by add\n");
    fake_plug(&scene->fake, DISK, "block", DISK_UEVENT);
    assert_int_equal(world_scene_hear(scene, "change", DISK, NULL), 0);
    world_scene_expect(scene, "vanished " DISK "\nappeared " DISK
                              "\n"); /* its change is part of its add */
}

static void a_number_has_one_owner(void **state)
{
    struct world_scene *scene = *state;
    plug(scene, DISK, DISK_UEVENT);
    plug(scene, OTHER, DISK_UEVENT);
    world_scene_expect(scene,
                       "appeared " DISK " by add\nvanished " DISK "\nappeared " OTHER " by add\n");
    plug(scene, "/devices/x", "");
    plug(scene, "/devices/y", ""); /* no number is nobody's */
    world_scene_expect(scene, "appeared /devices/x by add\nappeared /devices/y by add\n");
}

static void a_real_remove_ends_what_was_known_whatever_sysfs_shows(void **state)
{
    struct world_scene *scene = *state;
    plug(scene, DISK, DISK_UEVENT);
    world_scene_expect(scene, "appeared " DISK " by add\n");
    assert_int_equal(world_scene_hear(scene, "remove", DISK, NULL),
                     0); /* the directory is still there */
    world_scene_expect(scene, "vanished " DISK " by remove\n");
}

static void a_directory_that_is_about_to_go_is_passed_over(void **state)
{
    struct world_scene *scene = *state;
    plug(scene, DISK, DISK_UEVENT);
    world_scene_hear(scene, "remove", DISK, NULL);
    world_scene_expect(scene, "appeared " DISK " by add\nvanished " DISK " by remove\n");
    assert_int_equal(world_scene_hear(scene, "change", DISK, NULL), 1); /* look again in a while */
    assert_int_equal(world_scene_hear(scene, "add", DISK, "SYNTH_UUID=0"), 1);
    assert_int_equal(world_scan(scene->world), 1);
    world_scene_expect(scene, "");

    fake_plug(&scene->fake, DISK, "block", DISK_UEVENT); /* its successor is not it */
    assert_int_equal(world_scan(scene->world), 0);
    world_scene_expect(scene, "appeared " DISK "\n");
}

static void what_ended_unknown_is_passed_over_until_a_real_add(void **state)
{
    struct world_scene *scene = *state;
    fake_plug(&scene->fake, DISK, "block", DISK_UEVENT);
    world_scene_hear(scene, "remove", DISK, NULL);
    assert_int_equal(world_scan(scene->world), 1);
    world_scene_expect(scene, "");
    assert_int_equal(world_scene_hear(scene, "add", DISK, NULL), 0);
    world_scene_expect(scene, "appeared " DISK " by add\n");
    assert_int_equal(world_scan(scene->world), 0);
}

static void a_device_moves_with_all_that_is_below_it(void **state)
{
    struct world_scene *scene = *state;
    static const char *const paths[] = {"/devices/eth0", "/devices/eth0.5",
                                        "/devices/eth0/queues/rx-0", "/devices/eth00"};
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        plug(scene, paths[i], "");
    free(scene->news);
    scene->news = strdup("");
    fake_move(&scene->fake, "/devices/eth0", "/devices/lan");
    world_scene_hear(scene, "move", "/devices/lan", "DEVPATH_OLD=/devices/eth0");
    world_scene_expect(scene, "moved /devices/lan from /devices/eth0 by move\n"
                              "moved /devices/lan/queues/rx-0 from /devices/eth0/queues/rx-0\n");
    assert_int_equal(world_count(scene->world), ARRAY_SIZE(paths));
    assert_int_equal(world_scan(scene->world), 0);
}

/* Moves that are not what the event says. */
static void a_move_ends_in_what_sysfs_shows(void **state)
{
    struct world_scene *scene = *state;
    plug(scene, DISK, DISK_UEVENT);
    fake_unplug(&scene->fake, DISK);
    world_scene_expect(scene, "appeared " DISK " by add\n");
    world_scene_hear(scene, "move", OTHER, "DEVPATH_OLD=" DISK); /* gone meanwhile */
    world_scene_expect(scene, "vanished " DISK "\n");

    fake_plug(&scene->fake, OTHER, "block", OTHER_UEVENT);
    world_scene_hear(scene, "move", OTHER, "DEVPATH_OLD=" DISK); /* from where nobody knew it */
    world_scene_expect(scene, "appeared " OTHER "\nupdated " OTHER " by move\n");
    world_scene_hear(scene, "move", OTHER, "DEVPATH_OLD=" OTHER);
    world_scene_expect(scene, "updated " OTHER " by move\n");
    world_scene_hear(scene, "move", OTHER "/x", "DEVPATH_OLD=" OTHER); /* below itself: cannot be */
    world_scene_expect(scene, "");
}

static void a_move_to_a_path_that_was_known_replaces(void **state)
{
    struct world_scene *scene = *state;
    plug(scene, DISK, DISK_UEVENT);
    plug(scene, OTHER, OTHER_UEVENT);
    fake_unplug(&scene->fake, OTHER);
    fake_move(&scene->fake, DISK, OTHER);
    world_scene_expect(scene, "appeared " DISK " by add\nappeared " OTHER " by add\n");
    world_scene_hear(scene, "move", OTHER, "DEVPATH_OLD=" DISK); /* the remove was lost */
    world_scene_expect(scene, "vanished " OTHER "\nmoved " OTHER " from " DISK " by move\n");
    assert_int_equal(world_count(scene->world), 1);
}

static void a_scan_finds_what_came_what_went_and_what_was_replaced(void **state)
{
    struct world_scene *scene = *state;
    plug(scene, "/devices/gone", "");
    plug(scene, "/devices/gone/child", "");
    plug(scene, "/devices/replaced", "");
    plug(scene, "/devices/stays", "");
    free(scene->news);
    scene->news = strdup("");
    fake_unplug(&scene->fake, "/devices/gone");
    fake_plug(&scene->fake, "/devices/replaced", "block", "");
    fake_plug(&scene->fake, "/devices/new/child", "block", "");
    fake_plug(&scene->fake, "/devices/new", "block", "");
    assert_int_equal(world_scan(scene->world), 0);
    world_scene_expect(scene, "vanished /devices/replaced\n"
                              "vanished /devices/gone/child\n"
                              "vanished /devices/gone\n"
                              "appeared /devices/new\n"
                              "appeared /devices/new/child\n"
                              "appeared /devices/replaced\n"
                              "updated /devices/stays\n");
    assert_int_equal(world_counters(scene->world)->scans, 1);
}

static void a_scan_that_cannot_look_takes_nothing_away(void **state)
{
    struct world_scene *scene = *state;
    plug(scene, DISK, DISK_UEVENT);
    plug(scene, OTHER, OTHER_UEVENT);
    free(scene->news);
    scene->news = strdup("");

    scene->fake.enumerate_error = -EIO;
    assert_int_equal(world_scan(scene->world), -EIO);
    scene->fake.enumerate_error = 0;
    fake_find(&scene->fake, DISK)->read_error = -ENOMEM;
    fake_find(&scene->fake, OTHER)->hidden = true; /* it is there, the list left it out */
    assert_int_equal(world_scan(scene->world), 1);
    world_scene_expect(scene, "");
    assert_int_equal(world_count(scene->world), 2);
    assert_int_equal(world_scene_hear(scene, "change", DISK, NULL), -ENOMEM);
    assert_int_equal(world_scene_hear(scene, "remove", DISK, "SYNTH_UUID=0"), -ENOMEM);
    world_scene_expect(scene, "");
}

static void a_successor_that_can_be_read_once_only_is_another_device(void **state)
{
    struct world_scene *scene = *state;
    plug(scene, DISK, DISK_UEVENT);
    struct fake_device *successor = fake_plug(&scene->fake, DISK, "block", DISK_UEVENT);
    successor->read_error = -ENOMEM;
    successor->good_reads = 1;
    assert_int_equal(world_scan(scene->world), 1);
    world_scene_expect(scene, "appeared " DISK " by add\nvanished " DISK "\nappeared " DISK "\n");
    assert_int_equal(world_find(scene->world, DISK)->inode, successor->inode);
}

static void a_drain_obeys_real_removals_only(void **state)
{
    struct world_scene *scene = *state;
    struct uevent event;
    plug(scene, DISK, DISK_UEVENT);
    plug(scene, OTHER, OTHER_UEVENT);
    free(scene->news);
    scene->news = strdup("");
    fake_event(&scene->fake, "remove", OTHER, "SYNTH_UUID=0", &event);
    world_apply_drained(scene->world, &event);
    fake_event(&scene->fake, "change", OTHER, NULL, &event);
    world_apply_drained(scene->world, &event);
    world_scene_expect(scene, "");
    fake_event(&scene->fake, "remove", DISK, NULL, &event);
    world_apply_drained(scene->world, &event);
    world_scene_expect(scene, "vanished " DISK " by remove\n");
    assert_int_equal(world_scan(scene->world), 1); /* about to go */
    world_scene_expect(scene, "updated " OTHER "\n");
    fake_event(&scene->fake, "add", DISK, NULL, &event);
    world_apply_drained(scene->world, &event);
    assert_int_equal(world_scan(scene->world), 0);
    world_scene_expect(scene, "appeared " DISK "\nupdated " OTHER "\n");
}

static void attributes_and_parents_are_asked_of_the_source(void **state)
{
    struct world_scene *scene = *state;
    plug(scene, "/devices/a", "");
    plug(scene, "/devices/a/between/b", ""); /* "between" is no device */
    fake_set_attribute(fake_find(&scene->fake, "/devices/a"), "serial", "7");
    struct device *parent = device_parent(world_find(scene->world, "/devices/a/between/b"));
    assert_ptr_equal(parent, world_find(scene->world, "/devices/a"));
    assert_string_equal(device_attribute(parent, "serial"), "7");
    assert_null(device_attribute(parent, "model"));
    assert_null(device_parent(parent));

    fake_set_attribute(fake_find(&scene->fake, "/devices/a"), "serial", "8");
    world_scene_hear(scene, "change", "/devices/a", NULL);
    assert_string_equal(device_attribute(world_find(scene->world, "/devices/a"), "serial"), "8");
}

static void collect(void *userdata, struct device *device)
{
    strcat(userdata, device->sysname);
    strcat(userdata, " ");
}

static void all_are_listed_parents_first_and_those_below_one_alone(void **state)
{
    struct world_scene *scene = *state;
    char all[64] = "", below[64] = "", nothing[64] = "";
    static const char *const paths[] = {"/devices/a/y/z", "/devices/a", "/devices/a-1",
                                        "/devices/a0", "/devices/a/y"};
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        plug(scene, paths[i], "");
    world_each(scene->world, collect, all);
    world_each_below(scene->world, "/devices/a", collect, below);
    world_each_below(scene->world, "/devices/b", collect, nothing);
    assert_string_equal(all, "a a-1 y z a0 ");
    assert_string_equal(below, "y z ");
    assert_string_equal(nothing, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_device_appears_and_vanishes_with_its_events),
        WORLD_TEST(synthetic_events_are_doubted),
        WORLD_TEST(a_synthetic_remove_is_believed_where_sysfs_agrees),
        WORLD_TEST(a_synthetic_event_finds_what_was_missed_but_is_no_add),
        WORLD_TEST(an_event_of_a_device_whose_add_was_lost_is_an_appearance_and_then_news),
        WORLD_TEST(an_event_of_what_is_gone_already_is_nothing),
        WORLD_TEST(what_is_said_of_a_known_device_that_is_gone_is_told_until_its_remove),
        WORLD_TEST(a_device_that_lost_its_subsystem_is_about_to_go),
        WORLD_TEST(another_inode_is_another_device),
        WORLD_TEST(a_number_has_one_owner),
        WORLD_TEST(a_real_remove_ends_what_was_known_whatever_sysfs_shows),
        WORLD_TEST(a_directory_that_is_about_to_go_is_passed_over),
        WORLD_TEST(what_ended_unknown_is_passed_over_until_a_real_add),
        WORLD_TEST(a_device_moves_with_all_that_is_below_it),
        WORLD_TEST(a_move_ends_in_what_sysfs_shows),
        WORLD_TEST(a_move_to_a_path_that_was_known_replaces),
        WORLD_TEST(a_scan_finds_what_came_what_went_and_what_was_replaced),
        WORLD_TEST(a_scan_that_cannot_look_takes_nothing_away),
        WORLD_TEST(a_successor_that_can_be_read_once_only_is_another_device),
        WORLD_TEST(a_drain_obeys_real_removals_only),
        WORLD_TEST(attributes_and_parents_are_asked_of_the_source),
        WORLD_TEST(all_are_listed_parents_first_and_those_below_one_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
