/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "model/varlink_message.h"

static int parse_call(const char *text, struct varlink_call *ret, struct refusal *why)
{
    return varlink_call_parse(text, strlen(text), ret, why);
}

static void a_call_is_read_with_its_parameters_and_flags(void **state)
{
    _cleanup_(varlink_call_done) struct varlink_call call = {0};
    (void)state;

    assert_int_equal(parse_call("{\"method\":\"io.devolve.Register\","
                                "\"parameters\":{\"name\":\"web1\",\"pid\":17},\"more\":true}",
                                &call, NULL),
                     0);
    assert_string_equal(call.method, "io.devolve.Register");
    assert_true(call.more);
    assert_false(call.oneway);
    assert_false(call.upgrade);
    assert_string_equal(json_string_value(json_object_get(call.parameters, "name")), "web1");
    assert_int_equal(json_integer_value(json_object_get(call.parameters, "pid")), 17);
}

static void parameters_that_are_left_out_are_the_empty_object(void **state)
{
    _cleanup_(varlink_call_done) struct varlink_call call = {0};
    _cleanup_(varlink_reply_done) struct varlink_reply reply = {0};
    (void)state;

    assert_int_equal(parse_call("{\"method\":\"io.devolve.Reload\"}", &call, NULL), 0);
    assert_true(json_is_object(call.parameters));
    assert_int_equal(json_object_size(call.parameters), 0);

    assert_int_equal(varlink_reply_parse("{}", 2, &reply, NULL), 0);
    assert_null(reply.error);
    assert_true(json_is_object(reply.parameters));
}

static void only_dotted_names_are_methods(void **state)
{
    static const struct {
        const char *name;
        bool good;
    } cases[] = {
        {"io.devolve.Reload", true},
        {"org.varlink.service.GetInfo", true},
        {"a.b.C", true},
        {"io.de-vo--lve.X1", true},
        {"io.0pointer.Ping", true},
        {"", false},
        {"Reload", false},
        {"devolve.Reload", false},
        {"io.devolve.reload", false},
        {"io.devolve.", false},
        {"io.devolve", false},
        {".devolve.Reload", false},
        {"io..Reload", false},
        {"io.devolve..Reload", false},
        {"io.-devolve.Reload", false},
        {"io.devolve-.Reload", false},
        {"0io.devolve.Reload", false},
        {"io.devolve.Re-load", false},
        {"io.devolve.Re load", false},
        {"io.d\\u00e9volve.Reload", false},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(varlink_call_done) struct varlink_call call = {0};
        char text[128];
        snprintf(text, sizeof(text), "{\"method\":\"%s\"}", cases[i].name);
        int r = parse_call(text, &call, NULL);
        if (r != (cases[i].good ? 0 : -EBADMSG))
            fail_msg("method \"%s\": %d", cases[i].name, r);
    }
}

static void a_bad_call_is_refused_with_the_reason(void **state)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "no JSON"},
        {"[]", "no JSON object"},
        {"17", "no JSON"},
        {"{\"method\":\"a.b.C\"", "no JSON"},
        {"{\"method\":\"a.b.C\"} {}", "no JSON"},
        {"{\"method\":\"a.b.C\",\"method\":\"a.b.D\"}", "duplicate"},
        {"{\"method\":\"a.b.C\",\"parameters\":{\"a\":1,\"a\":2}}", "duplicate"},
        {"{\"method\":\"a.b.C\",\"extra\":1}", "no member \"extra\""},
        {"{\"parameters\":{}}", "no method"},
        {"{\"method\":7}", "no dotted name"},
        {"{\"method\":\"a.b.C\",\"parameters\":[]}", "no object"},
        {"{\"method\":\"a.b.C\",\"parameters\":null}", "no object"},
        {"{\"method\":\"a.b.C\",\"more\":1}", "neither true nor false"},
        {"{\"method\":\"a.b.C\",\"oneway\":null}", "neither true nor false"},
        {"{\"method\":\"a.b.C\\u0000\"}", "no JSON"},
        {"{\"method\":\"a.b.C\xff\"}", "no JSON"},
        {"{\"method\":\"a.b.C\",\"continues\":true}", "no member \"continues\""},
        {"{\"method\":\"a.b.C\",\"parameters\":{\"n\":99999999999999999999}}", "no JSON"},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct varlink_call call = {0};
        struct refusal why = {0};
        int r = parse_call(cases[i].text, &call, &why);
        if (r != -EBADMSG || !strstr(why.text, cases[i].reason))
            fail_msg("%s: %d, %s", cases[i].text, r, why.text);
        assert_int_equal(why.error, EBADMSG);
        assert_null(call.method);
        assert_null(call.parameters);
    }
}

static void a_nul_byte_inside_a_message_is_refused(void **state)
{
    static const char text[] = "{\"method\":\"a.b.C\"}\0{}";
    struct varlink_call call = {0};
    (void)state;
    assert_int_equal(varlink_call_parse(text, sizeof(text) - 1, &call, NULL), -EBADMSG);
}

/* A call whose parameters make it `depth` levels deep in all. */
static char *nested_call(size_t depth)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    fputs("{\"method\":\"a.b.C\",\"parameters\":{\"]}\\\"]\":", file);
    for (size_t i = 2; i < depth; i++)
        fputc('[', file);
    fputs("\"[[[{\"", file);
    for (size_t i = 2; i < depth; i++)
        fputc(']', file);
    fputs("}}", file);
    assert_int_equal(fclose(file), 0);
    return text;
}

static void nesting_is_limited_and_brackets_in_strings_do_not_count(void **state)
{
    (void)state;
    for (size_t depth = VARLINK_DEPTH_MAX - 1; depth <= VARLINK_DEPTH_MAX + 1; depth++) {
        _cleanup_(varlink_call_done) struct varlink_call call = {0};
        _cleanup_free_ char *text = nested_call(depth);
        struct refusal why = {0};
        int expected = depth <= VARLINK_DEPTH_MAX ? 0 : -EBADMSG;
        assert_int_equal(parse_call(text, &call, &why), expected);
        if (expected < 0)
            assert_non_null(strstr(why.text, "deeper"));
    }
}

/* A call of exactly `size` bytes without its NUL. */
static char *sized_call(size_t size)
{
    static const char head[] = "{\"method\":\"a.b.C\",\"parameters\":{\"x\":\"", tail[] = "\"}}";
    char *text = malloc(size + 1);
    assert_non_null(text);
    memset(text, 'x', size);
    memcpy(text, head, sizeof(head) - 1);
    memcpy(text + size - (sizeof(tail) - 1), tail, sizeof(tail));
    return text;
}

static void a_call_has_a_largest_size_and_a_reply_sixteen_times_that(void **state)
{
    _cleanup_free_ char *largest = sized_call(VARLINK_MESSAGE_MAX);
    _cleanup_free_ char *larger = sized_call(VARLINK_MESSAGE_MAX + 1);
    _cleanup_(varlink_call_done) struct varlink_call call = {0}, none = {0};
    _cleanup_json_ json_t *parameters = json_object();
    struct varlink_reply reply = {0};
    size_t size;
    (void)state;

    assert_int_equal(parse_call(largest, &call, NULL), 0);
    assert_int_equal(parse_call(larger, &none, NULL), -EBADMSG);

    size_t huge = VARLINK_MESSAGE_MAX * 16;
    _cleanup_free_ char *text = malloc(huge);
    assert_non_null(text);
    memset(text, 'y', huge);
    json_object_set_new(parameters, "x", json_stringn(text, huge));
    assert_null(varlink_reply_format(parameters, false, &size));
    assert_int_equal(varlink_reply_parse(text, huge + 1, &reply, NULL), -EBADMSG);

    json_object_set_new(parameters, "x", json_stringn(text, huge - 64));
    _cleanup_free_ char *formatted = varlink_reply_format(parameters, false, &size);
    assert_non_null(formatted);
    assert_int_equal(varlink_reply_parse(formatted, size - 1, &reply, NULL), 0);
    varlink_reply_done(&reply);
}

static void what_is_formatted_is_read_back_the_same(void **state)
{
    _cleanup_json_ json_t *parameters =
        json_pack("{s:s, s:i, s:[s,s], s:n}", "name", "a \"quoted\" \xc3\xa9 \n", "pid", 7, "list",
                  "x", "y", "none");
    _cleanup_(varlink_call_done) struct varlink_call call = {0};
    _cleanup_(varlink_reply_done) struct varlink_reply reply = {0}, error = {0};
    size_t size;
    (void)state;
    assert_non_null(parameters);

    _cleanup_free_ char *text = varlink_call_format("io.devolve.X", parameters, true, &size);
    assert_non_null(text);
    assert_int_equal(text[size - 1], '\0');
    assert_int_equal(varlink_call_parse(text, size - 1, &call, NULL), 0);
    assert_true(call.more && json_equal(call.parameters, parameters));
    assert_string_equal(call.method, "io.devolve.X");

    _cleanup_free_ char *answer = varlink_reply_format(parameters, true, &size);
    assert_int_equal(varlink_reply_parse(answer, size - 1, &reply, NULL), 0);
    assert_true(reply.continues && !reply.error && json_equal(reply.parameters, parameters));

    _cleanup_free_ char *refusal = varlink_error_format("io.devolve.Refused", parameters, &size);
    assert_int_equal(varlink_reply_parse(refusal, size - 1, &error, NULL), 0);
    assert_string_equal(error.error, "io.devolve.Refused");
    assert_true(!error.continues && json_equal(error.parameters, parameters));
}

static void messages_have_exactly_the_members_that_they_need(void **state)
{
    size_t size;
    (void)state;
    _cleanup_free_ char *call = varlink_call_format("a.b.C", NULL, false, &size);
    assert_string_equal(call, "{\"method\":\"a.b.C\",\"parameters\":{}}");
    assert_int_equal(size, strlen(call) + 1);
    _cleanup_free_ char *reply = varlink_reply_format(NULL, false, &size);
    assert_string_equal(reply, "{\"parameters\":{}}");
    _cleanup_free_ char *error = varlink_error_format("a.b.E", NULL, &size);
    assert_string_equal(error, "{\"error\":\"a.b.E\",\"parameters\":{}}");
}

static void formatting_only_borrows_the_parameters(void **state)
{
    _cleanup_json_ json_t *parameters = json_pack("{s:i}", "a", 1);
    size_t size;
    (void)state;
    free(varlink_reply_format(parameters, false, &size));
    free(varlink_call_format("not valid UTF-8: \xff", parameters, false, &size));
    assert_int_equal(parameters->refcount, 1);
}

static void a_bad_reply_is_refused_with_the_reason(void **state)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "no JSON"},
        {"{\"error\":null}", "no dotted name"},
        {"{\"error\":\"Refused\"}", "no dotted name"},
        {"{\"parameters\":1}", "no object"},
        {"{\"continues\":\"yes\"}", "neither true nor false"},
        {"{\"method\":\"a.b.C\"}", "no member"},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct varlink_reply reply = {0};
        struct refusal why = {0};
        int r = varlink_reply_parse(cases[i].text, strlen(cases[i].text), &reply, &why);
        if (r != -EBADMSG || !strstr(why.text, cases[i].reason))
            fail_msg("%s: %d, %s", cases[i].text, r, why.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_read_with_its_parameters_and_flags),
        cmocka_unit_test(parameters_that_are_left_out_are_the_empty_object),
        cmocka_unit_test(only_dotted_names_are_methods),
        cmocka_unit_test(a_bad_call_is_refused_with_the_reason),
        cmocka_unit_test(a_nul_byte_inside_a_message_is_refused),
        cmocka_unit_test(nesting_is_limited_and_brackets_in_strings_do_not_count),
        cmocka_unit_test(a_call_has_a_largest_size_and_a_reply_sixteen_times_that),
        cmocka_unit_test(what_is_formatted_is_read_back_the_same),
        cmocka_unit_test(messages_have_exactly_the_members_that_they_need),
        cmocka_unit_test(formatting_only_borrows_the_parameters),
        cmocka_unit_test(a_bad_reply_is_refused_with_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
