/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/label.h"

static json_t *parse_json(const char *text)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    assert_non_null(json);
    return json;
}

static void labels_are_an_object_of_strings(void **state)
{
    static const struct {
        const char *json;
        int result;
        size_t count;
    } cases[] = {
        {"null", 0, 0},
        {"{}", 0, 0},
        {"{\"tier\":\"front\",\"role\":\"\"}", 0, 2},
        {"[]", -EINVAL, 0},
        {"\"tier=front\"", -EINVAL, 0},
        {"{\"tier\":7}", -EINVAL, 0},
        {"{\"tier\":null}", -EINVAL, 0},
        {"{\"a\":\"b\",\"tier\":{}}", -EINVAL, 0},
        {"{\"\":\"front\"}", -EINVAL, 0},
        {"{\"tier\":\"a\\u0000b\"}", -EINVAL, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct property_list labels = {.count = 0};
        json_t *json = parse_json(cases[i].json);
        assert_int_equal(labels_parse(json, &labels), cases[i].result);
        assert_int_equal(labels.count, cases[i].count);
        property_list_done(&labels);
        json_decref(json);
    }
}

static void no_labels_at_all_are_none(void **state)
{
    struct property_list labels = {.count = 7};
    (void)state;
    assert_int_equal(labels_parse(NULL, &labels), 0);
    assert_int_equal(labels.count, 0);
}

/* An object with `count` labels whose keys and values have `length` bytes. */
static json_t *many(size_t count, size_t length)
{
    json_t *json = json_object();
    char text[LABEL_LENGTH_MAX + 2];
    for (size_t i = 0; i < count; i++) {
        memset(text, 'x', length);
        text[length] = '\0';
        text[0] = (char)('0' + i);
        assert_int_equal(json_object_set_new(json, text, json_string(text)), 0);
    }
    return json;
}

static void number_and_length_have_a_limit(void **state)
{
    static const struct {
        size_t count, length;
        int result;
    } cases[] = {
        {LABELS_MAX, LABEL_LENGTH_MAX, 0},
        {LABELS_MAX + 1, 1, -EINVAL},
        {1, LABEL_LENGTH_MAX + 1, -EINVAL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct property_list labels = {.count = 0};
        json_t *json = many(cases[i].count, cases[i].length);
        assert_int_equal(labels_parse(json, &labels), cases[i].result);
        property_list_done(&labels);
        json_decref(json);
    }
}

static void what_is_written_reads_the_same(void **state)
{
    struct property_list labels = {.count = 0}, again = {.count = 0};
    (void)state;
    assert_int_equal(property_set(&labels, "tier", "front"), 0);
    assert_int_equal(property_set(&labels, "io.example/role", "\"quoted\" \\"), 0);
    json_t *json = labels_format(&labels);
    assert_non_null(json);
    assert_int_equal(labels_parse(json, &again), 0);
    assert_int_equal(again.count, 2);
    assert_string_equal(property_get(&again, "io.example/role"), "\"quoted\" \\");
    json_decref(json);
    property_list_done(&labels);
    property_list_done(&again);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_an_object_of_strings),
        cmocka_unit_test(no_labels_at_all_are_none),
        cmocka_unit_test(number_and_length_have_a_limit),
        cmocka_unit_test(what_is_written_reads_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
