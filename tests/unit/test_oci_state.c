/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "hooks/oci_state.h"

#define BOX "\"id\":\"box\",\"bundle\":\"/b\""

static void each_stage_of_each_runtime_is_understood(void **state)
{
    /* As runc 1.1 and crun 1.8 say it at createRuntime, poststart and poststop. */
    static const struct {
        const char *text;
        int pid;
        bool stopped;
        const char *root;
    } cases[] = {
        {"{\"ociVersion\":\"1.0.2-dev\"," BOX ",\"status\":\"creating\",\"pid\":7}", 7, false,
         NULL},
        {"{\"ociVersion\":\"1.0.2-dev\"," BOX ",\"status\":\"created\",\"pid\":7}", 7, false, NULL},
        {"{\"ociVersion\":\"1.0.2-dev\"," BOX ",\"status\":\"stopped\"}", 0, true, NULL},
        {"{\"ociVersion\":\"1.0\"," BOX ",\"status\":\"created\",\"pid\":7,\"root\":\"rootfs\"}", 7,
         false, NULL},
        {"{\"ociVersion\":\"1.0\"," BOX ",\"status\":\"running\",\"pid\":7,\"root\":\"/r\"}", 7,
         false, "/r"},
        {"{\"ociVersion\":\"1.0\"," BOX ",\"status\":\"stopped\",\"pid\":0,\"root\":\"/r\"}", 0,
         true, "/r"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct oci_state box;
        struct refusal why = {.error = 0};
        if (oci_state_parse(cases[i].text, strlen(cases[i].text), &box, &why) < 0)
            fail_msg("%s: %s", cases[i].text, why.text);
        assert_string_equal(box.id, "box");
        assert_string_equal(box.bundle, "/b");
        assert_int_equal(box.pid, cases[i].pid);
        assert_int_equal(box.stopped, cases[i].stopped);
        assert_true(streq_null(box.root, cases[i].root));
        assert_null(box.annotations);
        oci_state_done(&box);
    }
}

static void annotations_are_an_object_or_nothing(void **state)
{
    static const char *const texts[] = {"{\"a\":\"b\"}", "null", "[]", "7"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        char text[256];
        struct oci_state box;
        snprintf(text, sizeof(text),
                 "{" BOX ",\"status\":\"creating\",\"pid\":7,\"annotations\":%s}", texts[i]);
        assert_int_equal(oci_state_parse(text, strlen(text), &box, NULL), 0);
        assert_int_equal(json_object_size(box.annotations), i == 0 ? 1 : 0);
        oci_state_done(&box);
    }
}

static void what_makes_no_sense_is_refused_by_name(void **state)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "no JSON"},
        {"[", "no JSON"},
        {"{" BOX ",\"id\":\"other\",\"status\":\"stopped\"}", "no JSON"},
        {"[]", "makes no sense"},
        {"{\"bundle\":\"/b\",\"status\":\"stopped\"}", "id"},
        {"{\"id\":\"a\",\"status\":\"stopped\"}", "bundle"},
        {"{" BOX "}", "status"},
        {"{\"id\":\"a/b\",\"bundle\":\"/b\",\"status\":\"stopped\"}", "no container id"},
        {"{\"id\":\"\",\"bundle\":\"/b\",\"status\":\"stopped\"}", "no container id"},
        {"{\"id\":\"..\",\"bundle\":\"/b\",\"status\":\"stopped\"}", "no container id"},
        {"{\"id\":\"a\",\"bundle\":\"b\",\"status\":\"stopped\"}", "no absolute path"},
        {"{" BOX ",\"status\":\"creating\"}", "no process"},
        {"{" BOX ",\"status\":\"creating\",\"pid\":0}", "no process"},
        {"{" BOX ",\"status\":\"creating\",\"pid\":4294967297}", "no process"},
        {"{" BOX ",\"status\":\"creating\",\"pid\":\"7\"}", "makes no sense"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct oci_state box;
        struct refusal why = {.error = 0};
        assert_int_equal(oci_state_parse(cases[i].text, strlen(cases[i].text), &box, &why),
                         -EBADMSG);
        if (!strstr(why.text, cases[i].reason))
            fail_msg("%s: '%s' does not say '%s'", cases[i].text, why.text, cases[i].reason);
    }
}

static void the_largest_state_is_read_and_one_byte_more_is_not(void **state)
{
    static char text[OCI_STATE_MAX + 1];
    static const char begin[] = "{" BOX ",\"status\":\"stopped\"}";
    struct oci_state box;
    struct refusal why = {.error = 0};
    (void)state;
    memset(text, ' ', sizeof(text));
    memcpy(text, begin, strlen(begin));
    assert_int_equal(oci_state_parse(text, sizeof(text), &box, &why), -EBADMSG);
    assert_non_null(strstr(why.text, "more than 65536 bytes"));
    assert_int_equal(oci_state_parse(text, sizeof(text) - 1, &box, &why), 0);
    oci_state_done(&box);
}

static void brackets_without_end_do_no_harm(void **state)
{
    static char text[OCI_STATE_MAX];
    struct oci_state box;
    (void)state;
    memset(text, '[', sizeof(text));
    assert_int_equal(oci_state_parse(text, sizeof(text), &box, NULL), -EBADMSG);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_stage_of_each_runtime_is_understood),
        cmocka_unit_test(annotations_are_an_object_or_nothing),
        cmocka_unit_test(what_makes_no_sense_is_refused_by_name),
        cmocka_unit_test(the_largest_state_is_read_and_one_byte_more_is_not),
        cmocka_unit_test(brackets_without_end_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
