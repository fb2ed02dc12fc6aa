/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/refusal.h"
#include "base/text.h"

static void only_printable_ascii_leaves_text_printable(void **state)
{
    static const struct {
        const char *in;
        size_t length;
        const char *out;
    } cases[] = {
        {"", 0, ""},
        {"plain text ~", 12, "plain text ~"},
        {"a\\b", 3, "a\\x5cb"},
        {"x\nDEVNAME=sda", 13, "x\\x0aDEVNAME=sda"},
        {"\033[31m", 5, "\\x1b[31m"},
        {"\0\x7f\x92", 3, "\\x00\\x7f\\x92"},
        {"\xc3\xa9", 2, "\\xc3\\xa9"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char out[64];
        size_t length = text_printable(out, sizeof(out), cases[i].in, cases[i].length);
        assert_string_equal(out, cases[i].out);
        assert_int_equal(length, strlen(cases[i].out));
    }
}

static void an_escape_that_does_not_fit_is_left_out_whole(void **state)
{
    static const char *const expected[] = {"", "", "a", "a", "a", "a", "a\\x0a", "a\\x0ab"};
    (void)state;
    for (size_t size = 1; size < ARRAY_SIZE(expected); size++) {
        char *out = test_malloc(size);
        assert_int_equal(text_printable(out, size, "a\nb", 3), strlen(expected[size]));
        assert_string_equal(out, expected[size]);
        test_free(out);
    }
}

static void clean_text_is_utf8_without_control_characters(void **state)
{
    static const struct {
        const char *text;
        bool clean;
    } cases[] = {
        {"", true},
        {"A50285BI $(touch x) %n%n%s", true},
        {"\xc2\x80 \xdf\xbf", true},
        {"\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf", true},
        {"\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf", true},
        {"a\tb", false},
        {"a\nb", false},
        {"\033", false},
        {"\x7f", false},
        {"\x80", false},
        {"\x92", false},
        {"\xc0\xaf", false},         /* overlong '/' */
        {"\xc1\xbf", false},         /* overlong */
        {"\xe0\x9f\xbf", false},     /* overlong */
        {"\xed\xa0\x80", false},     /* surrogate */
        {"\xf0\x8f\xbf\xbf", false}, /* overlong */
        {"\xf4\x90\x80\x80", false}, /* above U+10FFFF */
        {"\xf5\x80\x80\x80", false},
        {"\xff", false},
        {"\xc3", false}, /* cut short */
        {"\xe2\x82", false},
        {"\xf0\x9f\x98", false},
        {"\xe2\x28\xa1", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (text_is_clean(cases[i].text, strlen(cases[i].text)) != cases[i].clean)
            fail_msg("case %zu", i);
    assert_false(text_is_clean("a\0b", 3));
}

static void a_sequence_is_not_read_past_the_length(void **state)
{
    (void)state;
    assert_false(text_is_clean("\xc3\xa9", 1));
    assert_true(text_is_clean("\xc3\xa9\xff", 2));
}

static void numbers_are_digits_only_and_at_most_max(void **state)
{
    static const struct {
        const char *text;
        uint64_t max;
        int result;
        uint64_t value;
    } cases[] = {
        {"0", 0, 1, 0},
        {"007", 9, 1, 7},
        {"4294967295", UINT32_MAX, 1, UINT32_MAX},
        {"4294967296", UINT32_MAX, -ERANGE, 0},
        {"18446744073709551615", UINT64_MAX, 1, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, -ERANGE, 0},
        {"99999999999999999999", UINT64_MAX, -ERANGE, 0},
        {"5", 4, -ERANGE, 0},
        {"10", 9, -ERANGE, 0},
        {"", 9, -EINVAL, 0},
        {"-1", 9, -EINVAL, 0},
        {"+1", 9, -EINVAL, 0},
        {" 1", 9, -EINVAL, 0},
        {"1 ", 9, -EINVAL, 0},
        {"0x1", 9, -EINVAL, 0},
        {"1\n", 9, -EINVAL, 0},
        {"\xb2", 9, -EINVAL, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t value = 0;
        assert_int_equal(text_to_number(cases[i].text, cases[i].max, &value), cases[i].result);
        assert_int_equal(value, cases[i].value);
    }
}

static void octal_numbers_have_no_digit_above_seven(void **state)
{
    uint64_t value = 0;
    (void)state;
    assert_int_equal(text_to_octal("0660", 07777, &value), 1);
    assert_int_equal(value, 0660);
    assert_int_equal(text_to_octal("7777", 07777, &value), 1);
    assert_int_equal(text_to_octal("10000", 07777, &value), -ERANGE);
    assert_int_equal(text_to_octal("0680", 07777, &value), -EINVAL);
    assert_int_equal(value, 07777);
}

static void a_refusal_carries_error_and_printable_text(void **state)
{
    struct refusal why = {0};
    (void)state;
    assert_int_equal(refuse(&why, EPERM, "serial %s", "\033x\n"), -EPERM);
    assert_int_equal(why.error, EPERM);
    assert_string_equal(why.text, "serial \\x1bx\\x0a");
}

static void a_refusal_nobody_reads_still_returns_the_error(void **state)
{
    (void)state;
    assert_int_equal(refuse(NULL, EBUSY, "%d", 1), -EBUSY);
}

static void a_long_refusal_is_cut(void **state)
{
    struct refusal why;
    char text[2 * REFUSAL_MAX];
    (void)state;
    memset(text, '\n', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    refuse(&why, EINVAL, "%s", text);
    assert_in_range(strlen(why.text), REFUSAL_MAX - 5, REFUSAL_MAX - 1);
}

static void context_goes_before_a_refusal(void **state)
{
    struct refusal why;
    (void)state;
    refuse(&why, ENOENT, "no \\ such");
    assert_int_equal(refusal_prefix(&why, "container %s", "web\n1"), -ENOENT);
    assert_int_equal(why.error, ENOENT);
    assert_string_equal(why.text, "container web\\x0a1: no \\x5c such");
}

static void context_before_a_full_refusal_is_cut_not_overrun(void **state)
{
    struct refusal why;
    char text[REFUSAL_MAX];
    (void)state;
    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    refuse(&why, EINVAL, "%s", text);
    refusal_prefix(&why, "%s", text);
    assert_string_equal(why.text, text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_printable_ascii_leaves_text_printable),
        cmocka_unit_test(an_escape_that_does_not_fit_is_left_out_whole),
        cmocka_unit_test(clean_text_is_utf8_without_control_characters),
        cmocka_unit_test(a_sequence_is_not_read_past_the_length),
        cmocka_unit_test(numbers_are_digits_only_and_at_most_max),
        cmocka_unit_test(octal_numbers_have_no_digit_above_seven),
        cmocka_unit_test(a_refusal_carries_error_and_printable_text),
        cmocka_unit_test(a_refusal_nobody_reads_still_returns_the_error),
        cmocka_unit_test(a_long_refusal_is_cut),
        cmocka_unit_test(context_goes_before_a_refusal),
        cmocka_unit_test(context_before_a_full_refusal_is_cut_not_overrun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
