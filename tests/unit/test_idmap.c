/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/idmap.h"

static void ids_are_translated_both_ways(void **state)
{
    static const char text[] = "       1000       1000          1\n"
                               "0 100000 1000\n"
                               "\t1001 101001 64535\n";
    static const struct {
        uint32_t inside;
        int result;
        uint32_t host;
    } cases[] = {
        {0, 1, 100000},         {1, 1, 100001},     {999, 1, 100999}, {1000, 1, 1000},
        {1001, 1, 101001},      {65535, 1, 165535}, {65536, 0, 0},    {100000, 0, 0},
        {UINT32_MAX - 1, 0, 0}, {UINT32_MAX, 0, 0},
    };
    struct idmap map;
    (void)state;
    assert_int_equal(idmap_parse(&map, text, NULL), 0);
    assert_int_equal(map.count, 3);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint32_t host = 0, back = 0;
        assert_int_equal(idmap_to_host(&map, cases[i].inside, &host), cases[i].result);
        assert_int_equal(host, cases[i].host);
        if (cases[i].result) {
            assert_int_equal(idmap_to_inside(&map, host, &back), 1);
            assert_int_equal(back, cases[i].inside);
        }
    }
    uint32_t none = 7;
    assert_int_equal(idmap_to_inside(&map, 0, &none), 0);
    assert_int_equal(idmap_to_inside(&map, 101000, &none), 0);
    assert_int_equal(none, 7);
    idmap_done(&map);
}

static void an_empty_map_maps_nothing(void **state)
{
    struct idmap map;
    uint32_t id = 7;
    (void)state;
    assert_int_equal(idmap_parse(&map, "", NULL), 0);
    assert_int_equal(map.count, 0);
    assert_int_equal(idmap_to_host(&map, 0, &id), 0);
    assert_int_equal(idmap_to_inside(&map, 0, &id), 0);
    assert_int_equal(id, 7);
    idmap_done(&map);
}

static void a_map_of_one_id_with_a_gap_maps_that_id_only(void **state)
{
    struct idmap map;
    uint32_t id = 7;
    (void)state;
    assert_int_equal(idmap_parse(&map, "0 100000 1", NULL), 0);
    assert_int_equal(idmap_to_host(&map, 1, &id), 0);
    assert_int_equal(idmap_to_host(&map, 0, &id), 1);
    assert_int_equal(id, 100000);
    idmap_done(&map);
}

static void the_identity_maps_all_but_the_last_id(void **state)
{
    static const uint32_t ids[] = {0, 1, 1000, IDMAP_OVERFLOW_ID, UINT32_MAX - 1};
    struct idmap map;
    uint32_t id;
    (void)state;
    assert_int_equal(idmap_identity(&map), 0);
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        assert_int_equal(idmap_to_host(&map, ids[i], &id), 1);
        assert_int_equal(id, ids[i]);
    }
    assert_int_equal(idmap_to_host(&map, UINT32_MAX, &id), 0);
    assert_int_equal(idmap_to_inside(&map, UINT32_MAX, &id), 0);
    idmap_done(&map);
}

static void what_is_no_map_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *text;
        const char *reason;
    } cases[] = {
        {"\n", "line 1 is not three decimal numbers"},
        {"0 1\n", "line 1 is not three decimal numbers"},
        {"0 1 2 3\n", "line 1 is not three decimal numbers"},
        {"0 1 -2\n", "line 1 is not three decimal numbers"},
        {"0 1 0x2\n", "line 1 is not three decimal numbers"},
        {"0\n1 2\n", "line 1 is not three decimal numbers"},
        {"0 0 4294967296\n", "line 1 is not three decimal numbers"},
        {"0 0 99999999999999999999\n", "line 1 is not three decimal numbers"},
        {"0 1 1\n\n", "line 2 is not three decimal numbers"},
        {"0 1 1\r\n", "line 1 is not three decimal numbers"},
        {"0 1 0\n", "line 1: 0 1 0 is no range of ids"},
        {"1 0 4294967295\n", "line 1: 1 0 4294967295 is no range of ids"},
        {"0 1 4294967295\n", "line 1: 0 1 4294967295 is no range of ids"},
        {"0 4294967295 1\n", "line 1: 0 4294967295 1 is no range of ids"},
        {"0 100 10\n9 200 1\n", "line 2 overlaps line 1"},
        {"9 200 1\n0 100 10\n", "line 2 overlaps line 1"},
        {"0 100 10\n20 300 1\n10 109 1\n", "line 3 overlaps line 1"},
        {"0 100 10\n0 100 10\n", "line 2 overlaps line 1"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct idmap map = {.count = 42};
        struct refusal why = {0};
        assert_int_equal(idmap_parse(&map, cases[i].text, &why), -EINVAL);
        assert_string_equal(why.text, cases[i].reason);
        assert_int_equal(map.count, 42);
    }
}

static void neighbours_do_not_overlap(void **state)
{
    struct idmap map;
    (void)state;
    assert_int_equal(idmap_parse(&map, "0 10 10\n10 0 10\n20 20 4294967275\n", NULL), 0);
    idmap_done(&map);
}

/* Every second id inside, against the order on the host, so that both sorted orders differ. */
static void write_extents(char *text, size_t size, unsigned count)
{
    size_t used = 0;
    for (unsigned i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, size - used, "%u %u 1\n", 2 * i, 200000 - 3 * i);
}

static void the_kernels_limit_of_extents_is_ours(void **state)
{
    char text[16384];
    struct idmap map;
    struct refusal why;
    (void)state;
    write_extents(text, sizeof(text), IDMAP_EXTENTS_MAX);
    assert_int_equal(idmap_parse(&map, text, NULL), 0);
    assert_int_equal(map.count, IDMAP_EXTENTS_MAX);
    for (uint32_t id = 0; id < 2 * IDMAP_EXTENTS_MAX; id++) {
        uint32_t host = 0, inside = UINT32_MAX;
        assert_int_equal(idmap_to_host(&map, id, &host), id % 2 == 0);
        if (id % 2)
            continue;
        assert_int_equal(host, 200000 - 3 * (id / 2));
        assert_int_equal(idmap_to_inside(&map, host, &inside), 1);
        assert_int_equal(inside, id);
        assert_int_equal(idmap_to_inside(&map, host - 1, &inside), 0);
    }
    idmap_done(&map);

    write_extents(text, sizeof(text), IDMAP_EXTENTS_MAX + 1);
    assert_int_equal(idmap_parse(&map, text, &why), -EINVAL);
    assert_string_equal(why.text, "line 341: more than 340 extents");
}

static void the_ids_of_a_map_are_described_as_ranges(void **state)
{
    static const struct {
        const char *map, *ranges;
    } maps[] = {
        {"", "none"},
        {"0 100000 65536", "0-65535"},
        {"5 100000 1", "5"},
        {"10 300 5\n0 100 10\n20 200 1", "0-14, 20"},
        {"0 0 4294967295", "0-4294967294"},
    };
    char text[8192];
    struct idmap map;
    (void)state;
    for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
        assert_int_equal(idmap_parse(&map, maps[i].map, NULL), 0);
        assert_string_equal(idmap_describe(&map, text, 64), maps[i].ranges);
        idmap_done(&map);
    }
    write_extents(text, sizeof(text), IDMAP_EXTENTS_MAX);
    assert_int_equal(idmap_parse(&map, text, NULL), 0);
    assert_string_equal(idmap_describe(&map, text, 40), "0, 2, 4, 6, 8, 10 and 334 extents more");
    idmap_done(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_translated_both_ways),
        cmocka_unit_test(an_empty_map_maps_nothing),
        cmocka_unit_test(a_map_of_one_id_with_a_gap_maps_that_id_only),
        cmocka_unit_test(the_identity_maps_all_but_the_last_id),
        cmocka_unit_test(what_is_no_map_is_refused_with_its_line),
        cmocka_unit_test(neighbours_do_not_overlap),
        cmocka_unit_test(the_kernels_limit_of_extents_is_ours),
        cmocka_unit_test(the_ids_of_a_map_are_described_as_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
