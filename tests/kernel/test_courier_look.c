/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include "courier_scene.h"
#include "model/share.h"

/* What a courier sees at a path. That it opens nothing is a test of the whole:
 * tests/e2e/doctor.bats. */

#define NODE "/dev/ttyUSB0"

static struct sight look(struct scene *scene, const char *path)
{
    struct courier_request request = {.verb = COURIER_LOOK, .access = ACCESS_READ | ACCESS_WRITE};
    snprintf(request.path, sizeof(request.path), "%s", path);
    struct courier_reply reply = scene_ask(scene->courier, &request, -1);
    assert_string_equal(reply.text, "");
    assert_int_equal(reply.error, 0);
    return reply.sight;
}

struct mount_call {
    const char *path;
    unsigned long flags;
};

static int remount_inside(void *argument)
{
    const struct mount_call *call = argument;
    return mount(NULL, call->path, NULL, MS_REMOUNT | MS_BIND | call->flags, NULL) < 0 ? -errno : 0;
}

static void remount(const struct scene *scene, const char *path, unsigned long flags)
{
    struct mount_call call = {path, flags};
    assert_int_equal(fixture_run(scene->fixture, remount_inside, &call), 0);
}

static bool is_node_of(const struct sight *sight, const struct node *node)
{
    dev_t device;
    ino_t inode;
    node_identity(node, &device, &inode);
    return sight->device == device && sight->inode == inode && sight->number == makedev(1, 3) &&
           S_ISCHR(sight->mode);
}

static void see_a_node(const struct fixture_options *options)
{
    struct scene scene;
    scene_open(&scene, options);
    assert_int_equal(look(&scene, NODE).flags, SIGHT_DIRECTORY);
    assert_int_equal(look(&scene, "/dev/bus/usb/001").flags, 0);
    assert_int_equal(scene_attach(&scene, NODE).error, 0);
    struct sight sight = look(&scene, NODE);
    assert_int_equal(sight.flags, SIGHT_DIRECTORY | SIGHT_FOUND | SIGHT_MOUNT);
    assert_int_equal(sight.directory_access, 0);
    assert_int_equal(sight.access, 0);
    assert_true(is_node_of(&sight, scene.node));
    scene_close(&scene);
}

static void a_node_is_seen_as_it_is(void **state)
{
    (void)state;
    see_a_node(NULL);
    see_a_node(&(struct fixture_options){.host_user = true});
}

static void what_the_container_did_to_a_node_is_seen(void **state)
{
    (void)state;
    struct scene scene;
    struct refusal why = {0};
    scene_open(&scene, NULL);
    assert_int_equal(scene_attach(&scene, NODE).error, 0);

    remount(&scene, NODE, MS_NODEV);
    assert_true(look(&scene, NODE).flags & SIGHT_NODEV);
    remount(&scene, NODE, 0);
    assert_false(look(&scene, NODE).flags & SIGHT_NODEV);

    assert_int_equal(node_change(scene.node, 0, 0, 0600, &why), 0);
    assert_int_equal(look(&scene, NODE).access, -EACCES);

    assert_int_equal(fixture_write(scene.fixture, "/dev/file", ""), 0);
    assert_int_equal(fixture_bind(scene.fixture, "/dev/file", NODE), 0);
    struct sight sight = look(&scene, NODE);
    assert_true(sight.flags & SIGHT_MOUNT);
    assert_true(S_ISREG(sight.mode));
    assert_false(is_node_of(&sight, scene.node));
    scene_close(&scene);
}

static void a_link_is_not_followed(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, NULL);
    assert_int_equal(scene_attach(&scene, NODE).error, 0);
    assert_int_equal(fixture_symlink(scene.fixture, "ttyUSB0", "/dev/link"), 0);
    struct sight sight = look(&scene, "/dev/link");
    assert_true(S_ISLNK(sight.mode));
    assert_true(sight.flags & SIGHT_FOUND);

    assert_int_equal(fixture_symlink(scene.fixture, "/dev", "/dev/directory"), 0);
    struct courier_request request = {.verb = COURIER_LOOK, .path = "/dev/directory/ttyUSB0"};
    assert_int_equal(scene_ask(scene.courier, &request, -1).error, -ELOOP);
    scene_close(&scene);
}

static void a_dev_that_is_read_only_is_seen(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, NULL);
    assert_int_equal(look(&scene, "/dev/null").directory_access, 0);
    remount(&scene, "/dev", MS_RDONLY);
    assert_int_equal(look(&scene, "/dev/null").directory_access, -EROFS);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_is_seen_as_it_is),
        cmocka_unit_test(what_the_container_did_to_a_node_is_seen),
        cmocka_unit_test(a_link_is_not_followed),
        cmocka_unit_test(a_dev_that_is_read_only_is_seen),
    };
    return cmocka_run_group_tests(tests, scene_start, scene_stop);
}
