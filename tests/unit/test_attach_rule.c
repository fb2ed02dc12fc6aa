/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/attach_rule.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/rule_match.h"
#include "model/rule_parser.h"

#define KEYS "SUBSYSTEM==\"tty\""

static int make(const char *container, const struct share *share, struct attach_rule *ret,
                struct refusal *why)
{
    char reason[] = "By its kind; with advice";
    char text[] = KEYS ", \\\n    CONTAINER+=\"my-container\"\n";
    const struct rule_suggestion told = {reason, text, strlen(KEYS)};
    return attach_rule_new(&told, container, "/devices/tty0", share, ret, why);
}

/* What the file says of a tty, for web1. */
static struct share judge(const struct attach_rule *rule)
{
    _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
    _cleanup_device_ struct device *device = NULL;
    struct rule_problems problems = {.count = 0};
    const struct rule_container web1 = {"web1", NULL}, other = {"web10", NULL};
    struct share share;

    int r = rule_parse(rules, rule->name, rule->text, strlen(rule->text), &problems);
    if (r < 0 || problems.count > 0)
        fail_msg("%s in:\n%s", problems.count ? problems.items[0].text : "?", rule->text);
    assert_int_equal(device_new("/devices/tty0", "tty", NULL, "", 1, NULL, &device), 0);
    assert_int_equal(rule_judge(rules, device, &other, NULL, NULL, &share), 0);
    share_done(&share);
    assert_int_equal(rule_judge(rules, device, &web1, NULL, NULL, &share), 1);
    return share;
}

static void the_rule_says_what_was_asked_for(void **state)
{
    const struct share cases[] = {
        {.mode = -1},
        {.mode = 0, .access = ACCESS_READ},
        {.mode = 0660,
         .node = (char[]){"/dev/zig"},
         .owner = (char[]){"7"},
         .group = (char[]){"dialout"},
         .access = ACCESS_READ | ACCESS_WRITE | ACCESS_MKNOD,
         .options = OPTION_SUBTREE,
         .symlinks = {(char[]){"/dev/a"}, (char[]){"/dev/by/b"}},
         .symlink_count = 2},
        {.mode = -1,
         .node = (char[]){"/dev/a:b@c"},
         .symlinks = {(char[]){"/dev/a#b+c"}},
         .symlink_count = 1},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct attach_rule rule;
        assert_int_equal(make("web1", &cases[i], &rule, NULL), 0);
        struct share got = judge(&rule);
        assert_true(streq_null(got.node, cases[i].node));
        assert_true(streq_null(got.owner, cases[i].owner));
        assert_true(streq_null(got.group, cases[i].group));
        assert_int_equal(got.mode, cases[i].mode);
        assert_int_equal(got.access, cases[i].access);
        assert_int_equal(got.options, cases[i].options);
        assert_int_equal(got.symlink_count, cases[i].symlink_count);
        for (size_t k = 0; k < got.symlink_count; k++)
            assert_string_equal(got.symlinks[k], cases[i].symlinks[k]);
        share_done(&got);
        attach_rule_done(&rule);
    }
}

static void the_file_tells_who_wrote_it_and_how_to_undo_it(void **state)
{
    struct attach_rule rule;
    const struct share share = {.mode = 0660, .options = OPTION_SUBTREE};
    (void)state;
    assert_int_equal(make("web1", &share, &rule, NULL), 0);
    assert_string_equal(rule.told_by, "By its kind");
    assert_string_equal(rule.text,
                        "# Written by devolved for \"devolvectl attach --persist\". To undo it:\n"
                        "#   devolvectl detach web1 DEVICE\n"
                        "# where DEVICE may be the name of this file, if it is not plugged in.\n"
                        "# /devices/tty0\n"
                        "# By its kind:\n"
                        "SUBSYSTEM==\"tty\", \\\n"
                        "    CONTAINER+=\"web1\", MODE=\"0660\", OPTIONS+=\"subtree\"\n");
    attach_rule_done(&rule);
}

static void what_could_end_a_value_is_refused(void **state)
{
    static const char *const values[] = {"/dev/a\"",  "/dev/a\\", "/dev/a\nKERNEL==\"b\"",
                                         "/dev/\x7f", "/dev/%k",  "$name"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        struct refusal why = {.error = 0};
        struct attach_rule rule;
        _cleanup_free_ char *value = strdup(values[i]);
        const struct share shares[] = {
            {.mode = -1, .node = value},
            {.mode = -1, .owner = value},
            {.mode = -1, .group = value},
            {.mode = -1, .symlinks = {value}, .symlink_count = 1},
        };
        for (size_t k = 0; k < ARRAY_SIZE(shares); k++) {
            assert_int_equal(make("web1", &shares[k], &rule, &why), -EINVAL);
            assert_non_null(strstr(why.text, "cannot be written in a rule"));
        }
    }
}

static void a_name_is_one_containers_alone(void **state)
{
    static const struct {
        const char *name, *container;
        bool is_one;
    } cases[] = {
        {"80-attached-web1-0123456789abcdef.rules", "web1", true},
        {"80-attached-web1-0123456789abcdef.rules", NULL, true},
        {"80-attached-web1-0123456789abcdef.rules", "web", false},
        {"80-attached-web1-0123456789abcdef.rules", "web10", false},
        {"80-attached-a-b-0123456789abcdef.rules", "a-b", true},
        {"80-attached-a-b-0123456789abcdef.rules", "a", false},
        {"80-attached-a-0123456789abcdef-0123456789abcdef.rules", "a", false},
        {"80-attached--0123456789abcdef.rules", NULL, false},
        {"80-attached-0123456789abcdef.rules", NULL, false},
        {"80-attached-web1-0123456789abcde.rules", NULL, false},
        {"80-attached-web1-0123456789ABCDEF.rules", NULL, false},
        {"80-attached-web1-0123456789abcdef.rules~", NULL, false},
        {"80-attached-../x/web1-0123456789abcdef.rules", NULL, false},
        {"81-attached-web1-0123456789abcdef.rules", NULL, false},
        {"attach", NULL, false},
        {"", NULL, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (attach_rule_is_name(cases[i].name, cases[i].container) != cases[i].is_one)
            fail_msg("%s, %s", cases[i].name, cases[i].container ? cases[i].container : "any");
}

static void a_container_and_its_device_have_one_name(void **state)
{
    const struct share one = {.mode = -1}, other = {.mode = 0660, .options = OPTION_SUBTREE};
    struct attach_rule first, second, longest;
    char container[128];
    (void)state;
    assert_int_equal(make("web1", &one, &first, NULL), 0);
    assert_int_equal(make("web1", &other, &second, NULL), 0);
    assert_string_equal(first.name, second.name);
    assert_true(attach_rule_is_name(first.name, "web1"));
    memset(container, 'x', sizeof(container) - 1);
    container[sizeof(container) - 1] = '\0';
    assert_int_equal(make(container, &one, &longest, NULL), 0);
    assert_true(attach_rule_is_name(longest.name, container));
    attach_rule_done(&first);
    attach_rule_done(&second);
    attach_rule_done(&longest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rule_says_what_was_asked_for),
        cmocka_unit_test(the_file_tells_who_wrote_it_and_how_to_undo_it),
        cmocka_unit_test(what_could_end_a_value_is_refused),
        cmocka_unit_test(a_name_is_one_containers_alone),
        cmocka_unit_test(a_container_and_its_device_have_one_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
