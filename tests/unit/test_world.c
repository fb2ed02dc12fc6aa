/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "fake_world.h"

/* The world against a sysfs of tables: what it believes of events, and what of a scan. */

#define DISK "/devices/block/zram1"
#define DISK_UEVENT "MAJOR=253\nMINOR=1\nDEVNAME=zram1\n"
#define OTHER "/devices/block/zram2"
#define OTHER_UEVENT "MAJOR=253\nMINOR=2\nDEVNAME=zram2\n"

struct scene {
    struct fake_world fake;
    struct world *world;
    char *news; /* since the last look, a line each */
};

static void on_news(void *userdata, enum world_news news, struct device *device,
                    const char *old_devpath, const struct uevent *event)
{
    static const char *const names[] = {[DEVICE_APPEARED] = "appeared",
                                        [DEVICE_VANISHED] = "vanished",
                                        [DEVICE_UPDATED] = "updated",
                                        [DEVICE_MOVED] = "moved"};
    struct scene *scene = userdata;
    char *grown;
    /* whoever is told of a device finds it, unless it vanished */
    assert_true((news == DEVICE_VANISHED) != (world_find(scene->world, device->devpath) == device));
    assert_true(asprintf(&grown, "%s%s %s%s%s%s%s\n", scene->news, names[news], device->devpath,
                         old_devpath ? " from " : "", old_devpath ? old_devpath : "",
                         event ? " by " : "", event ? uevent_action_name(event->action) : "") > 0);
    free(scene->news);
    scene->news = grown;
}

static int setup(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    struct world_source source = fake_world_source(&scene->fake);
    struct world_listener listener = {.on_news = on_news, .userdata = scene};
    scene->world = world_new(&source, &listener);
    scene->news = strdup("");
    assert_non_null(scene->world);
    *state = scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;
    world_free(scene->world);
    fake_world_done(&scene->fake);
    free(scene->news);
    free(scene);
    return 0;
}

static void expect(struct scene *scene, const char *news)
{
    assert_string_equal(scene->news, news);
    free(scene->news);
    scene->news = strdup("");
}

static int hear(struct scene *scene, const char *action, const char *devpath, const char *extra)
{
    struct uevent event;
    fake_event(&scene->fake, action, devpath, extra, &event);
    return world_apply(scene->world, &event);
}

static void plug(struct scene *scene, const char *devpath, const char *uevent)
{
    fake_plug(&scene->fake, devpath, "block", uevent);
    assert_int_equal(hear(scene, "add", devpath, NULL), 0);
}

static void a_device_appears_and_vanishes_with_its_events(void **state)
{
    struct scene *scene = *state;
    plug(scene, DISK, DISK_UEVENT);
    expect(scene, "appeared " DISK " by add\n");
    assert_int_equal(hear(scene, "change", DISK, NULL), 0);
    expect(scene, "updated " DISK " by change\n");
    fake_unplug(&scene->fake, DISK);
    assert_int_equal(hear(scene, "remove", DISK, NULL), 0);
    expect(scene, "vanished " DISK " by remove\n");
    assert_int_equal(world_count(scene->world), 0);
    assert_int_equal(hear(scene, "remove", DISK, NULL), 0);
    expect(scene, "");
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
    struct scene *scene = *state;
    uint64_t ignored = 0;
    plug(scene, DISK, DISK_UEVENT);
    expect(scene, "appeared " DISK " by add\n");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(hear(scene, cases[i].action, DISK, "SYNTH_UUID=0"), 0);
        expect(scene, cases[i].news);
        ignored += cases[i].ignored;
        assert_int_equal(world_counters(scene->world)->hints_ignored, ignored);
    }
}

static void a_synthetic_remove_is_believed_where_sysfs_agrees(void **state)
{
    struct scene *scene = *state;
    plug(scene, DISK, DISK_UEVENT);
    fake_unplug(&scene->fake, DISK);
    expect(scene, "appeared " DISK " by add\n");
    assert_int_equal(hear(scene, "remove", DISK, "SYNTH_UUID=0"), 0);
    expect(scene, "vanished " DISK "\n");
    assert_int_equal(hear(scene, "remove", DISK, "SYNTH_UUID=0"), 0);
    expect(scene, "");
}

static void a_synthetic_event_finds_what_was_missed_but_is_no_add(void **state)
{
    struct scene *scene = *state;
    fake_plug(&scene->fake, DISK, "block", DISK_UEVENT);
    assert_int_equal(hear(scene, "add", DISK, "SYNTH_UUID=0"), 0);
    expect(scene, "appeared " DISK "\n");
}

static void an_event_of_a_device_whose_add_was_lost_is_an_appearance_and_then_news(void **state)
{
    struct scene *scene = *state;
    fake_plug(&scene->fake, DISK, "block", DISK_UEVENT);
    assert_int_equal(hear(scene, "bind", DISK, NULL), 0);
    expect(scene, "appeared " DISK "\nupdated " DISK " by bind\n");
}

static void an_event_of_what_is_gone_already_is_nothing(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(hear(scene, "add", DISK, NULL), 0);
    assert_int_equal(hear(scene, "change", DISK, NULL), 0);
    expect(scene, "");
}

static void another_inode_is_another_device(void **state)
{
    struct scene *scene = *state;
    plug(scene, DISK, DISK_UEVENT);
    plug(scene, DISK, DISK_UEVENT);
    expect(scene, "appeared " DISK " by add\nvanished " DISK "\nappeared " DISK " by add\n");
    fake_plug(&scene->fake, DISK, "block", DISK_UEVENT);
    assert_int_equal(hear(scene, "change", DISK, NULL), 0);
    expect(scene, "vanished " DISK "\nappeared " DISK "\n"); /* its change is part of its add */
}

static void a_number_has_one_owner(void **state)
{
    struct scene *scene = *state;
    plug(scene, DISK, DISK_UEVENT);
    plug(scene, OTHER, DISK_UEVENT);
    expect(scene, "appeared " DISK " by add\nvanished " DISK "\nappeared " OTHER " by add\n");
    plug(scene, "/devices/x", "");
    plug(scene, "/devices/y", ""); /* no number is nobody's */
    expect(scene, "appeared /devices/x by add\nappeared /devices/y by add\n");
}

static void a_real_remove_ends_what_was_known_whatever_sysfs_shows(void **state)
{
    struct scene *scene = *state;
    plug(scene, DISK, DISK_UEVENT);
    expect(scene, "appeared " DISK " by add\n");
    assert_int_equal(hear(scene, "remove", DISK, NULL), 0); /* the directory is still there */
    expect(scene, "vanished " DISK " by remove\n");
}

static void a_directory_that_is_about_to_go_is_passed_over(void **state)
{
    struct scene *scene = *state;
    plug(scene, DISK, DISK_UEVENT);
    hear(scene, "remove", DISK, NULL);
    expect(scene, "appeared " DISK " by add\nvanished " DISK " by remove\n");
    assert_int_equal(hear(scene, "change", DISK, NULL), 1); /* look again in a while */
    assert_int_equal(hear(scene, "add", DISK, "SYNTH_UUID=0"), 1);
    assert_int_equal(world_scan(scene->world), 1);
    expect(scene, "");

    fake_plug(&scene->fake, DISK, "block", DISK_UEVENT); /* its successor is not it */
    assert_int_equal(world_scan(scene->world), 0);
    expect(scene, "appeared " DISK "\n");
}

static void what_ended_unknown_is_passed_over_until_a_real_add(void **state)
{
    struct scene *scene = *state;
    fake_plug(&scene->fake, DISK, "block", DISK_UEVENT);
    hear(scene, "remove", DISK, NULL);
    assert_int_equal(world_scan(scene->world), 1);
    expect(scene, "");
    assert_int_equal(hear(scene, "add", DISK, NULL), 0);
    expect(scene, "appeared " DISK " by add\n");
    assert_int_equal(world_scan(scene->world), 0);
}

static void a_device_moves_with_all_that_is_below_it(void **state)
{
    struct scene *scene = *state;
    static const char *const paths[] = {"/devices/eth0", "/devices/eth0.5",
                                        "/devices/eth0/queues/rx-0", "/devices/eth00"};
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        plug(scene, paths[i], "");
    free(scene->news);
    scene->news = strdup("");
    fake_move(&scene->fake, "/devices/eth0", "/devices/lan");
    hear(scene, "move", "/devices/lan", "DEVPATH_OLD=/devices/eth0");
    expect(scene, "moved /devices/lan from /devices/eth0 by move\n"
                  "moved /devices/lan/queues/rx-0 from /devices/eth0/queues/rx-0\n");
    assert_int_equal(world_count(scene->world), ARRAY_SIZE(paths));
    assert_int_equal(world_scan(scene->world), 0);
}

/* Moves that are not what the event says. */
static void a_move_ends_in_what_sysfs_shows(void **state)
{
    struct scene *scene = *state;
    plug(scene, DISK, DISK_UEVENT);
    fake_unplug(&scene->fake, DISK);
    expect(scene, "appeared " DISK " by add\n");
    hear(scene, "move", OTHER, "DEVPATH_OLD=" DISK); /* gone meanwhile */
    expect(scene, "vanished " DISK "\n");

    fake_plug(&scene->fake, OTHER, "block", OTHER_UEVENT);
    hear(scene, "move", OTHER, "DEVPATH_OLD=" DISK); /* from where nobody knew it */
    expect(scene, "appeared " OTHER "\nupdated " OTHER " by move\n");
    hear(scene, "move", OTHER, "DEVPATH_OLD=" OTHER);
    expect(scene, "updated " OTHER " by move\n");
    hear(scene, "move", OTHER "/x", "DEVPATH_OLD=" OTHER); /* below itself: cannot be */
    expect(scene, "");
}

static void a_move_to_a_path_that_was_known_replaces(void **state)
{
    struct scene *scene = *state;
    plug(scene, DISK, DISK_UEVENT);
    plug(scene, OTHER, OTHER_UEVENT);
    fake_unplug(&scene->fake, OTHER);
    fake_move(&scene->fake, DISK, OTHER);
    expect(scene, "appeared " DISK " by add\nappeared " OTHER " by add\n");
    hear(scene, "move", OTHER, "DEVPATH_OLD=" DISK); /* the remove was lost */
    expect(scene, "vanished " OTHER "\nmoved " OTHER " from " DISK " by move\n");
    assert_int_equal(world_count(scene->world), 1);
}

static void a_scan_finds_what_came_what_went_and_what_was_replaced(void **state)
{
    struct scene *scene = *state;
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
    expect(scene, "vanished /devices/replaced\n"
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
    struct scene *scene = *state;
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
    expect(scene, "");
    assert_int_equal(world_count(scene->world), 2);
    assert_int_equal(hear(scene, "change", DISK, NULL), -ENOMEM);
    assert_int_equal(hear(scene, "remove", DISK, "SYNTH_UUID=0"), -ENOMEM);
    expect(scene, "");
}

static void a_successor_that_can_be_read_once_only_is_another_device(void **state)
{
    struct scene *scene = *state;
    plug(scene, DISK, DISK_UEVENT);
    struct fake_device *successor = fake_plug(&scene->fake, DISK, "block", DISK_UEVENT);
    successor->read_error = -ENOMEM;
    successor->good_reads = 1;
    assert_int_equal(world_scan(scene->world), 1);
    expect(scene, "appeared " DISK " by add\nvanished " DISK "\nappeared " DISK "\n");
    assert_int_equal(world_find(scene->world, DISK)->inode, successor->inode);
}

static void a_drain_obeys_real_removals_only(void **state)
{
    struct scene *scene = *state;
    struct uevent event;
    plug(scene, DISK, DISK_UEVENT);
    plug(scene, OTHER, OTHER_UEVENT);
    free(scene->news);
    scene->news = strdup("");
    fake_event(&scene->fake, "remove", OTHER, "SYNTH_UUID=0", &event);
    world_apply_drained(scene->world, &event);
    fake_event(&scene->fake, "change", OTHER, NULL, &event);
    world_apply_drained(scene->world, &event);
    expect(scene, "");
    fake_event(&scene->fake, "remove", DISK, NULL, &event);
    world_apply_drained(scene->world, &event);
    expect(scene, "vanished " DISK " by remove\n");
    assert_int_equal(world_scan(scene->world), 1); /* about to go */
    expect(scene, "updated " OTHER "\n");
    fake_event(&scene->fake, "add", DISK, NULL, &event);
    world_apply_drained(scene->world, &event);
    assert_int_equal(world_scan(scene->world), 0);
    expect(scene, "appeared " DISK "\nupdated " OTHER "\n");
}

static void attributes_and_parents_are_asked_of_the_source(void **state)
{
    struct scene *scene = *state;
    plug(scene, "/devices/a", "");
    plug(scene, "/devices/a/between/b", ""); /* "between" is no device */
    fake_set_attribute(fake_find(&scene->fake, "/devices/a"), "serial", "7");
    struct device *parent = device_parent(world_find(scene->world, "/devices/a/between/b"));
    assert_ptr_equal(parent, world_find(scene->world, "/devices/a"));
    assert_string_equal(device_attribute(parent, "serial"), "7");
    assert_null(device_attribute(parent, "model"));
    assert_null(device_parent(parent));

    fake_set_attribute(fake_find(&scene->fake, "/devices/a"), "serial", "8");
    hear(scene, "change", "/devices/a", NULL);
    assert_string_equal(device_attribute(world_find(scene->world, "/devices/a"), "serial"), "8");
}

static void collect(void *userdata, struct device *device)
{
    strcat(userdata, device->sysname);
    strcat(userdata, " ");
}

static void all_are_listed_parents_first_and_those_below_one_alone(void **state)
{
    struct scene *scene = *state;
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

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_device_appears_and_vanishes_with_its_events),
        WORLD_TEST(synthetic_events_are_doubted),
        WORLD_TEST(a_synthetic_remove_is_believed_where_sysfs_agrees),
        WORLD_TEST(a_synthetic_event_finds_what_was_missed_but_is_no_add),
        WORLD_TEST(an_event_of_a_device_whose_add_was_lost_is_an_appearance_and_then_news),
        WORLD_TEST(an_event_of_what_is_gone_already_is_nothing),
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
