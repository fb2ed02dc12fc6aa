/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "courier_scene.h"

/* Nodes into a container and out again. */

/* The type that readdir gives for a name in a directory inside, or a negative errno. */
static int readdir_type(void *argument)
{
    const char *path = argument;
    const char *name = strrchr(path, '/') + 1;
    char parent[GRANT_PATH_MAX] = "";
    memcpy(parent, path, (size_t)(name - path));
    DIR *directory = opendir(parent);
    if (!directory)
        return -errno;
    const struct dirent *entry;
    int type = -ENOENT;
    while ((entry = readdir(directory)))
        if (streq(entry->d_name, name))
            type = entry->d_type;
    closedir(directory);
    return type;
}

static void give_and_take(const struct fixture_options *options)
{
    static char path[] = "/dev/bus/usb/001/004";
    struct scene scene;
    struct stat st;
    scene_open(&scene, options);
    struct courier_reply reply = scene_attach(&scene, path);
    assert_string_equal(reply.text, "");
    assert_int_equal(reply.error, 0);
    assert_true(reply.placeholder);
    assert_int_equal(reply.made_dirs, 3);
    assert_int_equal(scene_open_inside(&scene, path), 0);
    assert_int_equal(fixture_stat(scene.fixture, path, &st), 0);
    assert_int_equal(st.st_mode, S_IFCHR | 0660);
    assert_int_equal(st.st_uid, 0);
    assert_int_equal(st.st_gid, 20);
    assert_int_equal(st.st_rdev, makedev(1, 3));
    assert_int_equal(fixture_run(scene.fixture, readdir_type, path), DT_CHR);
    assert_int_equal(fixture_stat(scene.fixture, "/dev/bus/usb", &st), 0);
    assert_int_equal(st.st_mode, S_IFDIR | 0755);
    assert_int_equal(st.st_uid, 0);

    /* All can be done again. */
    struct courier_reply again = scene_attach(&scene, path);
    assert_int_equal(again.error, 0);
    for (unsigned i = 0; i < 2; i++) {
        struct courier_reply gone = scene_detach(&scene, path, &reply);
        assert_int_equal(gone.error, 0);
        assert_false(gone.shadowed);
        assert_int_equal(scene_stat(&scene, "/dev/bus"), -ENOENT);
    }
    scene_close(&scene);
}

static void a_node_is_given_and_taken_without_a_trace(void **state)
{
    (void)state;
    give_and_take(NULL);
}

static void a_container_without_user_namespace_is_served_too(void **state)
{
    (void)state;
    give_and_take(&(struct fixture_options){.host_user = true});
}

static void directories_that_others_use_stay(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, NULL);
    assert_int_equal(fixture_mkdir(scene.fixture, "/dev/bus"), 0);
    struct courier_reply reply = scene_attach(&scene, "/dev/bus/usb/001");
    assert_int_equal(reply.made_dirs, 1);
    assert_int_equal(scene_detach(&scene, "/dev/bus/usb/001", &reply).error, 0);
    assert_int_equal(scene_stat(&scene, "/dev/bus/usb"), -ENOENT);
    assert_int_equal(scene_stat(&scene, "/dev/bus"), 0);

    reply = scene_attach(&scene, "/dev/a/b/c");
    assert_int_equal(reply.made_dirs, 2);
    assert_int_equal(fixture_write(scene.fixture, "/dev/a/own", "text"), 0);
    assert_int_equal(scene_detach(&scene, "/dev/a/b/c", &reply).error, 0);
    assert_int_equal(scene_stat(&scene, "/dev/a/b"), -ENOENT);
    assert_int_equal(scene_stat(&scene, "/dev/a/own"), 0);
    scene_close(&scene);
}

static void bind_copies_die_with_the_inode(void **state)
{
    (void)state;
    struct scene scene;
    struct refusal why = {0};
    scene_open(&scene, NULL);
    struct courier_reply reply = scene_attach(&scene, "/dev/x");
    assert_int_equal(fixture_write(scene.fixture, "/tmp/copy", ""), 0);
    assert_int_equal(fixture_bind(scene.fixture, "/dev/x", "/tmp/copy"), 0);
    assert_int_equal(scene_open_inside(&scene, "/tmp/copy"), 0);
    assert_int_equal(scene_detach(&scene, "/dev/x", &reply).error, 0);
    assert_int_equal(scene_open_inside(&scene, "/tmp/copy"), 0);
    assert_int_equal(node_revoke(scene.node, &why), 0);
    assert_int_equal(scene_open_inside(&scene, "/tmp/copy"), -EACCES);
    scene_close(&scene);
}

static void what_the_container_mounts_over_a_node_is_said_and_stays(void **state)
{
    (void)state;
    struct scene scene;
    struct stat st;
    scene_open(&scene, NULL);
    struct courier_reply reply = scene_attach(&scene, "/dev/x");
    assert_int_equal(fixture_write(scene.fixture, "/tmp/over", "mine"), 0);
    assert_int_equal(fixture_bind(scene.fixture, "/tmp/over", "/dev/x"), 0);
    struct courier_reply gone = scene_detach(&scene, "/dev/x", &reply);
    assert_int_equal(gone.error, 0);
    assert_true(gone.shadowed);
    assert_int_equal(fixture_stat(scene.fixture, "/dev/x", &st), 0);
    assert_int_equal(st.st_size, 4);
    scene_close(&scene);
}

static void a_device_that_is_there_already_is_bound_over_and_left(void **state)
{
    (void)state;
    const struct devnum full_number = {NODE_CHARACTER, 1, 7};
    struct scene scene;
    struct stat st;
    scene_open(&scene, NULL);
    struct node *old = scene_make_node(&scene, &full_number);
    assert_int_equal(scene_attach_node(&scene, "/dev/x", old).error, 0);
    struct courier_reply reply = scene_attach(&scene, "/dev/x");
    assert_int_equal(reply.error, 0);
    assert_false(reply.placeholder);
    assert_int_equal(fixture_stat(scene.fixture, "/dev/x", &st), 0);
    assert_int_equal(st.st_rdev, makedev(1, 3));
    assert_int_equal(scene_detach(&scene, "/dev/x", &reply).error, 0);
    assert_int_equal(fixture_stat(scene.fixture, "/dev/x", &st), 0);
    assert_int_equal(st.st_rdev, makedev(1, 7));
    node_destroy(old);
    scene_close(&scene);
}

static void what_a_killed_daemon_left_is_taken_over(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, NULL);
    /* Dead below our new mount: revoked, but still attached. */
    struct node *dead = scene_make_node(&scene, &(struct devnum){NODE_CHARACTER, 1, 7});
    assert_int_equal(scene_attach_node(&scene, "/dev/x", dead).error, 0);
    node_destroy(dead);
    struct courier_reply reply = scene_attach(&scene, "/dev/x");
    assert_int_equal(reply.error, 0);
    assert_true(reply.placeholder);
    assert_int_equal(scene_open_inside(&scene, "/dev/x"), 0);

    /* Killed between unmounting and unlinking: the placeholder alone. */
    struct courier_request request = scene_node_request(COURIER_DETACH, "/dev/x", scene.node);
    assert_int_equal(scene_ask(scene.courier, &request, -1).error, 0);
    assert_int_equal(scene_stat(&scene, "/dev/x"), 0);
    reply = scene_attach(&scene, "/dev/x");
    assert_int_equal(reply.error, 0);
    assert_true(reply.placeholder);
    assert_int_equal(scene_detach(&scene, "/dev/x", &reply).error, 0);
    assert_int_equal(scene_stat(&scene, "/dev/x"), -ENOENT);
    scene_close(&scene);
}

static int mount_overlay(void *argument)
{
    (void)argument;
    if (mkdir("/tmp/lower", 0755) < 0 || mkdir("/tmp/upper", 0755) < 0 ||
        mkdir("/tmp/work", 0755) < 0)
        return -errno;
    return mount("overlay", "/dev", "overlay", 0,
                 "lowerdir=/tmp/lower,upperdir=/tmp/upper,workdir=/tmp/work") < 0
               ? -errno
               : 0;
}

static void on_overlayfs_a_regular_file_holds_the_place(void **state)
{
    (void)state;
    struct scene scene;
    struct stat st;
    scene_open(&scene, &(struct fixture_options){.host_user = true});
    int r = fixture_run(scene.fixture, mount_overlay, NULL);
    if (r == -ENODEV) {
        scene_close(&scene);
        print_message("skipped: no overlayfs in this kernel\n");
        skip();
    }
    assert_int_equal(r, 0);
    struct courier_reply reply = scene_attach(&scene, "/dev/bus/x");
    assert_string_equal(reply.text, "");
    assert_true(reply.placeholder);
    assert_int_equal(scene_open_inside(&scene, "/dev/bus/x"), 0);
    assert_int_equal(fixture_stat(scene.fixture, "/tmp/upper/bus/x", &st), 0);
    assert_true(S_ISREG(st.st_mode));

    struct courier_request request = scene_node_request(COURIER_DETACH, "/dev/bus/x", scene.node);
    assert_int_equal(scene_ask(scene.courier, &request, -1).error, 0);
    assert_int_equal(scene_open_inside(&scene, "/dev/bus/x"),
                     0); /* the file alone, and root opens it */
    assert_true(scene_attach(&scene, "/dev/bus/x").placeholder);
    assert_int_equal(scene_detach(&scene, "/dev/bus/x", &reply).error, 0);
    assert_int_equal(scene_stat(&scene, "/dev/bus"), -ENOENT);
    scene_close(&scene);
}

/* OCI createRuntime: the container's root is still a directory of its mount namespace. */
static void a_root_that_is_yet_to_be_pivoted_to_is_served(void **state)
{
    (void)state;
    struct scene scene;
    struct namespaces below = NAMESPACES_EMPTY;
    struct refusal why = {0};
    scene_open(&scene, NULL);
    courier_abandon(scene.courier);
    assert_int_equal(fixture_mkdir(scene.fixture, "/tmp/rootfs"), 0);
    assert_int_equal(fixture_mkdir(scene.fixture, "/tmp/rootfs/dev"), 0);
    assert_int_equal(namespaces_open(fixture_pid(scene.fixture), "/tmp/rootfs", &below, &why), 0);
    assert_int_equal(courier_spawn(&below, &scene.courier, &why), 0);
    struct courier_reply reply = scene_attach(&scene, "/dev/x");
    assert_int_equal(reply.error, 0);
    struct stat root, seen;
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/root", courier_pid(scene.courier));
    assert_int_equal(stat(path, &seen), 0);
    assert_int_equal(fstat(below.root_fd, &root), 0);
    assert_true(seen.st_dev == root.st_dev && seen.st_ino == root.st_ino);
    namespaces_close(&below);
    assert_int_equal(scene_open_inside(&scene, "/tmp/rootfs/dev/x"), 0);
    assert_int_equal(scene_stat(&scene, "/dev/x"), -ENOENT);
    assert_int_equal(scene_identify(&scene, "", "dialout").error, -ENOENT);
    assert_int_equal(scene_detach(&scene, "/dev/x", &reply).error, 0);
    assert_int_equal(scene_stat(&scene, "/tmp/rootfs/dev/x"), -ENOENT);
    scene_close(&scene);
}

static void block_devices_are_delivered(void **state)
{
    (void)state;
    struct scene scene;
    struct stat st;
    scene_open(&scene, NULL);
    struct node *node = scene_make_node(&scene, &(struct devnum){NODE_BLOCK, 7, 213});
    assert_int_equal(scene_attach_node(&scene, "/dev/disk", node).error, 0);
    assert_int_equal(fixture_stat(scene.fixture, "/dev/disk", &st), 0);
    assert_true(S_ISBLK(st.st_mode));
    assert_int_equal(st.st_rdev, makedev(7, 213));
    node_destroy(node);
    scene_close(&scene);
}

static void a_thousand_rounds_leave_nothing(void **state)
{
    (void)state;
    static const struct devnum number = {NODE_CHARACTER, 1, 3};
    struct scene scene;
    struct statfs before, after;
    char dev[64], fds[64];
    scene_open(&scene, NULL);
    assert_int_equal(scene_identify(&scene, "ha", "").error, 0); /* it is ready */
    pid_t pid = fixture_pid(scene.fixture), courier = courier_pid(scene.courier);
    snprintf(dev, sizeof(dev), "/proc/%d/root/dev", pid);
    snprintf(fds, sizeof(fds), "/proc/%d/fd", courier);
    size_t mounts = scene_count_lines(pid, "mountinfo"),
           own_fds = scene_count_entries("/proc/self/fd");
    size_t courier_fds = scene_count_entries(fds), nodes = node_store_count(scene_store);
    assert_int_equal(statfs(dev, &before), 0);
    for (unsigned i = 0; i < 1000; i++) {
        struct node *kept = scene.node;
        scene.node = scene_make_node(&scene, &number);
        struct courier_reply reply = scene_attach(&scene, "/dev/bus/usb/001/004");
        assert_int_equal(reply.error, 0);
        assert_int_equal(node_revoke(scene.node, NULL), 0);
        reply = scene_detach(&scene, "/dev/bus/usb/001/004", &reply);
        assert_int_equal(reply.error, 0);
        assert_false(reply.shadowed);
        node_destroy(scene.node);
        scene.node = kept;
    }
    assert_int_equal(statfs(dev, &after), 0);
    assert_int_equal(after.f_ffree, before.f_ffree);
    assert_int_equal(scene_count_lines(pid, "mountinfo"), mounts);
    assert_int_equal(scene_count_entries("/proc/self/fd"), own_fds);
    assert_int_equal(scene_count_entries(fds), courier_fds);
    assert_int_equal(node_store_count(scene_store), nodes);
    scene_close(&scene);
}

static int cover_dev(void *argument)
{
    (void)argument;
    return mount("cover", "/dev", "tmpfs", 0, NULL) < 0 ? -errno : 0;
}

static void a_node_below_another_mount_is_out_of_reach_and_said_to_be(void **state)
{
    (void)state;
    static const char *const paths[] = {"/dev/x", "/dev/bus/usb/x"};
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        struct scene scene;
        scene_open(&scene, NULL);
        struct courier_reply reply = scene_attach(&scene, paths[i]);
        assert_int_equal(reply.error, 0);
        assert_true(reply.mount > 0);
        assert_int_equal(fixture_run(scene.fixture, cover_dev, NULL), 0);
        reply = scene_detach(&scene, paths[i], &reply);
        assert_int_equal(reply.error, 0);
        assert_true(reply.shadowed);

        /* What is given now is in the new /dev. */
        reply = scene_attach(&scene, paths[i]);
        assert_int_equal(reply.error, 0);
        assert_int_equal(scene_stat(&scene, paths[i]), 0);
        reply = scene_detach(&scene, paths[i], &reply);
        assert_int_equal(reply.error, 0);
        assert_false(reply.shadowed);
        assert_int_equal(scene_stat(&scene, paths[i]), -ENOENT);
        scene_close(&scene);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_is_given_and_taken_without_a_trace),
        cmocka_unit_test(a_container_without_user_namespace_is_served_too),
        cmocka_unit_test(directories_that_others_use_stay),
        cmocka_unit_test(bind_copies_die_with_the_inode),
        cmocka_unit_test(what_the_container_mounts_over_a_node_is_said_and_stays),
        cmocka_unit_test(a_device_that_is_there_already_is_bound_over_and_left),
        cmocka_unit_test(what_a_killed_daemon_left_is_taken_over),
        cmocka_unit_test(on_overlayfs_a_regular_file_holds_the_place),
        cmocka_unit_test(a_root_that_is_yet_to_be_pivoted_to_is_served),
        cmocka_unit_test(block_devices_are_delivered),
        cmocka_unit_test(a_thousand_rounds_leave_nothing),
        cmocka_unit_test(a_node_below_another_mount_is_out_of_reach_and_said_to_be),
    };
    return cmocka_run_group_tests(tests, scene_start, scene_stop);
}
