/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include "courier_scene.h"

/* udev's database in a container that is in our way: nothing hangs, nothing leads elsewhere, and
 * what lies there stays. */

#define ID "b8:0"
#define DATA "/run/udev/data"
#define RECORD DATA "/" ID
#define MARKER "/run/udev/control"
#define TAGS "/run/udev/tags"
#define TAG TAGS "/one"
#define TAGGED TAG "/" ID

/* `made`: the directories are ours. */
static int ask_of(struct scene *scene, enum courier_verb verb, bool first, unsigned made)
{
    struct courier_request request = {.verb = verb, .path = ID, .first = first, .made_dirs = made};
    if (verb == COURIER_RECORD_WRITE)
        snprintf(request.text, sizeof(request.text), "E:A=1\nG:one\n");
    return scene_ask(scene->courier, &request, -1).error;
}

static int ask(struct scene *scene, enum courier_verb verb, bool first)
{
    return ask_of(scene, verb, first, COURIER_UDEV_ALL);
}

enum kind { FIFO, DIRECTORY, LINK, DANGLING_LINK };

struct obstacle {
    const char *directories[4];
    const char *path;
    enum kind kind;
};

/* All of it has our mode and owner. */
static int put(void *argument)
{
    const struct obstacle *obstacle = argument;
    if (mkdir("/elsewhere", 0755) < 0)
        return -errno;
    for (size_t i = 0; obstacle->directories[i]; i++)
        if (mkdir(obstacle->directories[i], 0755) < 0)
            return -errno;
    int r = 0;
    switch (obstacle->kind) {
    case FIFO:
        r = mkfifo(obstacle->path, 0444);
        break;
    case DIRECTORY:
        r = mkdir(obstacle->path, 0444);
        break;
    case LINK:
        r = symlink("/elsewhere", obstacle->path);
        break;
    case DANGLING_LINK:
        r = symlink("/elsewhere/file", obstacle->path);
        break;
    }
    return r < 0 ? -errno : 0;
}

static void expect_untouched(const struct scene *scene, const struct obstacle *obstacle)
{
    static const mode_t types[] = {
        [FIFO] = S_IFIFO, [DIRECTORY] = S_IFDIR, [LINK] = S_IFLNK, [DANGLING_LINK] = S_IFLNK};
    struct stat st;
    assert_int_equal(fixture_stat(scene->fixture, obstacle->path, &st), 0);
    assert_int_equal(st.st_mode & S_IFMT, types[obstacle->kind]);
    assert_int_equal(scene_stat(scene, "/elsewhere/file"), -ENOENT);
    assert_int_equal(scene_stat(scene, "/elsewhere/" ID), -ENOENT);
    assert_int_equal(scene_stat(scene, "/elsewhere/one"), -ENOENT);
    assert_int_equal(scene_stat(scene, "/elsewhere/control"), -ENOENT);
}

static void what_lies_in_the_way_stays_and_nobody_waits_for_it(void **state)
{
    static const struct {
        struct obstacle obstacle;
        int write, marker; /* what comes of these */
    } cases[] = {
        {{{"/run/udev"}, MARKER, FIFO}, 0, 0},
        {{{"/run/udev"}, MARKER, DIRECTORY}, 0, 0},
        {{{"/run/udev"}, MARKER, LINK}, 0, 0},
        {{{"/run/udev"}, MARKER, DANGLING_LINK}, 0, 0},
        {{{"/run/udev", DATA}, RECORD, FIFO}, -EEXIST, 0},
        {{{"/run/udev", DATA}, RECORD, DIRECTORY}, -EEXIST, 0},
        {{{"/run/udev", DATA}, RECORD, LINK}, -EEXIST, 0},
        {{{"/run/udev", DATA}, RECORD, DANGLING_LINK}, -EEXIST, 0},
        {{{"/run/udev", TAGS, TAG}, TAGGED, FIFO}, 0, 0},
        {{{"/run/udev", TAGS, TAG}, TAGGED, DIRECTORY}, 0, 0},
        {{{"/run/udev", TAGS, TAG}, TAGGED, DANGLING_LINK}, 0, 0},
        {{{"/run/udev", TAGS}, TAG, FIFO}, -ENOTDIR, 0},
        {{{"/run/udev", TAGS}, TAG, LINK}, -ELOOP, 0},
        {{{"/run/udev"}, TAGS, FIFO}, -ENOTDIR, 0},
        {{{"/run/udev"}, DATA, FIFO}, -ENOTDIR, 0},
        {{{"/run/udev"}, DATA, LINK}, -ELOOP, 0},
        {{{NULL}, "/run/udev", FIFO}, -ENOTDIR, -ENOTDIR},
        {{{NULL}, "/run/udev", LINK}, -ELOOP, -ELOOP},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct scene scene;
        struct obstacle obstacle = cases[i].obstacle;
        scene_open(&scene, NULL);
        assert_int_equal(fixture_run(scene.fixture, put, &obstacle), 0);
        assert_int_equal(ask(&scene, COURIER_MARKER_MAKE, true), cases[i].marker);
        assert_int_equal(ask(&scene, COURIER_RECORD_WRITE, false), cases[i].write);
        expect_untouched(&scene, &obstacle);
        assert_int_equal(scene_stat(&scene, DATA "/.#devolve") == 0, 0);
        assert_int_equal(ask(&scene, COURIER_RECORD_REMOVE, false), 0);
        assert_int_equal(ask(&scene, COURIER_MARKER_REMOVE, false), 0);
        expect_untouched(&scene, &obstacle);
        scene_close(&scene);
    }
}

struct swap {
    const char *one, *other;
    unsigned count; /* shared */
};

static int keep_swapping(void *argument)
{
    struct swap *swap = argument;
    for (;;) {
        if (syscall(SYS_renameat2, AT_FDCWD, swap->one, AT_FDCWD, swap->other, RENAME_EXCHANGE) < 0)
            return -errno;
        __atomic_add_fetch(&swap->count, 1, __ATOMIC_RELAXED);
    }
}

/* The directory, and a link to elsewhere, in turns. */
static void prepare_swap(const struct scene *scene, const char *path, const char *link)
{
    assert_int_equal(fixture_mkdir(scene->fixture, "/elsewhere"), 0);
    assert_int_equal(fixture_mkdir(scene->fixture, "/elsewhere/one"), 0);
    assert_int_equal(fixture_mkdir(scene->fixture, "/run/udev"), 0);
    if (strcmp(path, "/run/udev") != 0)
        assert_int_equal(fixture_mkdir(scene->fixture, path), 0);
    assert_int_equal(fixture_symlink(scene->fixture, "/elsewhere", link), 0);
}

static int count_elsewhere(void *argument)
{
    (void)argument;
    return (int)(scene_count_entries("/elsewhere") + scene_count_entries("/elsewhere/one"));
}

static bool is_expected(int error)
{
    static const int expected[] = {0, ELOOP, ENOTDIR, ENOENT, EEXIST, EAGAIN, EPERM};
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        if (error == -expected[i])
            return true;
    return false;
}

static void a_directory_that_turns_into_a_link_leads_nowhere(void **state)
{
    static const char *const cases[][2] = {
        {"/run/udev", "/run/link"}, {DATA, "/run/udev/link"}, {TAGS, "/run/udev/link"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct scene scene;
        struct swap *swap = fixture_shared(sizeof(*swap));
        unsigned written = 0, refused = 0;
        int result_fd;
        scene_open(&scene, NULL);
        prepare_swap(&scene, cases[i][0], cases[i][1]);
        *swap = (struct swap){.one = cases[i][0], .other = cases[i][1]};
        pid_t pid = fixture_launch(scene.fixture, keep_swapping, swap, &result_fd);
        uint64_t deadline = now_us() + DEADLINE_MS * 1000u;
        while (written < 50 || refused < 50 ||
               __atomic_load_n(&swap->count, __ATOMIC_RELAXED) < 50) {
            int r = ask_of(&scene, COURIER_RECORD_WRITE, false, 0);
            written += r == 0;
            refused += r < 0;
            assert_true(is_expected(r));
            assert_true(is_expected(ask_of(&scene, COURIER_MARKER_MAKE, true, 0)));
            assert_true(is_expected(ask_of(&scene, COURIER_RECORD_REMOVE, false, 0)));
            assert_true(is_expected(ask_of(&scene, COURIER_MARKER_REMOVE, false, 0)));
            assert_true(now_us() < deadline);
        }
        fixture_kill(pid, result_fd);
        assert_int_equal(fixture_run(scene.fixture, count_elsewhere, NULL), 3 + 2);
        scene_close(&scene);
    }
}

static int mount_run(void *argument)
{
    (void)argument;
    return mount("tmpfs", "/run", "tmpfs", 0, NULL) < 0 ? -errno : 0;
}

static int lock_run(void *argument)
{
    (void)argument;
    return mount(NULL, "/run", NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0 ? -errno : 0;
}

static void a_run_that_becomes_read_only_keeps_what_is_there_and_says_so(void **state)
{
    struct scene scene;
    (void)state;
    scene_open(&scene, NULL);
    assert_int_equal(fixture_run(scene.fixture, mount_run, NULL), 0);
    assert_int_equal(ask(&scene, COURIER_RECORD_WRITE, false), 0);
    assert_int_equal(fixture_run(scene.fixture, lock_run, NULL), 0);
    assert_int_equal(ask(&scene, COURIER_RECORD_WRITE, false), -EROFS);
    assert_int_equal(ask(&scene, COURIER_RECORD_REMOVE, false), -EROFS);
    assert_int_equal(ask(&scene, COURIER_MARKER_REMOVE, false), -EROFS);
    assert_int_equal(ask(&scene, COURIER_MARKER_MAKE, true), 0); /* it is there */
    assert_int_equal(scene_stat(&scene, RECORD), 0);
    assert_int_equal(scene_stat(&scene, TAGGED), 0);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_lies_in_the_way_stays_and_nobody_waits_for_it),
        cmocka_unit_test(a_directory_that_turns_into_a_link_leads_nowhere),
        cmocka_unit_test(a_run_that_becomes_read_only_keeps_what_is_there_and_says_so),
    };
    return cmocka_run_group_tests(tests, scene_start, scene_stop);
}
