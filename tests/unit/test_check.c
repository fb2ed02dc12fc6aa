/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* devolvectl check, on rule files of its own and without a daemon. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>

#include "model/varlink_message.h"
#include "run_command.h"

#define GOOD_RULE "SUBSYSTEM==\"tty\", CONTAINER+=\"web*\"\n"
#define BAD_RULE "# a comment\nSUBSYSTEM==\"tty\", PROGRAM==\"/bin/x\"\n"

/* A directory with one good and one bad file. */
struct fixture {
    char directory[32];
    char good[64], bad[64], absent[64];
};

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    if (!file) {
        fail_msg("%s cannot be written", path);
        return;
    }
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    strcpy(f->directory, "/tmp/devolve-test-XXXXXX");
    umask(022);
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->good, sizeof(f->good), "%s/10-good.rules", f->directory);
    snprintf(f->bad, sizeof(f->bad), "%s/20-bad.rules", f->directory);
    snprintf(f->absent, sizeof(f->absent), "%s/absent.rules", f->directory);
    write_file(f->good, GOOD_RULE);
    write_file(f->bad, BAD_RULE);
    /* a command that asked the daemon after all would fail */
    setenv("DEVOLVE_RUNTIME_DIR", "/nonexistent", 1);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    unlink(f->good);
    unlink(f->bad);
    rmdir(f->directory);
    free(f);
    return 0;
}

static void a_good_file_is_counted_and_has_no_problem(void **state)
{
    const struct fixture *f = *state;
    struct result result = run_command(command_check, (const char *[]){"check", f->good, NULL});
    assert_string_equal(result.out, "1 rule in 1 file: no problem\n");
    assert_string_equal(result.err, "");
    assert_int_equal(result.status, EXIT_DONE);
    result_done(&result);
}

static void a_file_that_the_daemon_would_refuse_for_its_mode_is_warned_of(void **state)
{
    const struct fixture *f = *state;
    char expected[256];
    assert_int_equal(chmod(f->good, 0666), 0);
    struct result result = run_command(command_check, (const char *[]){"check", f->good, NULL});
    snprintf(expected, sizeof(expected),
             "%s: warning: can be written by others (mode 0666): take that away with chmod go-w; "
             "devolved would refuse the file as it is\n"
             "1 rule in 1 file: 1 warning\n",
             f->good);
    assert_string_equal(result.out, expected);
    assert_int_equal(result.status, EXIT_DONE);
    result_done(&result);
}

/* The name, the place, a line that is the source, and a caret below the key that is wrong. */
static void assert_shows_the_error(const char *out, const char *file)
{
    char place[128];
    snprintf(place, sizeof(place), "%s:2:19: error: ", file);
    const char *at = strstr(out, place);
    if (!at)
        fail_msg("no \"%s\" in: %s", place, out);
    assert_non_null(strstr(out, "PROGRAM"));
    assert_non_null(strstr(out, "\n    SUBSYSTEM==\"tty\", PROGRAM==\"/bin/x\"\n"
                                "                      ^\n"));
}

static void a_bad_file_is_shown_with_line_and_caret_and_the_others_are_judged_too(void **state)
{
    const struct fixture *f = *state;
    struct result result =
        run_command(command_check, (const char *[]){"check", f->bad, f->good, NULL});
    assert_shows_the_error(result.out, f->bad);
    assert_non_null(strstr(result.out, "\n1 error\n"));
    assert_string_equal(result.err, "");
    assert_int_equal(result.status, EXIT_FAILED);
    result_done(&result);
}

static void a_directory_is_read_as_the_daemon_reads_it(void **state)
{
    const struct fixture *f = *state;
    const char *const argv[] = {"check", "--rules", f->directory, NULL};
    struct result result = run_command(command_check, argv);
    assert_non_null(strstr(result.out, "20-bad.rules:2:19: error: "));
    assert_non_null(strstr(result.out, "1 error\n"));
    assert_int_equal(result.status, EXIT_FAILED);
    result_done(&result);

    unlink(f->bad);
    result = run_command(command_check, argv);
    assert_string_equal(result.out, "1 rule in 1 file: no problem\n");
    assert_int_equal(result.status, EXIT_DONE);
    result_done(&result);
}

static void a_file_that_is_not_there_is_a_failure_that_names_it(void **state)
{
    const struct fixture *f = *state;
    struct result result = run_command(command_check, (const char *[]){"check", f->absent, NULL});
    assert_true(strstr(result.err, f->absent) || strstr(result.out, f->absent));
    assert_int_equal(result.status, EXIT_FAILED);
    result_done(&result);
}

static void json_carries_the_same_problems(void **state)
{
    const struct fixture *f = *state;
    struct result result =
        run_command(command_check, (const char *[]){"check", "--json", f->good, f->bad, NULL});
    _cleanup_json_ json_t *reply = json_loads(result.out, 0, NULL);
    const json_t *problem = json_array_get(json_object_get(reply, "problems"), 0);
    assert_int_equal(json_integer_value(json_object_get(reply, "rules")), 1);
    assert_int_equal(json_array_size(json_object_get(reply, "problems")), 1);
    assert_string_equal(json_string_value(json_object_get(problem, "severity")), "error");
    assert_int_equal(json_integer_value(json_object_get(problem, "line")), 2);
    assert_int_equal(json_integer_value(json_object_get(problem, "column")), 19);
    assert_int_equal(result.status, EXIT_FAILED);
    result_done(&result);
}

static void rules_are_shown_as_they_were_understood(void **state)
{
    const struct fixture *f = *state;
    write_file(f->good,
               "# why\nCONTAINER+=\"web*\" , SUBSYSTEM == e\"t\\x74y\"\nKERNEL==\"\u00e4\", "
               "MODE=\"0600\"\n");
    struct result result =
        run_command(command_check, (const char *[]){"check", "--print", f->good, NULL});
    assert_string_equal(result.out, GOOD_RULE "KERNEL==\"\\xc3\\xa4\", MODE=\"0600\"\n");
    assert_int_equal(result.status, EXIT_DONE);
    result_done(&result);

    result =
        run_command(command_check, (const char *[]){"check", "--json", "--print", f->good, NULL});
    _cleanup_json_ json_t *reply = json_loads(result.out, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(reply, "printed")),
                        GOOD_RULE "KERNEL==\"\u00e4\", MODE=\"0600\"\n");
    assert_int_equal(result.status, EXIT_DONE);
    result_done(&result);
}

static void json_cannot_carry_every_byte(void **state)
{
    const struct fixture *f = *state;
    write_file(f->good, "KERNEL==\"\xff\", MODE=\"0600\"\n");
    struct result result =
        run_command(command_check, (const char *[]){"check", "--json", "--print", f->good, NULL});
    assert_string_equal(result.out, "");
    assert_non_null(strstr(result.err, "not UTF-8"));
    assert_int_equal(result.status, EXIT_FAILED);
    result_done(&result);
}

static void rules_with_an_error_are_not_shown(void **state)
{
    const struct fixture *f = *state;
    struct result result =
        run_command(command_check, (const char *[]){"check", "--print", f->good, f->bad, NULL});
    assert_shows_the_error(result.out, f->bad);
    assert_null(strstr(result.out, "CONTAINER"));
    assert_non_null(strstr(result.out, "\n1 error\n"));
    assert_int_equal(result.status, EXIT_FAILED);
    result_done(&result);
}

static void files_and_directories_are_not_mixed(void **state)
{
    const struct fixture *f = *state;
    struct result result = run_command(
        command_check, (const char *[]){"check", "--rules", f->directory, f->good, NULL});
    assert_non_null(strstr(result.err, "files and --rules exclude each other"));
    assert_int_equal(result.status, EXIT_USAGE);
    result_done(&result);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_that_the_daemon_would_refuse_for_its_mode_is_warned_of),
        TEST(a_good_file_is_counted_and_has_no_problem),
        TEST(a_bad_file_is_shown_with_line_and_caret_and_the_others_are_judged_too),
        TEST(a_directory_is_read_as_the_daemon_reads_it),
        TEST(a_file_that_is_not_there_is_a_failure_that_names_it),
        TEST(json_carries_the_same_problems),
        TEST(rules_are_shown_as_they_were_understood),
        TEST(json_cannot_carry_every_byte),
        TEST(rules_with_an_error_are_not_shown),
        TEST(files_and_directories_are_not_mixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
