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

#include "hooks/runtime_config.h"

static const char *const arguments[] = {"hook", "--name", "a \"b\"", NULL};
static const struct runtime_hook hook = {.path = "/hook", .arguments = arguments};
#define OURS "{\"path\":\"/hook\",\"args\":[\"hook\",\"--name\",\"a \\\"b\\\"\"],\"timeout\":10}"
#define ALL_OURS "\"createRuntime\":[" OURS "],\"poststart\":[" OURS "],\"poststop\":[" OURS "]"

static void the_hook_is_added_behind_those_that_are_there(void **state)
{
    (void)state;
    static const struct {
        const char *text, *made;
    } cases[] = {
        {"{}", "{\"hooks\":{" ALL_OURS "}}"},
        {"{\"hooks\":null, \"x\": 18446744073709551615}",
         "{\"hooks\":{" ALL_OURS "}, \"x\": 18446744073709551615}"},
        {"{\"hooks\":{\"createRuntime\":null}}", "{\"hooks\":{" ALL_OURS "}}"},
        {"{\"a\":1,\"hooks\":{\"prestart\":[{\"path\":\"/p\"}],\"createRuntime\":[{\"path\":\"/"
         "q\"}]}}",
         "{\"a\":1,\"hooks\":{\"prestart\":[{\"path\":\"/p\"}],\"createRuntime\":[{\"path\":\"/"
         "q\"}," OURS "],\"poststart\":[" OURS "],\"poststop\":[" OURS "]}}"},
        /* it is there already */
        {"{\"hooks\":{\"createRuntime\":[{\"path\":\"/"
         "hook\"}],\"poststart\":[],\"poststop\":[{\"path\":\"/"
         "hook\"}]}}",
         "{\"hooks\":{\"createRuntime\":[{\"path\":\"/hook\"}],\"poststart\":[" OURS
         "],\"poststop\":[{\"path\":\"/hook\"}]}}"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct refusal why = {.error = 0};
        _cleanup_free_ char *made = NULL, *again = NULL;
        const char *text = cases[i].text;
        if (runtime_config_add_hook(text, strlen(text), &hook, &made, &why) < 0)
            fail_msg("%s: %s", text, why.text);
        assert_string_equal(made, cases[i].made);
        assert_int_equal(runtime_config_add_hook(made, strlen(made), &hook, &again, &why), 0);
        assert_string_equal(again, made);
    }
}

static void what_is_no_configuration_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {"",
                                        "[]",
                                        "{\"hooks\":[]}",
                                        "{\"hooks\":7}",
                                        "{\"hooks\":{\"poststop\":{}}}",
                                        "{\"hooks\":{\"poststop\":\"x\"}}",
                                        "{\"hooks\":{},\"hooks\":{}}"};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct refusal why = {.error = 0};
        char *made = NULL;
        assert_int_equal(runtime_config_add_hook(cases[i], strlen(cases[i]), &hook, &made, &why),
                         -EBADMSG);
        assert_null(made);
        assert_true(*why.text);
    }
}

static int make_bundle(void **state)
{
    static char path[64];
    snprintf(path, sizeof(path), "/tmp/devolve-unit.XXXXXX");
    *state = path;
    return mkdtemp(path) ? 0 : -1;
}

static int remove_bundle(void **state)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/config.json", (char *)*state);
    (void)unlink(path);
    return rmdir(*state);
}

static void a_file_is_replaced_whole_with_its_mode(void **state)
{
    struct refusal why = {.error = 0};
    struct stat st;
    size_t size;
    _cleanup_free_ char *text = NULL;
    _cleanup_close_ int bundle_fd = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_close_ int fd = openat(bundle_fd, "config.json", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "{\"a\":1}", 7), 7);
    assert_int_equal(fchmod(fd, 0640), 0);
    assert_int_equal(runtime_config_write(bundle_fd, "config.json", "{\"b\":2}", &why), 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_nlink, 0); /* another file has its name now */
    assert_int_equal(fstatat(bundle_fd, "config.json", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(runtime_config_read(bundle_fd, "config.json", &text, &size, &why), 0);
    assert_string_equal(text, "{\"b\":2}");
    assert_int_equal(faccessat(bundle_fd, ".config.json.devolve", F_OK, 0), -1);
}

static void a_file_that_is_missing_or_a_pipe_is_refused(void **state)
{
    struct refusal why = {.error = 0};
    char *text = NULL;
    size_t size;
    _cleanup_close_ int bundle_fd = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(runtime_config_read(bundle_fd, "config.json", &text, &size, &why), -ENOENT);
    assert_int_equal(runtime_config_write(bundle_fd, "config.json", "{}", &why), -ENOENT);
    assert_int_equal(faccessat(bundle_fd, ".config.json.devolve", F_OK, 0), -1);
    assert_int_equal(mkfifoat(bundle_fd, "config.json", 0600), 0);
    assert_int_equal(runtime_config_read(bundle_fd, "config.json", &text, &size, &why), -EBADMSG);
    assert_null(text);
}

int main(void)
{
#define IN_BUNDLE(test) cmocka_unit_test_setup_teardown(test, make_bundle, remove_bundle)
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hook_is_added_behind_those_that_are_there),
        cmocka_unit_test(what_is_no_configuration_is_refused),
        IN_BUNDLE(a_file_is_replaced_whole_with_its_mode),
        IN_BUNDLE(a_file_that_is_missing_or_a_pipe_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
