/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "kernel/note_directory.h"
#include "model/waiting_note.h"

struct place {
    char top[64];
    char runtime[80]; /* is not there yet */
    int fd;
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    struct refusal why = {.error = 0};
    snprintf(place->top, sizeof(place->top), "/tmp/devolve-test-XXXXXX");
    assert_non_null(mkdtemp(place->top));
    snprintf(place->runtime, sizeof(place->runtime), "%s/runtime", place->top);
    place->fd = note_directory_open(place->runtime, "waiting", &why);
    if (place->fd < 0)
        fail_msg("%s", why.text);
    *state = place;
    return 0;
}

static int remove_one(void *userdata, const char *id)
{
    struct place *place = userdata;
    return note_directory_remove(place->fd, id);
}

static int remove_place(void **state)
{
    struct place *place = *state;
    char path[128];
    (void)note_directory_each(place->fd, remove_one, place);
    (void)unlinkat(place->fd, ".unfinished", 0);
    fd_close(place->fd);
    snprintf(path, sizeof(path), "%s/waiting", place->runtime);
    int r = rmdir(path) < 0 || rmdir(place->runtime) < 0 || rmdir(place->top) < 0 ? -1 : 0;
    free(place);
    return r;
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void what_is_missing_is_made_for_us_alone(void **state)
{
    const struct place *place = *state;
    char path[128];
    snprintf(path, sizeof(path), "%s/waiting", place->runtime);
    assert_int_equal(mode_of(path), 0700);
    assert_int_equal(mode_of(place->runtime), 0755);
}

static void a_directory_that_others_may_use_is_refused(void **state)
{
    const struct place *place = *state;
    struct refusal why = {.error = 0};
    char path[128];
    snprintf(path, sizeof(path), "%s/waiting", place->runtime);
    assert_int_equal(chmod(path, 0750), 0);
    assert_int_equal(note_directory_open(place->runtime, "waiting", &why), -EPERM);
    assert_int_equal(chmod(path, 0700), 0);
    assert_int_equal(chmod(place->runtime, 0775), 0);
    assert_int_equal(note_directory_open(place->runtime, "waiting", &why), -EPERM);
    assert_int_equal(chmod(place->runtime, 0755), 0);
    int fd = note_directory_open(place->runtime, "waiting", &why);
    assert_true(fd >= 0);
    fd_close(fd);
}

static void a_link_is_not_followed(void **state)
{
    const struct place *place = *state;
    struct refusal why = {.error = 0};
    char path[128], aside[128];
    snprintf(path, sizeof(path), "%s/waiting", place->runtime);
    snprintf(aside, sizeof(aside), "%s/aside", place->runtime);
    assert_int_equal(rename(path, aside), 0);
    assert_int_equal(symlink("aside", path), 0);
    assert_true(note_directory_open(place->runtime, "waiting", &why) < 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rename(aside, path), 0);
}

static void a_note_is_read_as_it_was_put_last(void **state)
{
    const struct place *place = *state;
    struct refusal why = {.error = 0};
    char *text;
    size_t size;
    assert_int_equal(note_directory_put(place->fd, "box", "first, and longer", &why), 0);
    assert_int_equal(note_directory_put(place->fd, "box", "second", &why), 0);
    assert_int_equal(note_directory_read(place->fd, "box", 1000, &text, &size, &why), 0);
    assert_int_equal(size, strlen("second"));
    assert_string_equal(text, "second");
    free(text);
    assert_int_equal(note_directory_remove(place->fd, "box"), 0);
    assert_int_equal(note_directory_read(place->fd, "box", 1000, &text, &size, &why), -ENOENT);
    assert_int_equal(note_directory_remove(place->fd, "box"), 0);
}

static void an_id_that_leads_elsewhere_is_refused(void **state)
{
    const struct place *place = *state;
    char long_id[NAME_MAX + 1];
    const char *const ids[] = {"", ".", "..", ".hidden", "../box", "a/b", long_id};
    memset(long_id, 'x', NAME_MAX);
    long_id[NAME_MAX] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        struct refusal why = {.error = 0};
        assert_int_equal(note_directory_put(place->fd, ids[i], "text", &why), -EINVAL);
    }
}

static void what_is_no_file_of_ours_is_not_read(void **state)
{
    const struct place *place = *state;
    struct refusal why = {.error = 0};
    char *text = NULL;
    size_t size;
    assert_int_equal(mkdirat(place->fd, "directory", 0700), 0);
    assert_int_equal(mkfifoat(place->fd, "pipe", 0600), 0);
    assert_int_equal(symlinkat("/etc/passwd", place->fd, "link"), 0);
    assert_int_equal(note_directory_read(place->fd, "directory", 1000, &text, &size, &why),
                     -EBADMSG);
    assert_int_equal(note_directory_read(place->fd, "pipe", 1000, &text, &size, &why), -EBADMSG);
    assert_int_equal(note_directory_read(place->fd, "link", 1000, &text, &size, &why), -ELOOP);
    assert_null(text);
}

static void a_note_that_is_too_large_is_not_read(void **state)
{
    const struct place *place = *state;
    struct refusal why = {.error = 0};
    char *large = malloc(1002), *text;
    size_t size;
    memset(large, 'x', 1001);
    large[1001] = '\0';
    assert_int_equal(note_directory_put(place->fd, "box", large, &why), 0);
    assert_int_equal(note_directory_read(place->fd, "box", 1000, &text, &size, &why), -EBADMSG);
    large[1000] = '\0';
    assert_int_equal(note_directory_put(place->fd, "box", large, &why), 0);
    assert_int_equal(note_directory_read(place->fd, "box", 1000, &text, &size, &why), 0);
    assert_int_equal(size, 1000);
    free(text);
    free(large);
}

static int count_one(void *userdata, const char *id)
{
    size_t *count = userdata;
    assert_true(streq(id, "one") || streq(id, "two"));
    (*count)++;
    return *count == 7 ? -ECANCELED : 0;
}

static void each_note_is_told_but_not_one_that_is_being_written(void **state)
{
    const struct place *place = *state;
    struct refusal why = {.error = 0};
    size_t count = 0;
    int fd = openat(place->fd, ".unfinished", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    fd_close(fd);
    assert_int_equal(note_directory_put(place->fd, "one", "text", &why), 0);
    assert_int_equal(note_directory_put(place->fd, "two", "text", &why), 0);
    assert_int_equal(note_directory_each(place->fd, count_one, &count), 0);
    assert_int_equal(count, 2);
    assert_int_equal(note_directory_each(place->fd, count_one, &count), 0);
    assert_int_equal(count, 4); /* from the beginning again */
    count = 6;
    assert_int_equal(note_directory_each(place->fd, count_one, &count), -ECANCELED);
    assert_int_equal(count, 7);
}

static void a_directory_in_one_goes_with_all_that_is_in_it(void **state)
{
    const struct place *place = *state;
    struct refusal why = {.error = 0};
    int fd = note_directory_enter(place->fd, "box", false, &why);
    assert_int_equal(fd, -ENOENT);
    fd = note_directory_enter(place->fd, "box", true, &why);
    assert_true(fd >= 0);
    assert_int_equal(note_directory_put(fd, "one", "text", &why), 0);
    int unfinished = openat(fd, ".two", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(unfinished >= 0);
    fd_close(unfinished);
    fd_close(fd);
    assert_int_equal(note_directory_clear(place->fd, "box"), 0);
    assert_int_equal(faccessat(place->fd, "box", F_OK, 0), -1);
    assert_int_equal(note_directory_clear(place->fd, "box"), 0);
}

int main(void)
{
#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)
    static const struct CMUnitTest tests[] = {
        IN_PLACE(what_is_missing_is_made_for_us_alone),
        IN_PLACE(a_directory_that_others_may_use_is_refused),
        IN_PLACE(a_link_is_not_followed),
        IN_PLACE(a_note_is_read_as_it_was_put_last),
        IN_PLACE(an_id_that_leads_elsewhere_is_refused),
        IN_PLACE(what_is_no_file_of_ours_is_not_read),
        IN_PLACE(a_note_that_is_too_large_is_not_read),
        IN_PLACE(a_directory_in_one_goes_with_all_that_is_in_it),
        IN_PLACE(each_note_is_told_but_not_one_that_is_being_written),
    };
    umask(022);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
