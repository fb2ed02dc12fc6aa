/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "model/json_span.h"

static int find(const char *text, struct json_span *ret)
{
    struct refusal why;
    return json_span_find(text, strlen(text), "hooks", ret, &why);
}

static void a_member_is_found_wherever_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *text, *value;
    } cases[] = {
        {"{\"hooks\":{}}", "{}"},
        {" {\n\t\"hooks\" :\r\n null } \n", "null"},
        {"{\"a\":1,\"hooks\":[1,2]}", "[1,2]"},
        {"{\"hooks\":\"a\",\"b\":{}}", "\"a\""},
        {"{\"a\":{\"hooks\":1},\"hooks\":2}", "2"},
        {"{\"a\":[{\"hooks\":1}],\"hooks\":-2.5e9}", "-2.5e9"},
        {"{\"a\":\"\\\"hooks\\\":1,{[\",\"hooks\":true}", "true"},
        {"{\"a\":\"\\\\\",\"hooks\":{\"b\":\"}]\"}}", "{\"b\":\"}]\"}"},
        {"{\"hooks \":1,\"hooks\":3}", "3"},
        {"{\"big\":18446744073709551616000,\"hooks\":4}", "4"},
        {"{\"hooks\":{\"a\":{\"b\":[[{}]]}},\"c\":[]}", "{\"a\":{\"b\":[[{}]]}}"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct json_span span;
        if (find(cases[i].text, &span) != 1)
            fail_msg("not found: %s", cases[i].text);
        assert_int_equal(span.end - span.start, strlen(cases[i].value));
        assert_memory_equal(cases[i].text + span.start, cases[i].value, strlen(cases[i].value));
    }
}

static void where_there_is_none_it_goes_to_the_beginning(void **state)
{
    (void)state;
    static const struct {
        const char *text, *made;
    } cases[] = {
        {"{}", "{\"hooks\":7}"},
        {" { } ", " {\"hooks\":7 } "},
        {"{\"a\":1}", "{\"hooks\":7,\"a\":1}"},
        {"{\"Hook\":1,\"hookss\":{\"HOOKS\":1}}",
         "{\"hooks\":7,\"Hook\":1,\"hookss\":{\"HOOKS\":1}}"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct json_span span;
        assert_int_equal(find(cases[i].text, &span), 0);
        _cleanup_free_ char *made =
            json_span_replace(cases[i].text, strlen(cases[i].text), "hooks", &span, "7");
        assert_string_equal(made, cases[i].made);
    }
}

static void everything_else_stays_byte_for_byte(void **state)
{
    (void)state;
    static const char text[] = "{\"a\" : 18446744073709551615,\n \"hooks\" : [ 1 ] ,\t\"z\":1.10 }";
    struct json_span span;
    assert_int_equal(find(text, &span), 1);
    _cleanup_free_ char *made = json_span_replace(text, strlen(text), "hooks", &span, "{}");
    assert_string_equal(made, "{\"a\" : 18446744073709551615,\n \"hooks\" : {} ,\t\"z\":1.10 }");
}

static void what_is_no_object_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        " ",
        "[]",
        "7",
        "\"hooks\"",
        "{",
        "{\"hooks\"}",
        "{\"hooks\":}",
        "{\"hooks\":1,}",
        "{\"hooks\":1 2}",
        "{\"hooks\":1}}",
        "{\"hooks\":1} x",
        "{hooks:1}",
        "{\"a\":[1,2}",
        "{\"a\":\"b}",
        "{\"a\":1,\"hooks\":1,\"hooks\":2}",
        "{\"hooks\":{}\"a\":1}",
        "{,\"hooks\":1}",
        /* what runc, which knows no case, or any that knows escapes would take for it */
        "{\"Hooks\":1}",
        "{\"hooks\":1,\"HOOKS\":2}",
        "{\"ho\\u006fks\":1}",
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct json_span span;
        json_t *value = NULL;
        struct refusal why = {.error = 0};
        int r = json_span_load(cases[i], strlen(cases[i]), "hooks", &value, &why);
        if (r != -EBADMSG)
            fail_msg("%s gives %d", cases[i], r);
        if (find(cases[i], &span) >= 0)
            assert_non_null(why.text); /* only the value was wrong */
    }
}

static void no_beginning_of_a_text_is_taken_for_all_of_it(void **state)
{
    (void)state;
    static const char text[] =
        "{\"a\":{\"b\":[1,\"\\\"}\",{}]},\"hooks\":{\"c\":[true,null,-1.5e3]},\"d\":\"e\"}";
    for (size_t size = 0; size < strlen(text); size++) {
        struct json_span span;
        struct refusal why;
        char *exact = malloc(size ? size : 1); /* so that a byte too far is seen */
        memcpy(exact, text, size);
        assert_int_equal(json_span_find(exact, size, "hooks", &span, &why), -EBADMSG);
        free(exact);
    }
}

static void a_byte_of_zero_is_neither_a_blank_nor_in_a_string(void **state)
{
    (void)state;
    static const char after[] = "{\"hooks\":1}\0", inside[] = "{\"a\":\"\0\",\"hooks\":1}";
    struct json_span span;
    struct refusal why;
    assert_int_equal(json_span_find(after, sizeof(after) - 1, "hooks", &span, &why), -EBADMSG);
    assert_int_equal(json_span_find(inside, sizeof(inside) - 1, "hooks", &span, &why), -EBADMSG);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_is_found_wherever_it_is),
        cmocka_unit_test(where_there_is_none_it_goes_to_the_beginning),
        cmocka_unit_test(everything_else_stays_byte_for_byte),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(a_byte_of_zero_is_neither_a_blank_nor_in_a_string),
        cmocka_unit_test(no_beginning_of_a_text_is_taken_for_all_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
