/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "world_scene.h"

/* What udev adds: when it is believed, and of which incarnation. And devices that udev never hears
 * of, as they have no subsystem. */

static const char *id_of(struct world_scene *scene, const char *devpath)
{
    const struct device *device = world_find(scene->world, devpath);
    assert_non_null(device);
    if (!device->initialised)
        return "?";
    const char *id = property_get(&device->udev.properties, "ID_TEST");
    return id ? id : "";
}

/* So much time has passed that udevd must have heard of the device. */
static void grow_old(struct world_scene *scene, const char *devpath)
{
    world_find(scene->world, devpath)->since_us = 1;
}

/* udevd reports that it is done with an event. Returns whether there is such a device. */
static bool report(struct world_scene *scene, const char *devpath, uint64_t seqnum, const char *id)
{
    struct udev_view view = {0};
    if (id)
        assert_int_equal(property_set(&view.properties, "ID_TEST", id), 0);
    assert_int_equal(name_list_add(&view.tags, "tagged"), 0);
    bool known = world_describe(scene->world, devpath, seqnum, &view);
    assert_int_equal(view.properties.count + view.tags.count, 0);
    return known;
}

static void plug_at(struct world_scene *scene, const char *seqnum)
{
    char extra[32];
    (void)snprintf(extra, sizeof(extra), "SEQNUM=%s", seqnum);
    struct fake_device *device = fake_plug(&scene->fake, DISK, "block", DISK_UEVENT);
    fake_set_note(device, "ID_TEST", "of the predecessor");
    assert_int_equal(world_scene_hear(scene, "add", DISK, extra), 0);
}

static void a_device_that_was_plugged_in_is_described_by_the_report_alone(void **state)
{
    struct world_scene *scene = *state;
    scene->fake.udevd = FAKE_UDEVD_SETTLED;
    plug_at(scene, "10");
    world_scene_expect(scene, "appeared " DISK " by add\n");
    assert_string_equal(id_of(scene, DISK), "?");
    assert_int_equal(world_scan(scene->world), 0);
    assert_string_equal(id_of(scene, DISK), "?");
    world_scene_expect(scene, "updated " DISK "\n");
    report(scene, DISK, 10, "a");
    assert_string_equal(id_of(scene, DISK), "a");
    world_scene_expect(scene, "described " DISK "\n");
}

static void a_report_that_says_nothing_new_says_that_its_event_is_done(void **state)
{
    struct world_scene *scene = *state;
    scene->fake.udevd = FAKE_UDEVD_SETTLED;
    plug_at(scene, "10");
    assert_false(world_is_described(scene->world, world_find(scene->world, DISK), 10));
    report(scene, DISK, 10, "a");
    report(scene, DISK, 11, "a");
    world_scene_expect(scene, "appeared " DISK " by add\ndescribed " DISK "\ndone " DISK "\n");
    assert_true(world_is_described(scene->world, world_find(scene->world, DISK), 11));
    assert_false(world_is_described(scene->world, world_find(scene->world, DISK), 12));
    report(scene, DISK, 12, "b");
    world_scene_expect(scene, "described " DISK "\n");
    report(scene, DISK, 13, NULL);
    world_scene_expect(scene, "described " DISK "\n");
    assert_string_equal(id_of(scene, DISK), "");
}

static void a_report_of_a_predecessor_or_of_nobody_is_dropped(void **state)
{
    struct world_scene *scene = *state;
    assert_false(report(scene, DISK, 5, "of nobody"));
    plug_at(scene, "10");
    world_scene_expect(scene, "appeared " DISK " by add\n");
    assert_true(report(scene, DISK, 9, "of the predecessor"));
    world_scene_expect(scene, "");
    assert_string_equal(id_of(scene, DISK), "?");
}

static void a_successor_knows_nothing_of_what_udev_said(void **state)
{
    struct world_scene *scene = *state;
    plug_at(scene, "10");
    report(scene, DISK, 10, "a");
    fake_unplug(&scene->fake, DISK);
    world_scene_hear(scene, "remove", DISK, "SEQNUM=11");
    plug_at(scene, "12");
    assert_string_equal(id_of(scene, DISK), "?");
    report(scene, DISK, 10, "a");
    assert_string_equal(id_of(scene, DISK), "?");
}

static void what_udev_said_outlives_a_change_a_move_and_a_scan(void **state)
{
    struct world_scene *scene = *state;
    plug_at(scene, "10");
    report(scene, DISK, 10, "a");
    world_scene_hear(scene, "change", DISK, "SEQNUM=11");
    assert_string_equal(id_of(scene, DISK), "a");
    assert_int_equal(world_scan(scene->world), 0);
    assert_string_equal(id_of(scene, DISK), "a");
    fake_move(&scene->fake, DISK, OTHER);
    world_scene_hear(scene, "move", OTHER, "SEQNUM=12|DEVPATH_OLD=" DISK);
    assert_string_equal(id_of(scene, OTHER), "a");
    report(scene, OTHER, 11, "of who had this path before");
    assert_string_equal(id_of(scene, OTHER), "a");
    report(scene, OTHER, 12, "moved");
    assert_string_equal(id_of(scene, OTHER), "moved");
}

static void the_first_scan_believes_notes_of_a_udevd_that_has_nothing_left_to_do(void **state)
{
    static const struct {
        enum fake_udevd udevd;
        const char *id;
    } cases[] = {
        {FAKE_UDEVD_NONE, "?"},
        {FAKE_UDEVD_BUSY, "?"},
        {FAKE_UDEVD_SETTLED, "noted"},
        {FAKE_UDEVD_BUSY, "noted"}, /* it is asked once */
    };
    struct world_scene *scene = *state;
    struct fake_device *device = fake_plug(&scene->fake, DISK, "block", DISK_UEVENT);
    fake_set_note(device, "ID_TEST", "noted");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        scene->fake.udevd = cases[i].udevd;
        assert_int_equal(world_scan(scene->world), 0);
        assert_string_equal(id_of(scene, DISK), cases[i].id);
    }
}

/* Its predecessor's `remove` and its own `add` were lost. */
static void a_successor_that_a_scan_found_waits_for_news_of_its_own(void **state)
{
    struct world_scene *scene = *state;
    scene->fake.udevd = FAKE_UDEVD_SETTLED;
    assert_int_equal(world_scan(scene->world), 0); /* the first, at start */
    plug_at(scene, "10");
    report(scene, DISK, 10, "of the predecessor");
    fake_set_note(fake_plug(&scene->fake, DISK, "block", DISK_UEVENT), "ID_TEST", "noted");
    scene->fake.seqnum = 12;
    assert_int_equal(world_scan(scene->world), 0);
    assert_int_equal(world_scan(scene->world), 0);
    assert_string_equal(id_of(scene, DISK), "?");
    report(scene, DISK, 11, "of the predecessor");
    assert_string_equal(id_of(scene, DISK), "?");
    assert_int_equal(world_describe_all(scene->world, false), 1);
    assert_string_equal(id_of(scene, DISK), "?");
    grow_old(scene, DISK);
    assert_int_equal(world_describe_all(scene->world, false), 0);
    assert_string_equal(id_of(scene, DISK), "noted");
}

/* The report of what happened before the move names a path that nobody has. */
static void what_was_said_under_an_old_path_is_in_the_notes(void **state)
{
    struct world_scene *scene = *state;
    scene->fake.udevd = FAKE_UDEVD_SETTLED;
    plug_at(scene, "10");
    fake_move(&scene->fake, DISK, OTHER);
    world_scene_hear(scene, "move", OTHER, "SEQNUM=11|DEVPATH_OLD=" DISK);
    assert_false(report(scene, DISK, 10, "a"));
    grow_old(scene, OTHER);
    assert_int_equal(world_describe_all(scene->world, false), 0);
    assert_string_equal(id_of(scene, OTHER), "of the predecessor");
}

static void notes_are_read_before_the_appearance_is_told(void **state)
{
    struct world_scene *scene = *state;
    fake_set_note(fake_plug(&scene->fake, DISK, "block", DISK_UEVENT), "ID_TEST", "noted");
    scene->fake.udevd = FAKE_UDEVD_SETTLED;
    assert_int_equal(world_scan(scene->world), 0);
    world_scene_expect(scene, "appeared " DISK "\n");
}

static void where_reports_were_lost_all_notes_are_read_anew(void **state)
{
    struct world_scene *scene = *state;
    plug_at(scene, "10");
    fake_set_note(fake_plug(&scene->fake, OTHER, "block", OTHER_UEVENT), "ID_TEST", "noted");
    world_scene_hear(scene, "add", OTHER, "SEQNUM=11");
    report(scene, OTHER, 11, "told");
    world_scene_expect(scene, "appeared " DISK " by add\nappeared " OTHER " by add\n"
                              "described " OTHER "\n");
    assert_int_equal(world_describe_all(scene->world, true), 0); /* no udevd any more */
    scene->fake.udevd = FAKE_UDEVD_BUSY;
    assert_int_equal(world_describe_all(scene->world, true), 1);
    scene->fake.udevd = FAKE_UDEVD_SETTLED;
    assert_int_equal(world_describe_all(scene->world, true), 1); /* both have just come */
    world_scene_expect(scene, "");
    grow_old(scene, DISK);
    grow_old(scene, OTHER);
    assert_int_equal(world_describe_all(scene->world, false), 0);
    world_scene_expect(scene, "described " DISK "\n");
    assert_string_equal(id_of(scene, OTHER), "told");
    assert_int_equal(world_describe_all(scene->world, true), 0);
    world_scene_expect(scene, "done " DISK "\ndescribed " OTHER "\n");
    assert_string_equal(id_of(scene, OTHER), "noted");
}

#define BUS "/devices/platform"
#define CHILD BUS "/serial/tty/ttyS0"

static void a_parent_without_subsystem_is_met_with_its_first_child(void **state)
{
    struct world_scene *scene = *state;
    struct fake_device *bus = fake_plug(&scene->fake, BUS, NULL, "");
    fake_set_attribute(bus, "model", "one");
    fake_plug(&scene->fake, CHILD, "tty", "");
    world_scene_hear(scene, "add", CHILD, NULL);
    world_scene_expect(scene, "appeared " BUS "\nappeared " CHILD " by add\n");

    struct device *parent = device_parent(world_find(scene->world, CHILD));
    assert_non_null(parent);
    assert_string_equal(device_attribute(parent, "model"), "one");
    assert_true(parent->initialised); /* or TAGS would wait for its word for ever */
    world_scene_hear(scene, "change", CHILD, NULL);
    world_scene_expect(scene, "updated " CHILD " by change\n");
}

static void a_parent_without_subsystem_that_was_replaced_is_noticed_by_the_next_child(void **state)
{
    struct world_scene *scene = *state;
    fake_plug(&scene->fake, BUS, NULL, "");
    fake_plug(&scene->fake, CHILD, "tty", "");
    world_scene_hear(scene, "add", CHILD, NULL);
    fake_unplug(&scene->fake, BUS);
    world_scene_hear(scene, "remove", CHILD, NULL);
    fake_set_attribute(fake_plug(&scene->fake, BUS, NULL, ""), "model", "two");
    fake_plug(&scene->fake, CHILD, "tty", "");
    world_scene_hear(scene, "add", CHILD, NULL);
    world_scene_expect(scene, "appeared " BUS "\nappeared " CHILD " by add\n"
                              "vanished " CHILD " by remove\n"
                              "vanished " BUS "\nappeared " BUS "\nappeared " CHILD " by add\n");
    assert_string_equal(device_attribute(world_find(scene->world, BUS), "model"), "two");
}

static void a_parent_with_a_subsystem_comes_by_its_own_event(void **state)
{
    struct world_scene *scene = *state;
    fake_plug(&scene->fake, BUS, "platform", "");
    fake_plug(&scene->fake, CHILD, "tty", "");
    world_scene_hear(scene, "add", CHILD, NULL);
    world_scene_expect(scene, "appeared " CHILD " by add\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_device_that_was_plugged_in_is_described_by_the_report_alone),
        WORLD_TEST(a_report_that_says_nothing_new_says_that_its_event_is_done),
        WORLD_TEST(a_report_of_a_predecessor_or_of_nobody_is_dropped),
        WORLD_TEST(a_successor_knows_nothing_of_what_udev_said),
        WORLD_TEST(what_udev_said_outlives_a_change_a_move_and_a_scan),
        WORLD_TEST(the_first_scan_believes_notes_of_a_udevd_that_has_nothing_left_to_do),
        WORLD_TEST(a_successor_that_a_scan_found_waits_for_news_of_its_own),
        WORLD_TEST(what_was_said_under_an_old_path_is_in_the_notes),
        WORLD_TEST(notes_are_read_before_the_appearance_is_told),
        WORLD_TEST(where_reports_were_lost_all_notes_are_read_anew),
        WORLD_TEST(a_parent_without_subsystem_is_met_with_its_first_child),
        WORLD_TEST(a_parent_without_subsystem_that_was_replaced_is_noticed_by_the_next_child),
        WORLD_TEST(a_parent_with_a_subsystem_comes_by_its_own_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
