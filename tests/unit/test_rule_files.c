/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/rule_files.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "model/rule_match.h"

/* Rule directories below a temporary one, in this order; "run" is not there. */
struct place {
    char top[64];
    char etc[80], run[80], lib[80];
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    assert_non_null(place);
    umask(022);
    (void)snprintf(place->top, sizeof(place->top), "/tmp/test_rule_files.XXXXXX");
    assert_non_null(mkdtemp(place->top));
    (void)snprintf(place->etc, sizeof(place->etc), "%s/etc", place->top);
    (void)snprintf(place->run, sizeof(place->run), "%s/run", place->top);
    (void)snprintf(place->lib, sizeof(place->lib), "%s/lib", place->top);
    assert_int_equal(mkdir(place->etc, 0755), 0);
    assert_int_equal(mkdir(place->lib, 0755), 0);
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

static char *path_in(const char *directory, const char *name)
{
    char *path = NULL;
    assert_true(asprintf(&path, "%s/%s", directory, name) > 0);
    return path;
}

static void write_file(const char *directory, const char *name, const char *text)
{
    _cleanup_free_ char *path = path_in(directory, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int load_draft(const struct place *place, const struct rule_draft *draft,
                      struct rule_set **ret, struct rule_problems *problems)
{
    const char *const directories[] = {place->etc, place->run, place->lib};
    return rule_files_try(directories, ARRAY_SIZE(directories), draft, ret, problems);
}

static int load(const struct place *place, struct rule_set **ret, struct rule_problems *problems)
{
    return load_draft(place, NULL, ret, problems);
}

/* The one problem that the directories have, of a file as a whole. */
static void expect_refusal(const struct place *place, const char *file, const char *words)
{
    struct rule_set *rules = NULL;
    struct rule_problems problems = {0};
    assert_int_equal(load(place, &rules, &problems), -EBADMSG);
    assert_null(rules);
    assert_int_equal(problems.count, 1);
    assert_int_equal(problems.errors, 1);
    assert_int_equal(problems.items[0].line, 0);
    assert_string_equal(problems.items[0].file, file);
    if (!strstr(problems.items[0].text, words))
        fail_msg("\"%s\" is not in: %s", words, problems.items[0].text);
    rule_problems_done(&problems);
}

/* The files that had a say, in their order: each adds a link. */
static void expect_links(const struct rule_set *rules, const char *expected)
{
    _cleanup_device_ struct device *device = NULL;
    struct rule_container container = {"web1", NULL};
    struct share share;
    char got[256] = "";
    assert_int_equal(device_new("/devices/a", "b", NULL, "", 1, NULL, &device), 0);
    assert_int_equal(rule_judge(rules, device, &container, NULL, NULL, &share), 0);
    for (size_t i = 0; i < share.symlink_count; i++)
        strcat(strcat(got, share.symlinks[i]), " ");
    assert_string_equal(got, expected);
    assert_int_equal(rule_set_file_count(rules), share.symlink_count);
    share_done(&share);
}

static void expect_draft(const struct place *place, const struct rule_draft *draft,
                         const char *expected)
{
    _cleanup_rule_set_ struct rule_set *rules = NULL;
    struct rule_problems problems = {0};
    assert_int_equal(load_draft(place, draft, &rules, &problems), 0);
    expect_links(rules, expected);
    rule_problems_done(&problems);
}

static void expect_order(const struct place *place, const char *expected)
{
    expect_draft(place, NULL, expected);
}

static void no_directories_are_no_rules(void **state)
{
    (void)state;
    const char *const directories[] = {"/nonexistent/devolve"};
    struct rule_problems problems = {0};
    for (size_t count = 0; count <= 1; count++) {
        _cleanup_rule_set_ struct rule_set *rules = NULL;
        assert_int_equal(rule_files_load(directories, count, &rules, &problems), 0);
        assert_int_equal(rule_set_count(rules), 0);
    }
}

static void files_are_ordered_by_name_over_all_directories(void **state)
{
    const struct place *place = *state;
    write_file(place->lib, "10-a.rules", "SYMLINK+=\"lib10\"\n");
    write_file(place->etc, "20-b.rules", "SYMLINK+=\"etc20\"\n");
    write_file(place->lib, "30-c.rules", "SYMLINK+=\"lib30\"\n");
    expect_order(place, "/dev/lib10 /dev/etc20 /dev/lib30 ");
}

static void a_name_in_an_earlier_directory_masks_the_later(void **state)
{
    const struct place *place = *state;
    write_file(place->lib, "10-a.rules", "this is never read");
    write_file(place->etc, "10-a.rules", "SYMLINK+=\"etc10\"\n");
    expect_order(place, "/dev/etc10 ");
}

static void a_link_to_dev_null_disables(void **state)
{
    const struct place *place = *state;
    write_file(place->lib, "10-a.rules", "SYMLINK+=\"lib10\"\n");
    write_file(place->lib, "20-b.rules", "SYMLINK+=\"lib20\"\n");
    _cleanup_free_ char *link = path_in(place->etc, "10-a.rules");
    assert_int_equal(symlink("/dev/null", link), 0);
    expect_order(place, "/dev/lib20 ");
}

static void a_file_that_is_masked_is_told_with_what_masks_it(void **state)
{
    const struct place *place = *state;
    _cleanup_free_ char *disabled = path_in(place->etc, "20-b.rules");
    const char *const directories[] = {place->etc, place->run, place->lib};
    struct rule_masks masks = {0};
    char got[1024] = "", expected[1024];
    write_file(place->etc, "10-a.rules", "SYMLINK+=\"etc10\"\n");
    write_file(place->lib, "10-a.rules", "this is never read");
    write_file(place->lib, "20-b.rules", "nor is this");
    write_file(place->lib, "30-c.rules", "SYMLINK+=\"lib30\"\n");
    assert_int_equal(symlink("/dev/null", disabled), 0);

    assert_int_equal(rule_files_masked(directories, ARRAY_SIZE(directories), &masks), 0);
    for (size_t i = 0; i < masks.count; i++) {
        size_t length = strlen(got);
        (void)snprintf(got + length, sizeof(got) - length, "%s by %s\n", masks.items[i].path,
                       masks.items[i].by);
    }
    (void)snprintf(expected, sizeof(expected),
                   "%2$s/10-a.rules by %1$s/10-a.rules\n"
                   "%1$s/20-b.rules by /dev/null\n"
                   "%2$s/20-b.rules by %1$s/20-b.rules\n",
                   place->etc, place->lib);
    assert_string_equal(got, expected);
    rule_masks_done(&masks);
}

static void other_names_are_not_read(void **state)
{
    const struct place *place = *state;
    static const char *const names[] = {"a.rules~", "a.rules.bak", ".b.rules", ".rules", "rules"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        write_file(place->etc, names[i], "this is never read");
    write_file(place->etc, "a.rules", "SYMLINK+=\"a\"\n");
    expect_order(place, "/dev/a ");
}

static void a_link_to_a_file_is_read(void **state)
{
    const struct place *place = *state;
    write_file(place->top, "elsewhere", "SYMLINK+=\"a\"\n");
    _cleanup_free_ char *link = path_in(place->etc, "a.rules");
    assert_int_equal(symlink("../elsewhere", link), 0);
    expect_order(place, "/dev/a ");
}

static void a_file_that_others_can_write_is_refused(void **state)
{
    const struct place *place = *state;
    write_file(place->etc, "a.rules", "SYMLINK+=\"a\"\n");
    _cleanup_free_ char *path = path_in(place->etc, "a.rules");
    assert_int_equal(chmod(path, 0664), 0);
    expect_refusal(place, "a.rules", "written by others (mode 0664)");
    assert_int_equal(chmod(path, 0646), 0);
    expect_refusal(place, "a.rules", "written by others (mode 0646)");
}

static void a_directory_that_others_can_write_is_refused(void **state)
{
    const struct place *place = *state;
    assert_int_equal(chmod(place->etc, 01777), 0);
    expect_refusal(place, place->etc, "written by others (mode 1777)");
}

static void somebody_elses_file_is_refused(void **state)
{
    const struct place *place = *state;
    if (geteuid() != 0)
        skip(); /* only root can give files away */
    write_file(place->etc, "a.rules", "SYMLINK+=\"a\"\n");
    _cleanup_free_ char *path = path_in(place->etc, "a.rules");
    assert_int_equal(chown(path, 12345, 0), 0);
    expect_refusal(place, "a.rules", "belongs to uid 12345");
    assert_int_equal(chown(path, 0, 0), 0);
    assert_int_equal(chown(place->lib, 12345, 0), 0);
    expect_refusal(place, place->lib, "belongs to uid 12345");
}

static void what_is_no_file_is_refused(void **state)
{
    const struct place *place = *state;
    _cleanup_free_ char *path = path_in(place->etc, "a.rules");
    assert_int_equal(mkdir(path, 0755), 0);
    expect_refusal(place, "a.rules", "not a regular file");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0); /* and nobody waits for its writer */
    expect_refusal(place, "a.rules", "not a regular file");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("a.rules", path), 0);
    expect_refusal(place, "a.rules", "cannot be read: Too many levels of symbolic links");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/dev/zero", path), 0);
    expect_refusal(place, "a.rules", "not a regular file");
}

static void a_link_to_nothing_is_left_out_with_a_warning(void **state)
{
    const struct place *place = *state;
    _cleanup_rule_set_ struct rule_set *rules = NULL;
    struct rule_problems problems = {0};
    _cleanup_free_ char *link = path_in(place->etc, "40-x.rules");
    write_file(place->etc, "30-a.rules", "SYMLINK+=\"a\"\n");
    write_file(place->lib, "40-x.rules", "SYMLINK+=\"masked\"\n");
    write_file(place->lib, "50-b.rules", "SYMLINK+=\"b\"\n");
    assert_int_equal(symlink("/nonexistent", link), 0);
    expect_order(place, "/dev/a /dev/b ");

    assert_int_equal(load(place, &rules, &problems), 0);
    assert_int_equal(problems.count, 1);
    assert_int_equal(problems.errors, 0);
    assert_int_equal(problems.items[0].severity, PROBLEM_WARNING);
    assert_string_equal(problems.items[0].file, "40-x.rules");
    assert_int_equal(problems.items[0].line, 0);
    assert_string_equal(problems.items[0].text, "is a link to nothing; left out");
    rule_problems_done(&problems);
}

static void a_directory_that_is_none_is_refused(void **state)
{
    const struct place *place = *state;
    assert_int_equal(rmdir(place->etc), 0);
    write_file(place->top, "etc", "");
    expect_refusal(place, place->etc, "cannot be opened: Not a directory");
}

static void all_files_are_read_though_one_is_broken(void **state)
{
    const struct place *place = *state;
    struct rule_set *rules = NULL;
    struct rule_problems problems = {0};
    write_file(place->etc, "a.rules", "FOO=\"a\"\n");
    write_file(place->etc, "b.rules", "SYMLINK+=\"b\"\n");
    write_file(place->lib, "c.rules", "\nBAR=\"c\"\n");
    assert_int_equal(load(place, &rules, &problems), -EBADMSG);
    assert_null(rules);
    assert_int_equal(problems.count, 2);
    assert_string_equal(problems.items[0].file, "a.rules");
    assert_int_equal(problems.items[0].line, 1);
    assert_string_equal(problems.items[1].file, "c.rules");
    assert_int_equal(problems.items[1].line, 2);
    rule_problems_done(&problems);
}

static void a_draft_is_read_as_if_it_were_there(void **state)
{
    const struct place *place = *state;
    write_file(place->etc, "20-b.rules", "SYMLINK+=\"etc20\"\n");
    write_file(place->lib, "10-a.rules", "SYMLINK+=\"lib10\"\n");
    write_file(place->lib, "20-b.rules", "SYMLINK+=\"lib20\"\n"); /* masked */
    write_file(place->lib, "40-d.rules", "SYMLINK+=\"lib40\"\n");
    const char *const text = "SYMLINK+=\"draft\"\n";
    const struct {
        struct rule_draft draft;
        const char *expected;
    } cases[] = {
        {{place->etc, "30-c.rules", text}, "/dev/lib10 /dev/etc20 /dev/draft /dev/lib40 "},
        {{place->run, "30-c.rules", text}, "/dev/lib10 /dev/etc20 /dev/draft /dev/lib40 "},
        {{place->run, "40-d.rules", text}, "/dev/lib10 /dev/etc20 /dev/draft "}, /* it masks */
        {{place->etc, "20-b.rules", text}, "/dev/lib10 /dev/draft /dev/lib40 "},
        {{place->lib, "20-b.rules", text}, "/dev/lib10 /dev/etc20 /dev/lib40 "}, /* is masked */
        {{place->lib, "10-a.rules", NULL}, "/dev/etc20 /dev/lib40 "},
        {{place->etc, "20-b.rules", NULL}, "/dev/lib10 /dev/lib20 /dev/lib40 "},
        {{place->etc, "10-a.rules", NULL}, "/dev/lib10 /dev/etc20 /dev/lib40 "},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        expect_draft(place, &cases[i].draft, cases[i].expected);
    expect_order(place, "/dev/lib10 /dev/etc20 /dev/lib40 ");
}

static void a_file_that_is_too_long_is_refused(void **state)
{
    const struct place *place = *state;
    struct rule_set *rules = NULL;
    struct rule_problems problems = {0};
    write_file(place->etc, "a.rules", "");
    _cleanup_free_ char *path = path_in(place->etc, "a.rules");
    assert_int_equal(truncate(path, RULE_FILE_MAX + 1), 0);
    assert_int_equal(load(place, &rules, &problems), -EBADMSG);
    assert_int_equal(problems.count, 1);
    assert_non_null(strstr(problems.items[0].text, "longer than 1048576 bytes"));
    rule_problems_done(&problems);
}

static void one_file_can_be_checked_wherever_it_lies(void **state)
{
    const struct place *place = *state;
    _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
    struct rule_problems problems = {0};
    write_file(place->top, "draft", "SYMLINK+=\"a\"\n");
    _cleanup_free_ char *path = path_in(place->top, "draft");
    _cleanup_free_ char *missing = path_in(place->top, "missing");
    assert_int_equal(rule_file_load(path, rules, &problems), 0);
    assert_int_equal(rule_set_count(rules), 1);
    assert_int_equal(problems.count, 0);

    write_file(place->top, "draft", "MODE=\"9\"\n");
    assert_int_equal(rule_file_load(path, rules, &problems), -EBADMSG);
    assert_int_equal(rule_file_load(missing, rules, &problems), -EBADMSG);
    assert_int_equal(rule_set_count(rules), 1);
    assert_int_equal(problems.count, 2);
    assert_string_equal(problems.items[0].file, "draft");
    assert_int_equal(problems.items[0].column, 6);
    assert_string_equal(problems.items[1].file, missing);
    rule_problems_done(&problems);
}

static void a_file_that_a_reload_would_refuse_is_warned_of(void **state)
{
    static const struct {
        uid_t owner;
        mode_t mode;
        const char *words;
    } CASES[] = {
        {0, 0666, "can be written by others (mode 0666)"},
        {0, 0620, "can be written by others (mode 0620)"},
        {12345, 0644, "belongs to uid 12345"},
    };
    const struct place *place = *state;
    _cleanup_free_ char *path = path_in(place->top, "draft");
    write_file(place->top, "draft", "SYMLINK+=\"a\"\n");
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
        _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
        struct rule_problems problems = {0};
        if (CASES[i].owner != 0 && geteuid() != 0)
            skip(); /* only root can give files away */
        assert_int_equal(chmod(path, CASES[i].mode), 0);
        assert_int_equal(CASES[i].owner ? chown(path, CASES[i].owner, 0) : 0, 0);

        assert_int_equal(rule_file_load(path, rules, &problems), 0);
        assert_int_equal(rule_set_count(rules), 1);
        assert_int_equal(problems.count, 1);
        assert_int_equal(problems.errors, 0);
        assert_string_equal(problems.items[0].file, "draft");
        assert_int_equal(problems.items[0].line, 0);
        assert_non_null(strstr(problems.items[0].text, CASES[i].words));
        assert_non_null(strstr(problems.items[0].text, "devolved would refuse"));
        rule_problems_done(&problems);
    }
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, free_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_directories_are_no_rules),
        IN_PLACE(files_are_ordered_by_name_over_all_directories),
        IN_PLACE(a_name_in_an_earlier_directory_masks_the_later),
        IN_PLACE(a_link_to_dev_null_disables),
        IN_PLACE(a_file_that_is_masked_is_told_with_what_masks_it),
        IN_PLACE(other_names_are_not_read),
        IN_PLACE(a_link_to_a_file_is_read),
        IN_PLACE(a_file_that_others_can_write_is_refused),
        IN_PLACE(a_directory_that_others_can_write_is_refused),
        IN_PLACE(somebody_elses_file_is_refused),
        IN_PLACE(what_is_no_file_is_refused),
        IN_PLACE(a_link_to_nothing_is_left_out_with_a_warning),
        IN_PLACE(a_directory_that_is_none_is_refused),
        IN_PLACE(all_files_are_read_though_one_is_broken),
        IN_PLACE(a_draft_is_read_as_if_it_were_there),
        IN_PLACE(a_file_that_is_too_long_is_refused),
        IN_PLACE(one_file_can_be_checked_wherever_it_lies),
        IN_PLACE(a_file_that_a_reload_would_refuse_is_warned_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
