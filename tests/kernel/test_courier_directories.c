/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "courier_scene.h"

/* Directories that are there before anything is in them. */

#define THING "/dev/bus/usb/001/000"

static struct courier_reply ask(struct scene *scene, enum courier_verb verb, unsigned made_dirs)
{
    struct courier_request request = {.verb = verb, .made_dirs = made_dirs};
    snprintf(request.path, sizeof(request.path), "%s", THING);
    return scene_ask(scene->courier, &request, -1);
}

static void they_come_and_go(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, NULL);
    struct courier_reply reply = ask(&scene, COURIER_DIRECTORIES_MAKE, 0);
    assert_int_equal(reply.error, 0);
    assert_int_equal(reply.made_dirs, 3);
    assert_int_equal(scene_stat(&scene, "/dev/bus/usb/001"), 0);
    assert_int_equal(scene_stat(&scene, THING), -ENOENT);
    assert_int_equal(ask(&scene, COURIER_DIRECTORIES_MAKE, 0).made_dirs, 0);
    assert_int_equal(ask(&scene, COURIER_DIRECTORIES_REMOVE, 3).error, 0);
    assert_int_equal(scene_stat(&scene, "/dev/bus"), -ENOENT);
    assert_int_equal(ask(&scene, COURIER_DIRECTORIES_REMOVE, 3).error, 0);
    scene_close(&scene);
}

static int make_usb(void *argument)
{
    (void)argument;
    return mkdir("/dev/bus", 0755) < 0 || mkdir("/dev/bus/usb", 0755) < 0 ? -errno : 0;
}

static int make_other_bus(void *argument)
{
    (void)argument;
    return mkdir("/dev/bus/usb/002", 0755) < 0 ? -errno : 0;
}

static void those_of_the_container_stay(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, NULL);
    assert_int_equal(fixture_run(scene.fixture, make_usb, NULL), 0);
    assert_int_equal(ask(&scene, COURIER_DIRECTORIES_MAKE, 0).made_dirs, 1);
    assert_int_equal(ask(&scene, COURIER_DIRECTORIES_REMOVE, 1).error, 0);
    assert_int_equal(scene_stat(&scene, "/dev/bus/usb/001"), -ENOENT);
    assert_int_equal(scene_stat(&scene, "/dev/bus/usb"), 0);
    scene_close(&scene);
}

static void those_with_something_in_them_stay(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, NULL);
    assert_int_equal(ask(&scene, COURIER_DIRECTORIES_MAKE, 0).made_dirs, 3);
    assert_int_equal(fixture_run(scene.fixture, make_other_bus, NULL), 0);
    assert_int_equal(ask(&scene, COURIER_DIRECTORIES_REMOVE, 3).error, 0);
    assert_int_equal(scene_stat(&scene, "/dev/bus/usb/001"), -ENOENT);
    assert_int_equal(scene_stat(&scene, "/dev/bus/usb/002"), 0);
    scene_close(&scene);
}

static int link_away(void *argument)
{
    (void)argument;
    return symlink("/tmp", "/dev/bus") < 0 ? -errno : 0;
}

static void a_link_in_the_way_leads_nowhere(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, NULL);
    assert_int_equal(fixture_run(scene.fixture, link_away, NULL), 0);
    struct courier_reply reply = ask(&scene, COURIER_DIRECTORIES_MAKE, 0);
    assert_int_equal(reply.error, -ELOOP);
    assert_string_equal(reply.text, "/dev/bus inside is a symbolic link");
    assert_int_equal(ask(&scene, COURIER_DIRECTORIES_REMOVE, 3).error, 0);
    assert_int_equal(scene_stat(&scene, "/tmp/usb"), -ENOENT);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_come_and_go),
        cmocka_unit_test(those_of_the_container_stay),
        cmocka_unit_test(those_with_something_in_them_stay),
        cmocka_unit_test(a_link_in_the_way_leads_nowhere),
    };
    return cmocka_run_group_tests(tests, scene_start, scene_stop);
}
