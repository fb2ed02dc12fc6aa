/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/property.h"
#include "model/share.h"

static void an_empty_list_has_nothing(void **state)
{
    struct property_list list = {0};
    (void)state;
    assert_null(property_get(&list, "A"));
    property_list_done(&list);
    assert_int_equal(list.count, 0);
}

static void properties_keep_the_order_they_came_in(void **state)
{
    struct property_list list = {0};
    (void)state;
    for (int i = 0; i < 50; i++) {
        char key[16];
        snprintf(key, sizeof(key), "K%d", i);
        assert_int_equal(property_set(&list, key, "v"), 0);
    }
    assert_int_equal(list.count, 50);
    assert_string_equal(list.items[0].key, "K0");
    assert_string_equal(list.items[49].key, "K49");
    property_list_done(&list);
    assert_null(list.items);
}

static void setting_again_replaces_in_place(void **state)
{
    struct property_list list = {0};
    (void)state;
    property_set(&list, "A", "1");
    property_set(&list, "B", "2");
    assert_int_equal(property_set(&list, "A", "3"), 0);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.items[0].key, "A");
    assert_string_equal(list.items[0].value, "3");
    property_list_done(&list);
}

static void a_value_may_be_set_to_itself(void **state)
{
    struct property_list list = {0};
    (void)state;
    property_set(&list, "A", "one");
    assert_int_equal(property_set(&list, "A", property_get(&list, "A")), 0);
    assert_string_equal(property_get(&list, "A"), "one");
    assert_int_equal(property_merge(&list, &list), 0);
    assert_string_equal(property_get(&list, "A"), "one");
    property_list_done(&list);
}

static void keys_are_compared_whole_and_by_case(void **state)
{
    struct property_list list = {0};
    (void)state;
    property_set(&list, "ABC", "1");
    assert_null(property_get(&list, "AB"));
    assert_null(property_get(&list, "ABCD"));
    assert_null(property_get(&list, "abc"));
    property_list_done(&list);
}

static void merging_copies_and_replaces(void **state)
{
    struct property_list list = {0}, from = {0};
    (void)state;
    property_set(&list, "A", "1");
    property_set(&list, "B", "2");
    property_set(&from, "C", "3");
    property_set(&from, "A", "4");
    assert_int_equal(property_merge(&list, &from), 0);
    property_list_done(&from);
    assert_int_equal(list.count, 3);
    assert_string_equal(property_get(&list, "A"), "4");
    assert_string_equal(property_get(&list, "B"), "2");
    assert_string_equal(property_get(&list, "C"), "3");
    property_list_done(&list);
}

static void lists_are_equal_pair_by_pair(void **state)
{
    struct property_list a = {0}, b = {0};
    (void)state;
    assert_true(property_list_equal(&a, &b));
    property_set(&a, "A", "1");
    assert_false(property_list_equal(&a, &b));
    property_set(&b, "A", "2");
    assert_false(property_list_equal(&a, &b));
    property_set(&b, "A", "1");
    assert_true(property_list_equal(&a, &b));
    property_set(&a, "B", "");
    property_set(&b, "C", "");
    assert_false(property_list_equal(&a, &b));
    property_list_done(&a);
    property_list_done(&b);
}

static void keys_are_words_of_udev(void **state)
{
    static const struct {
        const char *key;
        bool valid;
    } cases[] = {
        {"ID_VENDOR", true}, {"a.b:c-9", true}, {"", false},         {"A B", false},
        {"A=B", false},      {"A/B", false},    {"\xc3\xa9", false}, {"A\n", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(property_key_is_valid(cases[i].key, strlen(cases[i].key)), cases[i].valid);
}

static void a_share_frees_all_it_holds(void **state)
{
    struct share share = {.given = true,
                          .node = strdup("/dev/a"),
                          .owner = strdup("root"),
                          .group = strdup("tty"),
                          .rule_file = strdup("70.rules"),
                          .mode = 0600};
    (void)state;
    share.symlinks[share.symlink_count++] = strdup("/dev/b");
    property_set(&share.env, "A", "1");
    share_done(&share);
    assert_false(share.given);
    assert_null(share.node);
    assert_int_equal(share.symlink_count, 0);
    assert_int_equal(share.mode, -1);
    share_done(&share);
}

static void assert_copied(const char *copy, const char *original)
{
    assert_string_equal(copy, original);
    assert_ptr_not_equal(copy, original);
}

static void a_copy_of_a_share_has_all_of_it_and_holds_its_own(void **state)
{
    struct share share = {.given = true,
                          .waits = true,
                          .node = strdup("/dev/a"),
                          .name = strdup("eth7"),
                          .owner = strdup("root"),
                          .group = strdup("tty"),
                          .mode = 0640,
                          .access = ACCESS_MKNOD,
                          .options = OPTION_EXCLUSIVE,
                          .symlinks = {strdup("/dev/b"), strdup("/dev/c")},
                          .symlink_count = 2,
                          .link_priority = -7,
                          .rule_file = strdup("70.rules"),
                          .rule_line = 12};
    struct share copy;
    (void)state;
    property_set(&share.env, "A", "1");

    assert_int_equal(share_copy(&copy, &share), 0);
    assert_copied(copy.node, share.node);
    assert_copied(copy.name, share.name);
    assert_copied(copy.owner, share.owner);
    assert_copied(copy.group, share.group);
    assert_copied(copy.rule_file, share.rule_file);
    assert_int_equal(copy.symlink_count, 2);
    assert_copied(copy.symlinks[0], share.symlinks[0]);
    assert_copied(copy.symlinks[1], share.symlinks[1]);
    assert_true(property_list_equal(&copy.env, &share.env));
    assert_ptr_not_equal(copy.env.items, share.env.items);
    assert_true(copy.given && copy.waits);
    assert_int_equal(copy.mode, 0640);
    assert_int_equal(copy.access, ACCESS_MKNOD);
    assert_int_equal(copy.options, OPTION_EXCLUSIVE);
    assert_int_equal(copy.link_priority, -7);
    assert_int_equal(copy.rule_line, 12);
    share_done(&share);
    share_done(&copy);
}

static void an_empty_share_can_be_copied(void **state)
{
    struct share share = {.mode = -1}, copy;
    (void)state;
    assert_int_equal(share_copy(&copy, &share), 0);
    assert_null(copy.node);
    assert_int_equal(copy.mode, -1);
    share_done(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_list_has_nothing),
        cmocka_unit_test(properties_keep_the_order_they_came_in),
        cmocka_unit_test(setting_again_replaces_in_place),
        cmocka_unit_test(a_value_may_be_set_to_itself),
        cmocka_unit_test(keys_are_compared_whole_and_by_case),
        cmocka_unit_test(merging_copies_and_replaces),
        cmocka_unit_test(lists_are_equal_pair_by_pair),
        cmocka_unit_test(keys_are_words_of_udev),
        cmocka_unit_test(a_share_frees_all_it_holds),
        cmocka_unit_test(a_copy_of_a_share_has_all_of_it_and_holds_its_own),
        cmocka_unit_test(an_empty_share_can_be_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
