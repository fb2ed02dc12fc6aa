/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/usb_name.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void only_ids_of_four_digits_make_a_name(void **state)
{
    static const struct {
        const char *text;
        bool is_name;
        const char *vendor, *product, *serial;
    } cases[] = {
        {"usb:10c4:ea60", true, "10c4", "ea60", NULL},
        {"usb:10C4:EA60", true, "10c4", "ea60", NULL},
        {"usb:10c4:ea60:0001", true, "10c4", "ea60", "0001"},
        {"usb:10c4:ea60:a:b c", true, "10c4", "ea60", "a:b c"},
        {"usb:1-1.2", false, NULL, NULL, NULL},
        {"usb:1-1.2:1.0", false, NULL, NULL, NULL},
        {"usb:10c4", false, NULL, NULL, NULL},
        {"usb:10c4:", false, NULL, NULL, NULL},
        {"usb:10c4:ea6", false, NULL, NULL, NULL},
        {"usb:10c4:ea600", false, NULL, NULL, NULL},
        {"usb:10cg:ea60", false, NULL, NULL, NULL},
        {"tty:10c4:ea60", false, NULL, NULL, NULL},
        {"", false, NULL, NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct usb_name name = {.serial = NULL};
        if (usb_name_parse(cases[i].text, &name) != cases[i].is_name)
            fail_msg("'%s'", cases[i].text);
        if (!cases[i].is_name)
            continue;
        assert_string_equal(name.vendor, cases[i].vendor);
        assert_string_equal(name.product, cases[i].product);
        assert_true(streq_null(name.serial, cases[i].serial));
    }
}

static const struct usb_ids bus[] = {
    {"1-1", "10c4", "ea60", "A50285BI"}, {"1-2", "10c4", "ea60", "B1"},
    {"1-2.1", "10c4", "ea60", NULL},     {"1-3", "0403", "6001", "0001"},
    {"1-1:1.0", NULL, NULL, NULL}, /* an interface has no ids of its own */
    {"2-1", "10c4", "ea61", "A50285BI"},
};

static int look(const char *text, struct refusal *why)
{
    struct usb_name name;
    struct usb_matches matches = {.count = 0};
    assert_true(usb_name_parse(text, &name));
    for (size_t i = 0; i < ARRAY_SIZE(bus); i++)
        if (usb_name_fits(&name, &bus[i]))
            usb_matches_add(&matches, &bus[i]);
    return usb_matches_judge(&matches, &name, why);
}

static void of_several_devices_none_is_taken_and_each_is_named(void **state)
{
    static const struct {
        const char *text;
        int result;
        const char *why;
    } cases[] = {
        {"usb:0403:6001", 0, NULL},
        {"usb:10c4:ea60:A50285BI", 0, NULL},
        {"usb:10C4:EA61", 0, NULL},
        {"usb:10c4:ea60", -ENOTUNIQ,
         "3 USB devices are 10c4:ea60, so say which by its port: usb:1-1 (serial A50285BI), "
         "usb:1-2 (serial B1), usb:1-2.1"},
        {"usb:10c4:ea60:a50285bi", -ENODEV,
         "no USB device 10c4:ea60 with serial a50285bi is plugged in"},
        {"usb:dead:beef", -ENODEV, "no USB device dead:beef is plugged in"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct refusal why = {.error = 0};
        int r = look(cases[i].text, &why);
        if (r != cases[i].result)
            fail_msg("'%s': %d", cases[i].text, r);
        if (r < 0)
            assert_string_equal(why.text, cases[i].why);
    }
}

static void a_name_that_does_not_fit_is_left_out_whole(void **state)
{
    struct usb_name name;
    struct refusal why = {.error = 0};
    struct usb_matches matches = {.count = 0};
    char serial[121];
    (void)state;
    memset(serial, 's', sizeof(serial) - 1);
    serial[sizeof(serial) - 1] = '\0';
    assert_true(usb_name_parse("usb:10c4:ea60", &name));
    for (int i = 0; i < 3; i++)
        usb_matches_add(&matches, &(struct usb_ids){"1-1", "10c4", "ea60", serial});
    usb_matches_add(&matches, &(struct usb_ids){"1-4", "10c4", "ea60", NULL});
    assert_int_equal(usb_matches_judge(&matches, &name, &why), -ENOTUNIQ);
    assert_non_null(strstr(why.text, "4 USB devices"));
    assert_non_null(strstr(why.text, "s), usb:1-4"));
    assert_null(strstr(matches.text, "usb:1-1 (serial sss)"));
    assert_true(strlen(matches.text) < sizeof(matches.text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_ids_of_four_digits_make_a_name),
        cmocka_unit_test(of_several_devices_none_is_taken_and_each_is_named),
        cmocka_unit_test(a_name_that_does_not_fit_is_left_out_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
