/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>

#include "courier_scene.h"

/* Symbolic links, and the names of users and groups. */

static int read_link(void *argument)
{
    char *text = argument;
    char path[GRANT_PATH_MAX];
    snprintf(path, sizeof(path), "%s", text);
    ssize_t length = readlink(path, text, GRANT_PATH_MAX - 1);
    if (length < 0)
        return -errno;
    text[length] = '\0';
    return 0;
}

static void links_are_relative_and_only_ours_are_removed(void **state)
{
    (void)state;
    static const struct {
        const char *path, *target, *text;
        unsigned made;
    } cases[] = {
        {"/dev/zigbee", "/dev/ttyUSB0", "ttyUSB0", 0},
        {"/dev/serial/by-id/x", "/dev/ttyUSB0", "../../ttyUSB0", 2},
        {"/dev/bus/y", "/dev/bus/usb/001", "usb/001", 1},
        {"/dev/snd/a/l", "/dev/snd/b/c", "../b/c", 2},
        {"/dev/tty", "/dev/tty1/x", "tty1/x", 0},
    };
    struct scene scene;
    char *text = fixture_shared(GRANT_PATH_MAX);
    scene_open(&scene, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct courier_reply reply =
            scene_link(&scene, COURIER_LINK, cases[i].path, cases[i].target, 0);
        assert_int_equal(reply.error, 0);
        assert_int_equal(reply.made_dirs, cases[i].made);
        strcpy(text, cases[i].path);
        assert_int_equal(fixture_run(scene.fixture, read_link, text), 0);
        assert_string_equal(text, cases[i].text);
        reply = scene_link(&scene, COURIER_LINK, cases[i].path, cases[i].target, 0);
        assert_int_equal(reply.error, 0);
        assert_int_equal(scene_link(&scene, COURIER_LINK, cases[i].path, "/dev/other", 0).error,
                         -EEXIST);
        assert_int_equal(scene_link(&scene, COURIER_UNLINK, cases[i].path, "/dev/other", 0).error,
                         0);
        assert_int_equal(scene_stat(&scene, cases[i].path), 0);
        for (unsigned j = 0; j < 2; j++)
            assert_int_equal(
                scene_link(&scene, COURIER_UNLINK, cases[i].path, cases[i].target, cases[i].made)
                    .error,
                0);
        assert_int_equal(scene_stat(&scene, cases[i].path), -ENOENT);
    }
    assert_int_equal(scene_stat(&scene, "/dev/serial"), -ENOENT);
    assert_int_equal(scene_link(&scene, COURIER_LINK, "/dev/l", "/etc/passwd", 0).error, -EINVAL);

    assert_int_equal(fixture_write(scene.fixture, "/dev/own", "text"), 0);
    assert_int_equal(scene_link(&scene, COURIER_LINK, "/dev/own", "/dev/x", 0).error, -EEXIST);
    assert_int_equal(scene_link(&scene, COURIER_UNLINK, "/dev/own", "/dev/x", 0).error, 0);
    assert_int_equal(scene_stat(&scene, "/dev/own"), 0);
    scene_close(&scene);
}

static void names_are_looked_up_in_the_containers_own_files(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, NULL);
    struct courier_reply reply = scene_identify(&scene, "ha", "dialout");
    assert_int_equal(reply.error, 0);
    assert_int_equal(reply.uid, 1000);
    assert_int_equal(reply.gid, 20);
    reply = scene_identify(&scene, "", "dialout");
    assert_int_equal(reply.error, 0);
    reply = scene_identify(&scene, "ha", "nobody-here");
    assert_int_equal(reply.error, -ENOENT);
    assert_non_null(strstr(reply.text, "/etc/group inside has no \"nobody-here\""));
    assert_int_equal(scene_identify(&scene, "h", "").error, -ENOENT);

    /* Relative to the container's root, as distributions with links have it. */
    assert_int_equal(fixture_unlink(scene.fixture, "/etc/group"), 0);
    assert_int_equal(fixture_write(scene.fixture, "/tmp/group",
                                   "\nbroken\nx:y\nlate:x:7\nlate:x:4294967295:\nlate:x:+5:\n"
                                   "late:x:43:a,b"),
                     0);
    assert_int_equal(fixture_symlink(scene.fixture, "/../../tmp/group", "/etc/group"), 0);
    reply = scene_identify(&scene, "", "late");
    assert_string_equal(reply.text, "");
    assert_int_equal(reply.gid, 43);
    scene_close(&scene);
}

static int make_fifo(void *argument)
{
    return mkfifo(argument, 0600) < 0 ? -errno : 0;
}

static void files_that_are_no_good_are_refused(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, NULL);
    assert_int_equal(fixture_unlink(scene.fixture, "/etc/group"), 0);
    assert_int_equal(scene_identify(&scene, "", "dialout").error, -ENOENT);
    assert_int_equal(fixture_run(scene.fixture, make_fifo, (void *)"/etc/group"), 0);
    struct courier_reply reply = scene_identify(&scene, "", "dialout");
    assert_int_equal(reply.error, -EINVAL);
    assert_non_null(strstr(reply.text, "/etc/group inside is not a regular file"));

    assert_int_equal(fixture_unlink(scene.fixture, "/etc/group"), 0);
    size_t size = 1024 * 1024 + 4096;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, 'x', size);
    text[size / 2] = '\n';
    strcpy(text + size - 32, "\ndialout:x:20:\n");
    assert_int_equal(fixture_write(scene.fixture, "/etc/group", text), 0);
    free(text);
    reply = scene_identify(&scene, "", "dialout");
    assert_int_equal(reply.error, -EFBIG);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_are_relative_and_only_ours_are_removed),
        cmocka_unit_test(names_are_looked_up_in_the_containers_own_files),
        cmocka_unit_test(files_that_are_no_good_are_refused),
    };
    return cmocka_run_group_tests(tests, scene_start, scene_stop);
}
