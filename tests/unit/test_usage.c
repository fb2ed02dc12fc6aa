/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "run_command.h"

/* Mistakes that never reach a daemon. The usage follows each and is not repeated here. */
static const struct {
    command_fn *run;
    const char *argv[12];
    const char *err;
} mistakes[] = {
    {command_register, {"register"}, "an argument is missing"},
    {command_register, {"register", "web1"}, "--pid is missing"},
    {command_register, {"register", "a", "b", "--pid", "1"}, "too many arguments"},
    {command_register, {"register", "a", "--pid", "0"}, "--pid 0 is no process id"},
    {command_register, {"register", "a", "--pid", "-1"}, "--pid -1 is no process id"},
    {command_register, {"register", "a", "--pid", "4194305"}, "--pid 4194305 is no process id"},
    {command_register, {"register", "a", "--pid"}, "--pid needs a value"},
    {command_register, {"register", "--root", "r"}, "--root r is no absolute path"},
    {command_register, {"register", "--label", "k"}, "--label k is not KEY=VALUE"},
    {command_register, {"register", "--label", "=v"}, "--label =v is not KEY=VALUE"},
    {command_register, {"register", "--label=k=1", "--label=k=2"}, "the label k is given twice"},
    {command_unregister, {"unregister", "--foo"}, "--foo is no option here"},
    {command_unregister, {"unregister", "--json", "-qx"}, "-q is no option here"},
    {command_unregister, {"unregister", "--json=yes", "a"}, "--json=yes is no option here"},
    {command_list, {"list", "web1"}, "too many arguments"},
    {command_list, {"list", "--all"}, "--all goes with --devices"},
    {command_status, {"status", "a", "b"}, "too many arguments"},
    {command_attach, {"attach", "web1"}, "an argument is missing"},
    {command_detach, {"detach", "web1"}, "an argument is missing"},
    {command_explain, {"explain"}, "an argument is missing"},
    {command_monitor, {"monitor", "--count", "0"}, "--count 0 is no number above 0"},
    {command_monitor, {"monitor", "--count", "x"}, "--count x is no number above 0"},
    {command_reload, {"reload", "x"}, "too many arguments"},
    {command_udev_rule, {"udev-rule"}, "an argument is missing"},
    {command_udev_rule, {"udev-rule", "a", "b"}, "too many arguments"},
};

static void wrong_usage_is_named_and_nothing_is_called(void **state)
{
    (void)state;
    setenv("DEVOLVE_RUNTIME_DIR", "/nonexistent", 1);
    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
        char expected[256];
        const char *name = mistakes[i].argv[0];
        struct result result = run_command(mistakes[i].run, mistakes[i].argv);
        snprintf(expected, sizeof(expected),
                 "devolvectl: %s: %s\nusage: devolvectl %s ARGUMENTS [--json]\n", name,
                 mistakes[i].err, name);
        assert_string_equal(result.err, expected);
        assert_string_equal(result.out, "");
        assert_int_equal(result.status, EXIT_USAGE);
        result_done(&result);
    }
}

static void help_of_a_command_shows_its_usage_and_all_its_lines(void **state)
{
    static const char *const argv[] = {"reload", "--help", NULL};
    (void)state;
    struct result result = run_command(command_reload, argv);
    assert_string_equal(result.out,
                        "usage: devolvectl reload ARGUMENTS [--json]\nSummary.\n\n  --detail\n");
    assert_string_equal(result.err, "");
    assert_int_equal(result.status, EXIT_DONE);
    result_done(&result);
}

static void without_a_daemon_every_command_fails_and_says_what_to_do(void **state)
{
    static const char *const argv[] = {"list", NULL};
    (void)state;
    setenv("DEVOLVE_RUNTIME_DIR", "/nonexistent", 1);
    struct result result = run_command(command_list, argv);
    assert_string_equal(
        result.err,
        "devolvectl: devolved is not running (there is no /nonexistent/io.devolve): start it with "
        "\"systemctl start devolved\", or set DEVOLVE_RUNTIME_DIR to the runtime directory of a "
        "daemon that runs\n");
    assert_string_equal(result.out, "");
    assert_int_equal(result.status, EXIT_FAILED);
    result_done(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_usage_is_named_and_nothing_is_called),
        cmocka_unit_test(help_of_a_command_shows_its_usage_and_all_its_lines),
        cmocka_unit_test(without_a_daemon_every_command_fails_and_says_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
