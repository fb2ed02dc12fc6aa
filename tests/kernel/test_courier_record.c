/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>

#include "courier_scene.h"

/* udev's database inside: records, tags and the marker. */

#define ID "b8:0"
#define RECORD "/run/udev/data/" ID
#define ALL_DIRS (COURIER_UDEV_TOP | COURIER_UDEV_DATA | COURIER_UDEV_TAGS)

static struct courier_reply ask(struct scene *scene, enum courier_verb verb, const char *text,
                                unsigned made_dirs)
{
    struct courier_request request = {.verb = verb, .path = ID, .made_dirs = made_dirs};
    snprintf(request.text, sizeof(request.text), "%s", text);
    return scene_ask(scene->courier, &request, -1);
}

struct look {
    char path[256];
    char text[UDEV_RECORD_MAX];
    mode_t mode;
};

static int look_inside(void *argument)
{
    struct look *look = argument;
    struct stat st;
    _cleanup_close_ int fd = open(look->path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, look->text, sizeof(look->text) - 1);
    if (length < 0 || fstat(fd, &st) < 0)
        return -errno;
    look->text[length] = '\0';
    look->mode = st.st_mode;
    return 0;
}

static void expect_text(const struct scene *scene, const char *path, const char *text)
{
    struct look *look = fixture_shared(sizeof(*look));
    snprintf(look->path, sizeof(look->path), "%s", path);
    assert_int_equal(fixture_run(scene->fixture, look_inside, look), 0);
    assert_string_equal(look->text, text);
    assert_int_equal(look->mode, S_IFREG | 0444);
}

static void a_record_comes_with_its_tags_and_goes_with_its_directories(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, NULL);
    struct courier_reply reply =
        ask(&scene, COURIER_RECORD_WRITE, "E:A=1\nG:one\nG:two\nQ:one\nV:1\n", 0);
    assert_string_equal(reply.text, "");
    assert_int_equal(reply.made_dirs, ALL_DIRS);
    expect_text(&scene, RECORD, "E:A=1\nG:one\nG:two\nQ:one\nV:1\n");
    expect_text(&scene, "/run/udev/tags/one/" ID, "");
    expect_text(&scene, "/run/udev/tags/two/" ID, "");
    expect_text(&scene, "/run/udev/control", "");

    reply = ask(&scene, COURIER_RECORD_WRITE, "G:two\nG:three\n", 0);
    assert_int_equal(reply.error, 0);
    assert_int_equal(reply.made_dirs, 0);
    expect_text(&scene, RECORD, "G:two\nG:three\n");
    assert_int_equal(scene_stat(&scene, "/run/udev/tags/one"), -ENOENT);
    expect_text(&scene, "/run/udev/tags/three/" ID, "");

    for (unsigned i = 0; i < 2; i++) {
        reply = ask(&scene, COURIER_RECORD_REMOVE, "", ALL_DIRS);
        assert_int_equal(reply.error, 0);
        assert_int_equal(reply.made_dirs, COURIER_UDEV_TOP); /* the marker is in it */
        assert_int_equal(scene_stat(&scene, "/run/udev/data"), -ENOENT);
        assert_int_equal(scene_stat(&scene, "/run/udev/tags"), -ENOENT);
    }
    reply = ask(&scene, COURIER_MARKER_REMOVE, "", COURIER_UDEV_TOP);
    assert_int_equal(reply.error, 0);
    assert_int_equal(reply.made_dirs, 0);
    assert_int_equal(scene_stat(&scene, "/run/udev"), -ENOENT);
    scene_close(&scene);
}

static void directories_of_others_stay(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, NULL);
    assert_int_equal(fixture_mkdir(scene.fixture, "/run/udev"), 0);
    struct courier_reply reply = ask(&scene, COURIER_RECORD_WRITE, "E:A=1\n", 0);
    assert_int_equal(reply.made_dirs, COURIER_UDEV_DATA);
    reply = ask(&scene, COURIER_RECORD_REMOVE, "", reply.made_dirs);
    assert_int_equal(reply.made_dirs, 0);
    (void)ask(&scene, COURIER_MARKER_REMOVE, "", 0);
    assert_int_equal(scene_stat(&scene, "/run/udev/data"), -ENOENT);
    assert_int_equal(scene_stat(&scene, "/run/udev"), 0);
    scene_close(&scene);
}

static void what_a_udevd_wrote_is_not_touched(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, NULL);
    assert_int_equal(fixture_mkdir(scene.fixture, "/run/udev"), 0);
    assert_int_equal(fixture_mkdir(scene.fixture, "/run/udev/data"), 0);
    assert_int_equal(fixture_write(scene.fixture, RECORD, "E:B=2\n"), 0);
    assert_int_equal(fixture_write(scene.fixture, "/run/udev/control", "socket"), 0);

    struct courier_reply reply = ask(&scene, COURIER_RECORD_WRITE, "E:A=1\nG:one\n", 0);
    assert_int_equal(reply.error, -EEXIST);
    assert_non_null(strstr(reply.text, "the record /run/udev/data/" ID " inside is another's"));
    assert_int_equal(scene_stat(&scene, "/run/udev/tags"), -ENOENT);
    assert_int_equal(ask(&scene, COURIER_RECORD_REMOVE, "", ALL_DIRS).error, 0);
    assert_int_equal(ask(&scene, COURIER_MARKER_MAKE, "", 0).error, 0);
    assert_int_equal(ask(&scene, COURIER_MARKER_REMOVE, "", ALL_DIRS).error, 0);
    assert_int_equal(scene_stat(&scene, RECORD), 0);
    assert_int_equal(scene_stat(&scene, "/run/udev/control"), 0);
    scene_close(&scene);
}

static void a_link_in_the_way_leads_nowhere(void **state)
{
    (void)state;
    static const struct {
        const char *directories[3]; /* made first */
        const char *link;
    } cases[] = {
        {{NULL}, "/run/udev"},
        {{"/run/udev"}, "/run/udev/data"},
        {{"/run/udev", "/run/udev/data"}, RECORD},
        {{"/run/udev", "/run/udev/tags"}, "/run/udev/tags/one"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct scene scene;
        scene_open(&scene, NULL);
        assert_int_equal(fixture_mkdir(scene.fixture, "/elsewhere"), 0);
        for (size_t j = 0; cases[i].directories[j]; j++)
            assert_int_equal(fixture_mkdir(scene.fixture, cases[i].directories[j]), 0);
        assert_int_equal(fixture_symlink(scene.fixture, "/elsewhere", cases[i].link), 0);

        struct courier_reply reply = ask(&scene, COURIER_RECORD_WRITE, "E:A=1\nG:one\n", 0);
        assert_true(reply.error == -ELOOP || reply.error == -EEXIST);
        assert_int_equal(ask(&scene, COURIER_RECORD_REMOVE, "", ALL_DIRS).error, 0);
        assert_int_equal(scene_stat(&scene, "/elsewhere/" ID), -ENOENT);
        assert_int_equal(scene_stat(&scene, "/elsewhere/data"), -ENOENT);
        scene_close(&scene);
    }
}

static int mount_run_read_only(void *argument)
{
    (void)argument;
    return mount("tmpfs", "/run", "tmpfs", MS_RDONLY, NULL) < 0 ? -errno : 0;
}

/* Room for the directories and nothing else: tmpfs counts inodes. */
static int mount_run_full(void *argument)
{
    (void)argument;
    return mount("tmpfs", "/run", "tmpfs", 0, "nr_inodes=5,size=4k") < 0 ? -errno : 0;
}

static void where_nothing_can_be_written_it_says_so_and_leaves_nothing(void **state)
{
    (void)state;
    static const struct {
        fixture_function mount;
        int error;
    } cases[] = {{mount_run_read_only, EROFS}, {mount_run_full, ENOSPC}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct scene scene;
        scene_open(&scene, NULL);
        assert_int_equal(fixture_run(scene.fixture, cases[i].mount, NULL), 0);
        struct courier_reply reply = ask(&scene, COURIER_RECORD_WRITE, "E:A=1\nG:one\nG:two\n", 0);
        assert_int_equal(reply.error, -cases[i].error);
        assert_int_not_equal(reply.text[0], '\0');
        assert_int_equal(scene_stat(&scene, "/run/udev"), -ENOENT);
        scene_close(&scene);
    }
}

static void a_text_without_room_leaves_the_record_as_it_was(void **state)
{
    (void)state;
    struct scene scene;
    char text[UDEV_RECORD_MAX];
    scene_open(&scene, NULL);
    assert_int_equal(fixture_run(scene.fixture, mount_run_full, NULL), 0);
    memset(text, 'x', sizeof(text));
    memcpy(text, "E:A=", 4);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(ask(&scene, COURIER_RECORD_WRITE, text, 0).error, -ENOSPC);
    assert_int_equal(scene_stat(&scene, "/run/udev"), -ENOENT);
    scene_close(&scene);
}

static int remove_directory(void *argument)
{
    return rmdir(argument) < 0 ? -errno : 0;
}

static void without_a_run_it_says_so(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, NULL);
    assert_int_equal(fixture_run(scene.fixture, remove_directory, (void *)"/run"), 0);
    struct courier_reply reply = ask(&scene, COURIER_RECORD_WRITE, "E:A=1\n", 0);
    assert_int_equal(reply.error, -ENOENT);
    assert_string_equal(reply.text, "/run inside is missing");
    assert_int_equal(ask(&scene, COURIER_MARKER_MAKE, "", 0).error, -ENOENT);
    assert_int_equal(ask(&scene, COURIER_RECORD_REMOVE, "", 0).error, 0);
    assert_int_equal(ask(&scene, COURIER_MARKER_REMOVE, "", 0).error, 0);
    scene_close(&scene);
}

static void only_names_of_records_are_taken(void **state)
{
    (void)state;
    static const char *const names[] = {"", "x", "b", "../control", "b8:0/x", "+a:b/../.."};
    struct scene scene;
    scene_open(&scene, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct courier_request request = {.verb = COURIER_RECORD_WRITE};
        snprintf(request.path, sizeof(request.path), "%s", names[i]);
        assert_int_equal(scene_ask(scene.courier, &request, -1).error, -EINVAL);
    }
    assert_int_equal(scene_stat(&scene, "/run/udev"), -ENOENT);
    scene_close(&scene);
}

static void a_tag_may_be_called_like_a_directory_of_udevs(void **state)
{
    static const char *const tags[] = {"udev", "data", "tags", "run"};
    struct scene scene;
    char text[32];
    (void)state;
    scene_open(&scene, NULL);
    assert_int_equal(fixture_mkdir(scene.fixture, "/run/udev"), 0);
    assert_int_equal(fixture_mkdir(scene.fixture, "/run/udev/data"), 0);
    assert_int_equal(fixture_mkdir(scene.fixture, "/run/udev/tags"), 0);
    for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
        snprintf(text, sizeof(text), "G:%s\n", tags[i]);
        struct courier_reply reply = ask(&scene, COURIER_RECORD_WRITE, text, 0);
        assert_int_equal(reply.error, 0);
        assert_int_equal(reply.made_dirs, 0);
    }
    assert_int_equal(scene_stat(&scene, "/run/udev/tags/run/" ID), 0);
    assert_int_equal(scene_stat(&scene, "/run/udev/tags/tags"), -ENOENT);
    scene_close(&scene);
}

/* The first marker that a daemon asks for. */
static struct courier_reply take_over(struct scene *scene)
{
    const struct courier_request request = {.verb = COURIER_MARKER_MAKE, .first = true};
    return scene_ask(scene->courier, &request, -1);
}

static void write_record(struct scene *scene, const char *id, const char *text)
{
    struct courier_request request = {.verb = COURIER_RECORD_WRITE};
    snprintf(request.path, sizeof(request.path), "%s", id);
    snprintf(request.text, sizeof(request.text), "%s", text);
    assert_int_equal(scene_ask(scene->courier, &request, -1).error, 0);
}

static void what_a_predecessor_left_is_swept_and_its_marker_taken_over(void **state)
{
    struct scene scene;
    char id[32];
    (void)state;
    scene_open(&scene, NULL);
    for (unsigned i = 0; i < 300; i++) { /* more than one getdents64(2) has room for */
        snprintf(id, sizeof(id), "c189:%u", i);
        write_record(&scene, id, "E:A=1\nG:one\n");
    }
    write_record(&scene, "n7", "E:A=1\n");
    write_record(&scene, "+usb:1-1", "E:A=1\n");
    struct courier_reply reply = ask(&scene, COURIER_MARKER_MAKE, "", 0);
    assert_int_equal(reply.made_dirs, 0);
    assert_int_equal(scene_stat(&scene, "/run/udev/data/n7"), 0); /* it is not the first */

    reply = take_over(&scene);
    assert_int_equal(reply.error, 0);
    assert_int_equal(reply.made_dirs, ALL_DIRS);
    expect_text(&scene, "/run/udev/control", "");
    assert_int_equal(fixture_run(scene.fixture, remove_directory, (void *)"/run/udev/data"), 0);
    assert_int_equal(fixture_run(scene.fixture, remove_directory, (void *)"/run/udev/tags"), 0);
    assert_int_equal(ask(&scene, COURIER_MARKER_REMOVE, "", reply.made_dirs).made_dirs, 0);
    assert_int_equal(scene_stat(&scene, "/run/udev"), -ENOENT);
    scene_close(&scene);
}

static int chown_record(void *argument)
{
    return chown(argument, 1000, 0) < 0 ? -errno : 0;
}

static int make_read_only(void *argument)
{
    return chmod(argument, 0444) < 0 ? -errno : 0;
}

static void what_is_not_ours_is_not_swept(void **state)
{
    static const char *const others[] = {"/run/udev/data/c1:1", "/run/udev/data/c1:2",
                                         "/run/udev/data/README", "/run/udev/control"};
    struct scene scene;
    (void)state;
    scene_open(&scene, NULL);
    write_record(&scene, "c1:2", "E:A=1\n");
    write_record(&scene, "c1:4", "E:A=1\n");
    assert_int_equal(ask(&scene, COURIER_MARKER_REMOVE, "", 0).error, 0);
    assert_int_equal(fixture_write(scene.fixture, "/run/udev/data/c1:1", "E:B=2\n"), 0);
    assert_int_equal(fixture_run(scene.fixture, chown_record, (void *)others[1]), 0);
    assert_int_equal(fixture_write(scene.fixture, "/run/udev/data/README", "no record"), 0);
    assert_int_equal(fixture_run(scene.fixture, make_read_only, (void *)others[2]), 0);
    assert_int_equal(fixture_write(scene.fixture, "/run/udev/control", "socket"), 0);

    struct courier_reply reply = take_over(&scene);
    assert_int_equal(reply.error, 0);
    assert_int_equal(reply.made_dirs, 0);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        assert_int_equal(scene_stat(&scene, others[i]), 0);
    assert_int_equal(scene_stat(&scene, "/run/udev/data/c1:4"), -ENOENT);
    scene_close(&scene);
}

static void where_nothing_is_left_there_is_nothing_to_sweep(void **state)
{
    struct scene scene;
    (void)state;
    scene_open(&scene, NULL);
    assert_int_equal(take_over(&scene).made_dirs, COURIER_UDEV_TOP);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_comes_with_its_tags_and_goes_with_its_directories),
        cmocka_unit_test(directories_of_others_stay),
        cmocka_unit_test(what_a_udevd_wrote_is_not_touched),
        cmocka_unit_test(a_link_in_the_way_leads_nowhere),
        cmocka_unit_test(where_nothing_can_be_written_it_says_so_and_leaves_nothing),
        cmocka_unit_test(a_text_without_room_leaves_the_record_as_it_was),
        cmocka_unit_test(without_a_run_it_says_so),
        cmocka_unit_test(only_names_of_records_are_taken),
        cmocka_unit_test(a_tag_may_be_called_like_a_directory_of_udevs),
        cmocka_unit_test(what_a_predecessor_left_is_swept_and_its_marker_taken_over),
        cmocka_unit_test(what_is_not_ours_is_not_swept),
        cmocka_unit_test(where_nothing_is_left_there_is_nothing_to_sweep),
    };
    return cmocka_run_group_tests(tests, scene_start, scene_stop);
}
