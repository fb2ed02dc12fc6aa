/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Rules that are right and yet do nothing: each has one warning, there, with these words. */

#include "rule_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/rule_parser.h"

static const struct {
    const char *sentence;
    const char *text;
    unsigned line, column;
    const char *words;
} WARNINGS[] = {
    {"two names of one device", "KERNEL==\"a\", KERNEL==\"b\", MODE=\"1\"", 1, 14,
     "no device meets KERNEL==\"a\" and KERNEL==\"b\" at once"},
    {"a name and a pattern that it does not meet",
     "SUBSYSTEM==\"u*\", SUBSYSTEM==\"tty|block\", "
     "MODE=\"1\"",
     1, 18, "no device meets"},
    {"a name and its contrary", "KERNEL==\"a|b\", KERNEL!=\"[a-c]\", MODE=\"1\"", 1, 16,
     "no device meets"},
    {"two values of one attribute", "ATTR{x}==\"1\", KERNEL==\"k\", ATTR{x}==\"2\", MODE=\"1\"", 1,
     28, "no device meets"},
    {"two values of one property", "ENV{x}==\"1\", ENV{x}==\"2\", MODE=\"1\"", 1, 14,
     "no device meets"},
    {"two containers at once", "KERNEL==\"k\", CONTAINER==\"a\", CONTAINER==\"b\", MODE=\"1\"", 1,
     30, "no device meets"},
    {"two subsystems of one parent", "SUBSYSTEMS==\"usb\", SUBSYSTEMS==\"tty\", MODE=\"1\"", 1, 20,
     "no single parent meets SUBSYSTEMS==\"usb\" and SUBSYSTEMS==\"tty\" at once"},
    {"two serial numbers of one parent", "ATTRS{serial}==\"A\", ATTRS{serial}==\"B\", MODE=\"1\"",
     1, 21, "no single parent meets"},
    {"a USB id of a tty's", "SUBSYSTEM==\"tty\", ATTR{idVendor}==\"10c4\", MODE=\"1\"", 1, 19,
     "only a usb device or interface has ATTR{idVendor}"},
    {"a USB id of a parent that is no USB device",
     "ATTRS{idProduct}==\"ea60\", SUBSYSTEMS==\"pci|tty\", MODE=\"1\"", 1, 27,
     "only a usb device or interface has ATTRS{idProduct}"},
    {"a device and its interface in one parent",
     "ATTRS{idVendor}==\"10c4\", ATTRS{bInterfaceNumber}!=\"00\", MODE=\"1\"", 1, 26,
     "no single parent has both idVendor and bInterfaceNumber"},

    {"a rule behind the last", "KERNEL==\"a\", OPTIONS+=\"last_rule\"\nKERNEL==\"a\", MODE=\"1\"",
     2, 1, "comes too late: t.rules:1 matches the same"},
    {"a value behind the final one",
     "KERNEL==\"a\", ATTR{x}==\"1\", MODE:=\"1\", OWNER:=\"1\"\n"
     "ATTR{x}==\"1\", KERNEL==\"a\", OWNER=\"2\", MODE=\"2\"",
     2, 1, "comes too late"},
    {"a container behind the final one",
     "KERNEL==\"a\", CONTAINER:=\"x\"\nMODE=\"1\"\nKERNEL==\"a\", CONTAINER+=\"y\"", 3, 1,
     "comes too late"},
    {"the same for the same container",
     "KERNEL==\"a\", CONTAINER:=\"x\", MODE:=\"1\"\nKERNEL==\"a\", CONTAINER:=\"x\", MODE=\"2\"", 2,
     1, "comes too late"},

    {"a test of the host alone matches every device",
     "TEST==\"/etc/a\", CONTAINER-=\"a\"\n"
     "KERNEL==\"a\", CONST{virt}==\"none\"",
     2, 1, "only matches"},

    {"another action as a property", "ENV{ACTION}==\"remove\", KERNEL==\"a\", MODE=\"1\"", 1, 1,
     "this rule never grants"},
    {"not the action, as a property", "KERNEL==\"a\", ENV{ACTION}!=\"add\", MODE=\"1\"", 1, 14,
     "this rule never grants"},

    {"any name at all", "KERNEL==\"*\", CONTAINER+=\"a\"", 1, 14, "matches every device"},
    {"a pattern beside any name", "KERNEL==\"sd?|**\", CONTAINER+=\"a\"", 1, 19,
     "matches every device"},
    {"any path", "ACTION==\"add\", DEVPATH==\"*\", CONTAINER+=\"a\"", 1, 30,
     "matches every device"},
    {"any subsystem", "SUBSYSTEM==\"?*\", CONTAINER+=\"a\"", 1, 18, "matches every device"},
    {"any name but none", "KERNEL!=\"\", CONTAINER+=\"a\"", 1, 13, "matches every device"},
    {"any driver or none", "DRIVER==\"*\", CONTAINER+=\"a\"", 1, 14, "matches every device"},
    {"any property or none", "ENV{DEVTYPE}==\"*\", CONTAINER+=\"a\"", 1, 20,
     "matches every device"},
    {"any parent", "KERNELS==\"*\", CONTAINER+=\"a\"", 1, 15, "matches every device"},
    {"a file that each device has", "TEST==\"uevent\", CONTAINER+=\"a\"", 1, 17,
     "matches every device"},
    {"several such matches at once",
     "KERNEL==\"*\", SUBSYSTEM==\"*\", ENV{DEVPATH}==\"?*\", CONTAINER+=\"a\"", 1, 50,
     "matches every device"},

    {"a property that udev's rules may set", "KERNEL==\"a\", ENV{MY}!=\"1\", CONTAINER+=\"a\"", 1,
     14, "udev's rules may set MY later: the device is given until then"},
    {"a property that is not set yet", "ENV{MY}==\"\", KERNEL==\"a\", CONTAINER+=\"a\"", 1, 1,
     "udev's rules may set MY later"},
    {"a property that only a later rule sets",
     "KERNEL==\"a\", ENV{MY}!=\"1\", CONTAINER+=\"a\"\nENV{MY}=\"1\"", 1, 14,
     "udev's rules may set MY later"},
};

static void every_rule_that_does_nothing_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(WARNINGS); i++) {
        _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
        struct rule_problems problems = {0};
        const char *text = WARNINGS[i].text;
        assert_int_equal(rule_parse(rules, "t.rules", text, strlen(text), &problems), 0);
        if (problems.count != 1)
            fail_msg("%s: %zu problems", WARNINGS[i].sentence, problems.count);
        const struct rule_problem *p = &problems.items[0];
        assert_int_equal(p->severity, PROBLEM_WARNING);
        if (p->line != WARNINGS[i].line || p->column != WARNINGS[i].column ||
            !strstr(p->text, WARNINGS[i].words))
            fail_msg("%s: got %u:%u %s", WARNINGS[i].sentence, p->line, p->column, p->text);
        rule_problems_done(&problems);
    }
}

static const char *const QUIET[] = {
    "KERNEL==\"a|b\", KERNEL==\"b|c\", MODE=\"1\"",
    "KERNEL==\"a*\", KERNEL==\"b*\", MODE=\"1\"", /* true, but not told: both are patterns */
    "KERNEL==\"a\", KERNEL!=\"b\", MODE=\"1\"",
    "KERNEL==i\"A\", KERNEL==\"a\", MODE=\"1\"",
    "KERNELS==\"a\", KERNEL==\"b\", MODE=\"1\"",
    "TAG==\"a\", TAG==\"b\", MODE=\"1\"",
    "TAGS==\"a\", TAGS==\"b\", MODE=\"1\"",
    "SYMLINK==\"a\", SYMLINK==\"b\", MODE=\"1\"",
    "TEST==\"a\", TEST==\"b\", MODE=\"1\"",
    "ATTR{x}==\"1\", ATTR{y}==\"2\", MODE=\"1\"",
    "ATTR{x}==\"1\", ATTR{x}==\"1 \", MODE=\"1\"",
    "KERNEL==\"a\", CONTAINER==\"label:a=1\", CONTAINER==\"label:b=2\", MODE=\"1\"",
    "SUBSYSTEM==\"tty\", ATTRS{idVendor}==\"10c4\", MODE=\"1\"",
    "SUBSYSTEM==\"usb*\", ATTR{idVendor}==\"10c4\", MODE=\"1\"",
    "ATTRS{idVendor}==\"10c4\", ATTRS{manufacturer}==\"x\", SUBSYSTEMS==\"usb\", MODE=\"1\"",
    "ATTRS{[a/b]idVendor}==\"10c4\", SUBSYSTEMS==\"tty\", MODE=\"1\"",
    "KERNEL==\"a\", MODE:=\"1\"\nKERNEL==\"a\", OWNER=\"2\", MODE=\"2\"",
    "KERNEL==\"a\", MODE:=\"1\"\nKERNEL==\"a*\", MODE=\"2\"",
    "KERNEL==\"a\", MODE:=\"1\"\nKERNEL==i\"a\", MODE=\"2\"",
    "KERNEL==\"a\", CONTAINER+=\"x\", MODE:=\"1\"\nKERNEL==\"a\", MODE=\"2\"",
    "KERNEL==\"x\", GOTO=\"e\"\nKERNEL==\"a\", MODE:=\"1\"\nLABEL=\"e\"\nKERNEL==\"a\", MODE=\"2\"",
    "ENV{a}==\"1\", OPTIONS+=\"last_rule\"\nENV{a}=\"1\"\nENV{a}==\"1\", MODE=\"1\"",
    "KERNEL==\"a\", OPTIONS:=\"subtree\"\nKERNEL==\"a\", OPTIONS+=\"string_escape=none\"",
    "ENV{ACTION}!=\"remove\", KERNEL==\"a\", MODE=\"1\"",
    "KERNEL==\"a*\", CONTAINER+=\"a\"",
    "KERNEL==\"?\", CONTAINER+=\"a\"",
    "KERNEL==\"*\", SUBSYSTEM==\"tty\", CONTAINER+=\"a\"",
    "KERNEL==\"*\", MODE=\"0600\"", /* a default, which gives nothing */
    "KERNEL==\"*\", CONTAINER-=\"a\"",
    "KERNEL!=\"|a\", CONTAINER+=\"a\"",
    "DRIVER==\"?*\", CONTAINER+=\"a\"",
    "DRIVER!=\"\", CONTAINER+=\"a\"",
    "ENV{DEVTYPE}==\"?*\", CONTAINER+=\"a\"",
    "ATTR{removable}==\"*\", CONTAINER+=\"a\"", /* it has one */
    "TAG==\"*\", CONTAINER+=\"a\"",
    "TEST==\"device\", CONTAINER+=\"a\"",
    "TEST!=\"uevent\", CONTAINER+=\"a\"",
    "KERNEL==\"a\", ENV{DEVTYPE}!=\"disk\", CONTAINER+=\"a\"",
    "KERNEL==\"a\", ENV{.mine}!=\"1\", CONTAINER+=\"a\"",
    "KERNEL==\"a\", ENV{MY}==\"1\", CONTAINER+=\"a\"",
    "KERNEL==\"a\", ENV{MY}!=\"1\", MODE=\"1\"",
    "KERNEL==\"a\", ENV{MY}!=\"1\", ENV{ID_X}!=\"1\", CONTAINER+=\"a\"", /* it waits anyway */
    "KERNEL==\"a\", ENV{MY}=\"1\"\nKERNEL==\"a\", ENV{MY}!=\"1\", CONTAINER+=\"a\"",
    "KERNEL==\"a\", NAME==\"\", MODE=\"1\"",
};

static void what_may_do_something_is_not_blamed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(QUIET); i++) {
        _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
        struct rule_problems problems = {0};
        assert_int_equal(rule_parse(rules, "t", QUIET[i], strlen(QUIET[i]), &problems), 0);
        if (problems.count != 0)
            fail_msg("%s: %s", QUIET[i], problems.items[0].text);
    }
}

static void a_rule_of_another_file_shadows_too(void **state)
{
    (void)state;
    _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
    struct rule_problems problems = {0};
    static const char first[] = "KERNEL==\"a\", MODE:=\"1\"",
                      second[] = "\nKERNEL==\"a\", MODE=\"2\"";
    assert_int_equal(rule_parse(rules, "10-a", first, strlen(first), &problems), 0);
    assert_int_equal(rule_parse(rules, "20-b", second, strlen(second), &problems), 0);
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.items[0].file, "20-b");
    assert_int_equal(problems.items[0].line, 2);
    assert_non_null(strstr(problems.items[0].text, "10-a:1 matches the same"));
    rule_problems_done(&problems);
}

/* Many rules of one kind end something: first those of other files, then of other containers. */
static void one_of_very_many_rules_is_found_that_shadows(void **state)
{
    (void)state;
    _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
    struct rule_problems problems = {0};
    char name[16], text[128];
    for (unsigned i = 0; i < 500; i++) {
        (void)snprintf(name, sizeof(name), "%03u-a", i);
        (void)snprintf(text, sizeof(text),
                       "KERNEL==\"a%u\", MODE:=\"1\"\n"
                       "KERNEL==\"b\", CONTAINER+=\"c%u\", OPTIONS+=\"last_rule\"\n",
                       i, i);
        assert_int_equal(rule_parse(rules, name, text, strlen(text), &problems), 0);
    }
    assert_int_equal(problems.count, 0);
    static const char last[] = "KERNEL==\"a3\", MODE=\"2\"\n"
                               "KERNEL==\"b\", CONTAINER+=\"c300\", MODE=\"2\"\n"
                               "KERNEL==\"b\", CONTAINER+=\"d\", MODE=\"2\"\n";
    assert_int_equal(rule_parse(rules, "last", last, strlen(last), &problems), 0);
    assert_int_equal(problems.count, 2);
    assert_non_null(strstr(problems.items[0].text, "003-a:1 matches the same"));
    assert_non_null(strstr(problems.items[1].text, "300-a:2 matches the same"));
    rule_problems_done(&problems);
}

static void a_rule_about_the_host_alone_is_for_no_device(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "TEST==\"/etc/a\", CONTAINER+=\"a\"",
        "TEST==\"[dmi/id]x\", CONTAINER+=\"a\"",
        "CONST{virt}==\"none\", CONTAINER+=\"a\"",
        "SYSCTL{kernel/ostype}==\"Linux\", CONTAINER+=\"a\"",
        "ATTR{[dmi/id]x}==\"1\", CONTAINER+=\"a\"",
        "ENV{ACTION}==\"add\", CONTAINER+=\"a\"",
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
        struct rule_problems problems = {0};
        if (rule_parse(rules, "t", texts[i], strlen(texts[i]), &problems) == 0)
            fail_msg("%s", texts[i]);
        assert_int_equal(problems.errors, 1);
        assert_non_null(strstr(problems.items[0].text, "without a device match"));
        rule_problems_done(&problems);
    }
}

static void without_udev_rules_wait_for_ever(void **state)
{
    (void)state;
    static const char text[] = "KERNEL==\"a\", ENV{DEVTYPE}==\"b\", MODE=\"1\"\n"
                               "KERNEL==\"a\", ENV{ID_X}==\"b\", MODE=\"1\"\n"
                               "KERNEL==\"a\", SYMLINK+=\"$env{ID_X}\"\n";
    static const unsigned places[][2] = {{2, 14}, {3, 14}};
    for (unsigned without = 0; without < 2; without++) {
        _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
        struct rule_problems problems = {.without_udev = without};
        assert_int_equal(rule_parse(rules, "t", text, strlen(text), &problems), 0);
        assert_int_equal(problems.count, without ? ARRAY_SIZE(places) : 0);
        for (size_t i = 0; i < problems.count; i++) {
            assert_int_equal(problems.items[i].line, places[i][0]);
            assert_int_equal(problems.items[i].column, places[i][1]);
            assert_non_null(strstr(problems.items[i].text, "only udev knows"));
        }
        if (without)
            assert_non_null(strstr(problems.items[0].text, "only udev knows ENV{ID_X}==\"b\","));
        rule_problems_done(&problems);
    }
}

static void count_waiting(void *userdata, const char *file, unsigned line, const char *key)
{
    struct text *text = userdata;
    text->length += (size_t)snprintf(text->bytes + text->length, sizeof(text->bytes) - text->length,
                                     "%s:%u %s\n", file, line, key);
}

/* One file sets it for the next; what udev knows besides is not known all the same. */
static void what_an_earlier_rule_sets_needs_no_udev(void **state)
{
    (void)state;
    static const char first[] = "KERNEL==\"a\", ENV{ID_X}==\"1\", MODE=\"1\"\n"
                                "KERNEL==\"a\", ENV{ID_X}=\"1\", SYMLINK+=\"$env{ID_X}\"\n"
                                "KERNEL==\"a\", ENV{ID_X}==\"1\", MODE=\"1\"\n"
                                "KERNEL==\"a\", SYMLINK+=\"$env{ID_X}\"\n"
                                "KERNEL==\"a\", ENV{ID_XY}==\"1\", MODE=\"1\"\n";
    static const char second[] = "KERNEL==\"a\", ENV{ID_X}!=\"2\", MODE=\"1\"\n"
                                 "KERNEL==\"a\", ENV{ID_X}==\"1\", TAG==\"t\", MODE=\"1\"\n";
    static const unsigned lines[] = {1, 2, 5, 2};
    _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
    struct rule_problems problems = {.without_udev = true};
    struct text waiting = {0};
    assert_int_equal(rule_parse(rules, "1", first, strlen(first), &problems), 0);
    assert_int_equal(rule_parse(rules, "2", second, strlen(second), &problems), 0);
    assert_int_equal(problems.count, ARRAY_SIZE(lines));
    for (size_t i = 0; i < problems.count; i++)
        assert_int_equal(problems.items[i].line, lines[i]);
    rule_problems_done(&problems);
    rule_set_each_waiting(rules, count_waiting, &waiting);
    assert_string_equal(waiting.bytes, "1:1 ENV{ID_X}==\"1\"\n1:2 SYMLINK+=\"$env{ID_X}\"\n"
                                       "1:5 ENV{ID_XY}==\"1\"\n2:2 TAG==\"t\"\n");
}

static void a_property_of_an_earlier_file_is_no_surprise(void **state)
{
    (void)state;
    static const char first[] = "KERNEL==\"a\", ENV{MY}=\"1\"",
                      second[] = "KERNEL==\"a\", ENV{MY}!=\"1\", CONTAINER+=\"a\"";
    _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
    struct rule_problems problems = {0};
    assert_int_equal(rule_parse(rules, "1", first, strlen(first), &problems), 0);
    assert_int_equal(rule_parse(rules, "2", second, strlen(second), &problems), 0);
    assert_int_equal(problems.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_that_does_nothing_is_told),
        cmocka_unit_test(what_may_do_something_is_not_blamed),
        cmocka_unit_test(a_rule_of_another_file_shadows_too),
        cmocka_unit_test(one_of_very_many_rules_is_found_that_shadows),
        cmocka_unit_test(a_rule_about_the_host_alone_is_for_no_device),
        cmocka_unit_test(without_udev_rules_wait_for_ever),
        cmocka_unit_test(what_an_earlier_rule_sets_needs_no_udev),
        cmocka_unit_test(a_property_of_an_earlier_file_is_no_surprise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
