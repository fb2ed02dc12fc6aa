/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/place.h"

/* Directories that were made inside: which of them go with a thing. */

#define FIRST "/dev/bus/usb/001/000"
#define SECOND "/dev/bus/usb/001/002"
#define OTHER_BUS "/dev/bus/usb/002/001"

static void expect_none(const struct door_place *place)
{
    assert_null(place->directories);
}

static void all_that_were_made_go_with_the_only_thing(void **state)
{
    (void)state;
    struct door_place place = {0};
    place_enter_directories(&place, FIRST, 3);
    assert_int_equal(place_count_directories(&place, FIRST, true), 3);
    place_leave_directories(&place, FIRST);
    expect_none(&place);
}

static void what_was_there_before_stays(void **state)
{
    (void)state;
    struct door_place place = {0};
    place_enter_directories(&place, FIRST, 1);
    assert_int_equal(place_count_directories(&place, FIRST, true), 1);
    assert_int_equal(place_count_directories(&place, OTHER_BUS, true), 0);
    place_leave_directories(&place, FIRST);
    expect_none(&place);
}

static void a_directory_with_another_thing_in_it_stays_though_it_may_be_empty(void **state)
{
    (void)state;
    struct door_place place = {0};
    place_enter_directories(&place, FIRST, 3);
    place_enter_directories(&place, SECOND, 0);
    assert_int_equal(place_count_directories(&place, SECOND, true), 0);
    place_leave_directories(&place, SECOND);
    assert_int_equal(place_count_directories(&place, FIRST, true), 3);
    place_leave_directories(&place, FIRST);
    expect_none(&place);
}

static void those_above_stay_with_their_other_directories(void **state)
{
    (void)state;
    struct door_place place = {0};
    place_enter_directories(&place, FIRST, 3);
    place_enter_directories(&place, OTHER_BUS, 1);
    assert_int_equal(place_count_directories(&place, OTHER_BUS, true), 1);
    place_leave_directories(&place, OTHER_BUS);
    place_leave_directories(&place, FIRST);
    expect_none(&place);
}

static void what_never_came_to_be_counted_takes_nothing_of_others_along(void **state)
{
    (void)state;
    struct door_place place = {0};
    place_enter_directories(&place, FIRST, 3);
    assert_int_equal(place_count_directories(&place, SECOND, false), 0);
    place_leave_directories(&place, FIRST);
    expect_none(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_were_made_go_with_the_only_thing),
        cmocka_unit_test(what_was_there_before_stays),
        cmocka_unit_test(a_directory_with_another_thing_in_it_stays_though_it_may_be_empty),
        cmocka_unit_test(those_above_stay_with_their_other_directories),
        cmocka_unit_test(what_never_came_to_be_counted_takes_nothing_of_others_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
