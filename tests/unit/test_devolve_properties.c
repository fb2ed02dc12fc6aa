/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Delegation by udev's own rules: DEVOLVE_* properties, with ours and without. */

#include "rule_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* udev says these properties of the stick, after DEVOLVE_CONTAINER="db web?". */
static const struct {
    const char *sentence;
    const char *properties[8][2];
    const char *rules;
    const char *expected;
} CASES[] = {
    {"udev gives", {{0}}, "", "given udev:0"},
    {"with all that it says",
     {{"DEVOLVE_NODE", "lab/%k;"},
      {"DEVOLVE_OWNER", "1000"},
      {"DEVOLVE_GROUP", "dialout"},
      {"DEVOLVE_MODE", "0660"},
      {"DEVOLVE_SYMLINK", "a /dev/b*  c"},
      {"DEVOLVE_OPTIONS", "subtree,dangerous link_priority=3"}},
     "",
     "given udev:0 node=/dev/lab/_k_ owner=1000 group=dialout mode=660 options=17 priority=3 "
     "link=/dev/a link=/dev/b_ link=/dev/c"},
    {"what is empty says nothing",
     {{"DEVOLVE_MODE", ""}, {"DEVOLVE_NODE", ""}},
     "",
     "given udev:0"},
    {"to those whom it names", {{"DEVOLVE_CONTAINER", "db web web11"}}, "", "-"},
    {"to anybody", {{"DEVOLVE_CONTAINER", "  *"}}, "", "given udev:0"},
    {"to nobody", {{"DEVOLVE_CONTAINER", ""}}, "", "-"},
    {"a mode that is none", {{"DEVOLVE_MODE", "rw"}}, "", "-"},
    {"a node elsewhere", {{"DEVOLVE_NODE", "/etc/passwd"}}, "", "-"},
    {"a link that climbs", {{"DEVOLVE_SYMLINK", "a ../b"}}, "", "-"},
    {"an owner that is two", {{"DEVOLVE_OWNER", "a b"}}, "", "-"},
    {"a group that is a path", {{"DEVOLVE_GROUP", "/a"}}, "", "-"},
    {"an option that is none", {{"DEVOLVE_OPTIONS", "all"}}, "", "-"},
    {"an option of our lines", {{"DEVOLVE_OPTIONS", "last_rule"}}, "", "-"},
    {"our rules refine it",
     {{"DEVOLVE_MODE", "0660"}, {"DEVOLVE_SYMLINK", "a"}},
     "KERNEL==\"1-2\", MODE=\"0600\", SYMLINK+=\"b\"",
     "given udev:0 mode=600 link=/dev/a link=/dev/b"},
    {"our rules take it back", {{0}}, "KERNEL==\"1-2\", CONTAINER-=\"web*\"", "-"},
    {"our rules may ask for it",
     {{0}},
     "KERNEL==\"1-2\", ENV{DEVOLVE_CONTAINER}==\"*web*\", MODE=\"1\"",
     "given udev:0 mode=1"},
};

static void tell_udev(struct device *device, const char *const (*pairs)[2])
{
    struct property_list properties = {0};
    assert_int_equal(property_set(&properties, "DEVOLVE_CONTAINER", "db web?"), 0);
    for (; (*pairs)[0]; pairs++)
        assert_int_equal(property_set(&properties, (*pairs)[0], (*pairs)[1]), 0);
    assert_int_equal(device_set_udev(device, &properties, NULL, NULL), 0);
    property_list_done(&properties);
}

static void udev_delegates_what_it_says(void **state)
{
    const struct scene *scene = *state;
    struct device *stick = scene->devices[SCENE_STICK];
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
        _cleanup_rule_set_ struct rule_set *rules = scene_parse(CASES[i].sentence, CASES[i].rules);
        struct text got = {0};
        tell_udev(stick, CASES[i].properties);
        scene_judge(rules, stick, NULL, &got);
        if (!streq(got.bytes, CASES[i].expected))
            fail_msg("%s\n got      %s\n expected %s", CASES[i].sentence, got.bytes,
                     CASES[i].expected);
    }
}

static void a_trace_tells_it_first(void **state)
{
    const struct scene *scene = *state;
    struct device *stick = scene->devices[SCENE_STICK];
    static const struct {
        const char *properties[2][2];
        const char *expected;
    } cases[] = {
        {{{0}}, "udev:0 matched gives\nt:1 matched\n"},
        {{{"DEVOLVE_MODE", "rw"}}, "udev:0 no DEVOLVE_MODE <rw>\nt:1 matched\n"},
        {{{"DEVOLVE_CONTAINER", "db"}}, "udev:0 no DEVOLVE_CONTAINER <db>\nt:1 matched\n"},
    };
    _cleanup_rule_set_ struct rule_set *rules = scene_parse("a trace", "MODE=\"1\"");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct text trace = {0}, share = {0};
        tell_udev(stick, cases[i].properties);
        scene_judge(rules, stick, &trace, &share);
        assert_string_equal(trace.bytes, cases[i].expected);
    }
}

static void only_udev_can_say_so(void **state)
{
    (void)state;
    _cleanup_device_ struct device *device = NULL;
    _cleanup_rule_set_ struct rule_set *rules = scene_parse("nothing", "");
    struct text got = {0};
    assert_int_equal(device_new("/devices/a", "hid", NULL, "HID_UNIQ=x\nDEVOLVE_CONTAINER=web1\n",
                                1, NULL, &device),
                     0);
    scene_judge(rules, device, NULL, &got);
    assert_int_equal(device_set_udev(device, NULL, NULL, NULL), 0);
    scene_judge(rules, device, NULL, &got);
    assert_string_equal(got.bytes, "--");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_make, scene_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(udev_delegates_what_it_says),
        TEST(a_trace_tells_it_first),
        cmocka_unit_test(only_udev_can_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
