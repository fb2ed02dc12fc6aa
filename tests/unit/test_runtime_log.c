/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "hooks/runtime_log.h"
#include "model/varlink_message.h"

static int make_path(void **state)
{
    static char path[64];
    snprintf(path, sizeof(path), "/tmp/devolve-unit.XXXXXX");
    int fd = mkstemp(path);
    *state = path;
    return fd < 0 || close(fd) < 0 ? -1 : unlink(path);
}

static int remove_path(void **state)
{
    return unlink(*state);
}

static void errors_follow_what_is_there_as_lines_of_json(void **state)
{
    char text[1024];
    assert_int_equal(runtime_log_error(*state, true, "cannot: \"a\\b\""), 0);
    assert_int_equal(runtime_log_error(*state, true, "again"), 0);
    assert_true(file_read_at(AT_FDCWD, *state, text, sizeof(text)) > 0);
    char *end = strchr(text, '\n');
    assert_non_null(end);
    _cleanup_json_ json_t *line = json_loadb(text, (size_t)(end - text), 0, NULL);
    assert_string_equal(json_string_value(json_object_get(line, "level")), "error");
    assert_string_equal(json_string_value(json_object_get(line, "msg")), "cannot: \"a\\b\"");
    assert_int_equal(strlen(json_string_value(json_object_get(line, "time"))),
                     strlen("2000-01-01T00:00:00Z"));
    assert_non_null(strstr(end, "\"msg\":\"again\""));
}

static void as_text_a_message_is_within_quotes(void **state)
{
    char text[1024];
    assert_int_equal(runtime_log_error(*state, false, "cannot: \"a\""), 0);
    assert_true(file_read_at(AT_FDCWD, *state, text, sizeof(text)) > 0);
    assert_int_equal(strncmp(text, "time=\"2", 7), 0);
    assert_non_null(strstr(text, "Z\" level=error msg=\"cannot: \\\"a\\\"\"\n"));
}

static void a_pipe_that_nobody_reads_is_not_waited_for(void **state)
{
    assert_int_equal(mkfifo(*state, 0600), 0);
    assert_int_equal(runtime_log_error(*state, true, "x"), -ENXIO);
}

int main(void)
{
#define WITH_PATH(test) cmocka_unit_test_setup_teardown(test, make_path, remove_path)
    static const struct CMUnitTest tests[] = {
        WITH_PATH(errors_follow_what_is_there_as_lines_of_json),
        WITH_PATH(as_text_a_message_is_within_quotes),
        WITH_PATH(a_pipe_that_nobody_reads_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
