/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/rule_drop_in.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"

#define NAME "80-attached-web1-0123456789abcdef.rules"

/* "TOP/devolve/rules.d", of which only TOP is there. */
struct place {
    char top[64], directory[96];
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    assert_non_null(place);
    snprintf(place->top, sizeof(place->top), "/tmp/test_rule_drop_in.XXXXXX");
    assert_non_null(mkdtemp(place->top));
    snprintf(place->directory, sizeof(place->directory), "%s/devolve/rules.d", place->top);
    *state = place;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

static int free_place(void **state)
{
    struct place *place = *state;
    int r = nftw(place->top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(place);
    return r;
}

static void expect_file(const struct place *place, const char *name, const char *text)
{
    char path[160], got[64] = "";
    struct stat st;
    snprintf(path, sizeof(path), "%s/%s", place->directory, name);
    assert_int_equal(file_read_at(AT_FDCWD, path, got, sizeof(got)), strlen(text));
    assert_string_equal(got, text);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
}

static size_t entries;

static int count_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)path, (void)st, (void)ftw;
    entries += kind != FTW_D;
    return 0;
}

static size_t count_files(const struct place *place)
{
    entries = 0;
    assert_int_equal(nftw(place->top, count_one, 8, FTW_PHYS), 0);
    return entries;
}

static void what_is_written_replaces_what_was_there_and_nothing_else_stays(void **state)
{
    const struct place *place = *state;
    mode_t before = umask(077); /* which the file's mode does not hang on */
    assert_int_equal(rule_drop_in_write(place->directory, NAME, "one\n", NULL), 0);
    expect_file(place, NAME, "one\n");
    assert_int_equal(rule_drop_in_write(place->directory, NAME, "another\n", NULL), 0);
    expect_file(place, NAME, "another\n");
    umask(before);
    assert_int_equal(count_files(place), 1);
    assert_int_equal(rule_drop_in_remove(place->directory, NAME, NULL), 0);
    assert_int_equal(count_files(place), 0);
}

static void a_half_written_file_of_a_predecessor_is_in_nobodys_way(void **state)
{
    const struct place *place = *state;
    char left[160];
    assert_int_equal(rule_drop_in_write(place->directory, "x", "", NULL), 0);
    snprintf(left, sizeof(left), "%s/.%s.new", place->directory, NAME);
    assert_int_equal(symlink("/nonexistent/elsewhere", left), 0);
    assert_int_equal(rule_drop_in_write(place->directory, NAME, "one\n", NULL), 0);
    expect_file(place, NAME, "one\n");
    assert_int_equal(count_files(place), 2);
}

static void what_cannot_be_written_is_refused_by_name_and_leaves_nothing(void **state)
{
    const struct place *place = *state;
    struct refusal why = {.error = 0};
    char expected[REFUSAL_MAX], taken[160];
    assert_int_equal(rule_drop_in_write("/proc/devolve/rules.d", NAME, "one\n", &why), -ENOENT);
    assert_string_equal(why.text,
                        "cannot write /proc/devolve/rules.d/" NAME ": No such file or directory");

    snprintf(taken, sizeof(taken), "%s/%s", place->directory, NAME);
    assert_int_equal(rule_drop_in_write(place->directory, "x", "", NULL), 0);
    assert_int_equal(mkdir(taken, 0755), 0);
    assert_int_equal(rule_drop_in_write(place->directory, NAME, "one\n", &why), -EISDIR);
    snprintf(expected, sizeof(expected), "cannot write %s: Is a directory", taken);
    assert_string_equal(why.text, expected);
    assert_int_equal(count_files(place), 1);
}

static void what_is_not_there_cannot_be_removed(void **state)
{
    const struct place *place = *state;
    assert_int_equal(rule_drop_in_remove(place->directory, NAME, NULL), -ENOENT);
    assert_int_equal(rule_drop_in_write(place->directory, "x", "", NULL), 0);
    assert_int_equal(rule_drop_in_remove(place->directory, NAME, NULL), -ENOENT);
}

static void only_the_containers_own_files_are_listed(void **state)
{
    const struct place *place = *state;
    struct name_list names = {.count = 0};
    static const char *const files[] = {NAME, "80-attached-web1-b-0123456789abcdef.rules",
                                        "80-attached-web2-0123456789abcdef.rules", "50-lab.rules"};
    assert_int_equal(rule_drop_in_list(place->directory, "web1", &names), 0);
    assert_int_equal(names.count, 0);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        assert_int_equal(rule_drop_in_write(place->directory, files[i], "", NULL), 0);
    assert_int_equal(rule_drop_in_list(place->directory, "web1", &names), 0);
    assert_int_equal(names.count, 1);
    assert_string_equal(names.items[0], NAME);
    name_list_done(&names);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, free_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(what_is_written_replaces_what_was_there_and_nothing_else_stays),
        IN_PLACE(a_half_written_file_of_a_predecessor_is_in_nobodys_way),
        IN_PLACE(what_cannot_be_written_is_refused_by_name_and_leaves_nothing),
        IN_PLACE(what_is_not_there_cannot_be_removed),
        IN_PLACE(only_the_containers_own_files_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
