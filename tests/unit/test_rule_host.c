/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Matches that ask beside or beyond the device: SYSCTL, TEST, CONST, other devices, NAME. */

#include "rule_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct {
    const char *sentence;
    unsigned device;
    const char *rules;
    const char *expected;
} SHARES[] = {
    {"a sysctl is compared", SCENE_LEAF, "KERNEL==\"tty*\", SYSCTL{kernel/ostype}==\"Lin*\"" GIVE,
     "given t:1"},
    {"a sysctl that is not there is empty", SCENE_LEAF,
     "KERNEL==\"tty*\", SYSCTL{nothing}==\"\", SYSCTL{nothing}!=\"x\"" GIVE, "given t:1"},
    {"a sysctl's name may have substitutions", SCENE_LEAF,
     "KERNEL==\"tty*\", SYSCTL{dev/%k}==\"Linux\"" GIVE, "given t:1"},
    {"constants are compared", SCENE_LEAF,
     "KERNEL==\"tty*\", CONST{arch}==\"x86-64|arm64\", CONST{virt}!=\"?*m\"" GIVE, "given t:1"},

    {"another device's attribute is compared, without blanks at its end", SCENE_LEAF,
     "KERNEL==\"tty*\", ATTR{[dmi/id]sys_vendor}==\"Acme Inc.\"" GIVE, "given t:1"},
    {"a slash may stand before its name", SCENE_LEAF,
     "KERNEL==\"tty*\", ATTR{[dmi/id]/sys_vendor}==\"Acme*\"" GIVE, "given t:1"},
    {"an attribute that such a device lacks is empty", SCENE_LEAF,
     "KERNEL==\"tty*\", ATTR{[dmi/id]x}==\"\"" GIVE, "given t:1"},
    {"of a device that is not there, nothing matches", SCENE_LEAF,
     "KERNEL==\"tty*\", ATTR{[dmi/no]x}!=\"y\"" GIVE, "-"},
    {"it is a substitution too", SCENE_LEAF, TTY "ENV{X}=\"<$attr{[dmi/id]sys_vendor}>\"",
     "given t:1 X=<<Acme Inc.>>"},
    {"an attribute's name may have substitutions", SCENE_LEAF,
     "KERNEL==\"tty*\", ATTR{%k}==\"self\"" GIVE, "given t:1"},

    {"the driver is a property too, even if only the link tells it", 1,
     "KERNEL==\"ttyUSB0\", ENV{DRIVER}==\"cp210x\"" GIVE, "given t:1"},

    {"a file below the device is tested", SCENE_STICK, "SUBSYSTEM==\"usb\", TEST==\"serial\"" GIVE,
     "given t:1"},
    {"a file that is not there", SCENE_STICK, "SUBSYSTEM==\"usb\", TEST!=\"x\"" GIVE, "given t:1"},
    {"any bit of the mask will do", SCENE_STICK,
     "SUBSYSTEM==\"usb\", TEST{0022}!=\"serial\", TEST{0204}==\"serial\"" GIVE, "given t:1"},
    {"a test may speak of the parent that was found", SCENE_LEAF,
     "TEST==\"/sys/%b/serial\", ATTRS{idVendor}==\"10c4\"" GIVE, "given t:1"},

    {"a name is given to a net device", SCENE_NET, "KERNEL==\"veth7\", NAME=\"eth-%n\"" GIVE,
     "given t:1 name=eth-7"},
    {"odd characters do not get into it", SCENE_NET,
     "KERNEL==\"veth7\", NAME=\"a b/c:%%\xc3\xa4-%M\"" GIVE, "given t:1 name=a_b_c____-0"},
    {"other devices have none", SCENE_LEAF, TTY "NAME=\"a\"", "given t:1"},
    {"a name is final", SCENE_NET, "KERNEL==\"veth7\", NAME:=\"a\"" GIVE "NAME=\"b\"",
     "given t:1 name=a"},
    {"a name is matched once it is given", SCENE_NET,
     "NAME==\"\", NAME=\"lan\"\nKERNEL==\"veth7\", NAME==\"la*\"" GIVE, "given t:2 name=lan"},
    {"and substituted", SCENE_NET, "NAME=\"lan\"\nENV{X}=\"$name\"", "- name=lan X=<lan>"},

    {"links of earlier lines are matched", SCENE_STICK,
     "SYMLINK+=\"a b\"\nSUBSYSTEM==\"usb\", SYMLINK==\"b\", SYMLINK!=\"c*\"" GIVE,
     "given t:2 link=/dev/a link=/dev/b"},
    {"links have a priority", SCENE_LEAF, TTY "OPTIONS+=\"subtree\"\nOPTIONS=\"link_priority=-7\"",
     "given t:1 options=1 priority=-7"},
    {"a priority is closed with the other options", SCENE_LEAF,
     TTY "OPTIONS:=\"link_priority=7\"\nOPTIONS+=\"link_priority=8\"", "given t:1 priority=7"},
};

/* A device that udev is done with, so that nothing waits. */
static int make_initialised(void **state)
{
    int r = scene_make(state);
    const struct scene *scene = *state;
    for (size_t i = 0; i < SCENE_DEVICES; i++)
        assert_int_equal(device_set_udev(scene->devices[i], NULL, NULL, NULL), 0);
    return r;
}

static void every_rule_gives_what_it_says(void **state)
{
    const struct scene *scene = *state;
    for (size_t i = 0; i < ARRAY_SIZE(SHARES); i++) {
        _cleanup_rule_set_ struct rule_set *rules =
            scene_parse(SHARES[i].sentence, SHARES[i].rules);
        struct text got = {0};
        scene_judge(rules, scene->devices[SHARES[i].device], NULL, &got);
        if (!streq(got.bytes, SHARES[i].expected))
            fail_msg("%s\n got      %s\n expected %s", SHARES[i].sentence, got.bytes,
                     SHARES[i].expected);
    }
}

static void a_trace_shows_what_was_found_elsewhere(void **state)
{
    static const char text[] = "ATTRS{[dmi/id]sys_vendor}==\"x\", MODE=\"1\"\n"
                               "KERNELS==\"1-2\", TEST==\"/sys/%b\", MODE=\"1\"\n"
                               "SYSCTL{kernel/ostype}!=\"Linux\", MODE=\"1\"\n";
    const struct scene *scene = *state;
    _cleanup_rule_set_ struct rule_set *rules = scene_parse("elsewhere", text);
    struct text trace = {0}, share = {0};
    scene_judge(rules, scene->devices[SCENE_LEAF], &trace, &share);
    assert_string_equal(trace.bytes, "t:1 no ATTRS{[dmi/id]sys_vendor}==\"x\" <Acme Inc. >\n"
                                     "t:2 no TEST==\"/sys/%b\" </sys/1-2>\n"
                                     "t:3 no SYSCTL{kernel/ostype}!=\"Linux\" <Linux>\n");
}

static void a_device_without_a_source_has_no_host(void **state)
{
    (void)state;
    static const char text[] = "KERNEL==\"a\", SYSCTL{kernel/ostype}==\"\", CONST{arch}==\"\", "
                               "TEST!=\"x\"" GIVE "KERNEL==\"a\", ATTR{[dmi/id]x}==\"\"" GIVE;
    _cleanup_device_ struct device *device = NULL;
    _cleanup_rule_set_ struct rule_set *rules = scene_parse("no source", text);
    struct text got = {0};
    assert_int_equal(device_new("/devices/a", "b", NULL, "", 1, NULL, &device), 0);
    scene_judge(rules, device, NULL, &got);
    assert_string_equal(got.bytes, "given t:1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_gives_what_it_says),
        cmocka_unit_test(a_trace_shows_what_was_found_elsewhere),
        cmocka_unit_test(a_device_without_a_source_has_no_host),
    };
    return cmocka_run_group_tests(tests, make_initialised, scene_free);
}
