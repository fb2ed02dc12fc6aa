/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What only udev knows: rules that ask for it wait until udev is done with the device. */

#include "rule_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/rule_set.h"

#define USB "SUBSYSTEM==\"usb\", CONTAINER+=\"web1\"\n"
#define BY_ID "SUBSYSTEM==\"usb\", ENV{ID_SERIAL}==\"A5\", "

/* The stick, before and after udev said: ID_SERIAL=A5, PRODUCT=ours, tag seat, link by-id/a5. */
static const struct {
    const char *sentence;
    const char *rules;
    const char *before, *after;
} CASES[] = {
    {"a rule of the kernel's acts at once", USB, "given t:1", "given t:1"},
    {"a rule of udev's waits", BY_ID "CONTAINER+=\"web1\"", "- waits", "given t:1"},
    {"for any device that it may match", "SUBSYSTEM==\"tty\", ENV{ID_SERIAL}==\"A5\"" GIVE, "-",
     "-"},
    {"for any container that it is for", BY_ID "CONTAINER+=\"db\"", "-", "-"},
    {"whatever it asks of udev",
     "SUBSYSTEM==\"usb\", ENV{ID_SERIAL}!=\"A5\"" GIVE "SUBSYSTEM==\"usb\", TAG!=\"seat\"" GIVE,
     "- waits", "-"},
    {"a tag is udev's", "SUBSYSTEM==\"usb\", TAG==\"se*\"" GIVE, "- waits", "given t:1"},
    {"a tag of any device above", "SUBSYSTEM==\"usb\", TAGS==\"seat\", KERNELS==\"1-2\"" GIVE,
     "- waits", "given t:1"},
    {"a link is udev's", "SUBSYSTEM==\"usb\", SYMLINK==\"by-id/*\"" GIVE, "- waits", "given t:1"},
    {"a property of udev's in a value",
     "KERNEL==\"1-2\", CONTAINER+=\"web1\", SYMLINK+=\"x-$env{ID_SERIAL}\"", "- waits",
     "given t:1 link=/dev/x-A5"},
    {"a property of udev's that is added to", "KERNEL==\"1-2\", ENV{ID_SERIAL}+=\"B\"", "- waits",
     "- ID_SERIAL=<A5 B>"},
    {"a property of udev's name that an earlier rule has set",
     "ENV{ID_SERIAL}=\"A5\"\n" BY_ID "CONTAINER+=\"web1\"", "given t:2 ID_SERIAL=<A5>",
     "given t:2 ID_SERIAL=<A5>"},
    {"a property of the kernel's that udev has changed",
     "KERNEL==\"1-2\", ENV{PRODUCT}==\"ours\"" GIVE, "-", "given t:1"},
    {"what the kernel says of the node stays", "KERNEL==\"1-2\", ENV{MAJOR}==\"189\"" GIVE,
     "given t:1", "given t:1"},

    {"the other lines act meanwhile", USB BY_ID "MODE=\"1\"", "given t:1 waits",
     "given t:1 mode=1"},
    {"but nothing is given that udev may take back", USB BY_ID "CONTAINER-=\"web*\"", "- waits",
     "-"},
    {"nor what another may get instead", USB BY_ID "CONTAINER=\"db\"", "- waits", "-"},
    {"unless a later line gives it anyhow", USB BY_ID "CONTAINER-=\"web1\"\n" USB,
     "given t:3 waits", "given t:3"},
    {"which it cannot when the matter may be closed", USB BY_ID "CONTAINER:=\"db\"\n" USB,
     "- waits", "-"},
    {"it can where the matter was closed before",
     "SUBSYSTEM==\"usb\", CONTAINER:=\"web1\"\n" BY_ID "CONTAINER-=\"web1\"", "given t:1 waits",
     "given t:1"},
    {"what may be jumped over waits too", BY_ID "GOTO=\"end\"\n" USB "LABEL=\"end\", MODE=\"1\"",
     "- waits mode=1", "- mode=1"},
    {"but not what would not match anyhow",
     BY_ID "GOTO=\"end\"\nKERNEL==\"x\"" GIVE "LABEL=\"end\"\n" USB, "given t:4 waits",
     "given t:4"},
    {"the rest waits for a rule that may be the last", BY_ID "OPTIONS+=\"last_rule\"\n" USB,
     "- waits", "-"},
    {"what a rule that waits would set is not known",
     BY_ID "ENV{A}=\"1\"\nKERNEL==\"1-2\", "
           "ENV{A}!=\"1\"" GIVE,
     "- waits", "- A=<1>"},
    {"until another line has set it",
     BY_ID "ENV{A}=\"1\"\nENV{A}=\"2\"\nKERNEL==\"1-2\", ENV{A}==\"2\"" GIVE,
     "given t:3 waits A=<2>", "given t:3 A=<2>"},
    {"links are udev's and then ours, each once",
     "KERNEL==\"1-2\", SYMLINK+=\"a by-id/a5\"\nKERNEL==\"1-2\", ENV{X}=\"$links\"" GIVE,
     "- waits link=/dev/a link=/dev/by-id/a5",
     "given t:2 link=/dev/a link=/dev/by-id/a5 X=<by-id/a5 a>"},
};

static void tell_udev(struct device *device)
{
    struct property_list properties = {0};
    assert_int_equal(property_set(&properties, "ID_SERIAL", "A5"), 0);
    assert_int_equal(property_set(&properties, "PRODUCT", "ours"), 0);
    assert_int_equal(property_set(&properties, "MAJOR", "1"), 0);
    assert_int_equal(device_set_udev(device, &properties, (const char *const[]){"seat", NULL},
                                     (const char *const[]){"/dev/by-id/a5", NULL}),
                     0);
    property_list_done(&properties);
}

static void assert_share(const char *sentence, const char *rules_text, struct device *device,
                         const char *expected)
{
    _cleanup_rule_set_ struct rule_set *rules = scene_parse(sentence, rules_text);
    struct text got = {0};
    scene_judge(rules, device, NULL, &got);
    if (!streq(got.bytes, expected))
        fail_msg("%s\n got      %s\n expected %s", sentence, got.bytes, expected);
}

static void rules_act_as_soon_as_they_can_know(void **state)
{
    const struct scene *scene = *state;
    struct device *stick = scene->devices[SCENE_STICK];
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++)
        assert_share(CASES[i].sentence, CASES[i].rules, stick, CASES[i].before);
    tell_udev(stick);
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++)
        assert_share(CASES[i].sentence, CASES[i].rules, stick, CASES[i].after);
}

static void a_trace_tells_what_a_rule_waits_for(void **state)
{
    const struct scene *scene = *state;
    _cleanup_rule_set_ struct rule_set *rules =
        scene_parse("waiting", BY_ID "GOTO=\"end\"\n" USB BY_ID "CONTAINER+=\"db\"\n"
                                     "LABEL=\"end\", KERNEL==\"1-2\", TAGS==\"x\", MODE=\"1\"\n");
    struct text trace = {0}, share = {0};
    scene_judge(rules, scene->devices[SCENE_STICK], &trace, &share);
    assert_string_equal(trace.bytes, "t:1 waits ENV{ID_SERIAL}==\"A5\" <(none)>\nt:2 waits\n"
                                     "t:3 no CONTAINER+=\"db\" <web1>\n"
                                     "t:4 waits TAGS==\"x\" <(none)>\n");
}

static void a_set_knows_whether_it_needs_udev(void **state)
{
    (void)state;
    static const struct {
        const char *rules;
        bool needs;
    } sets[] = {
        {"KERNEL==\"a\", ENV{DEVTYPE}==\"b\", ENV{IDX}==\"c\", MODE=\"1\"", false},
        {"ENV{ID_X}=\"own\"", false},
        {"KERNEL==\"a\", MODE=\"1\"\nENV{ID_X}==\"b\", MODE=\"1\"", true},
        {"KERNEL==\"a\", ENV{CURRENT_TAGS}==\"b\", MODE=\"1\"", true},
        {"TAGS!=\"a\", MODE=\"1\"", true},
        {"SYMLINK==\"a\", MODE=\"1\"", true},
        {"NODE=\"%E{LIBINPUT_X}\"", true},
        {"TEST==\"/dev/$env{SYSTEMD_X}\", MODE=\"1\"", true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
        _cleanup_rule_set_ struct rule_set *rules = scene_parse(sets[i].rules, sets[i].rules);
        if (rule_set_needs_udev(rules) != sets[i].needs)
            fail_msg("%s", sets[i].rules);
    }
}

static void what_udev_said_moves_to_the_next_reading(void **state)
{
    const struct scene *scene = *state;
    struct device *stick = scene->devices[SCENE_STICK];
    _cleanup_device_ struct device *fresh = NULL;
    assert_int_equal(device_new(STICK, "usb", "usb", "", stick->inode, NULL, &fresh), 0);
    tell_udev(stick);
    device_inherit(fresh, stick);
    assert_false(stick->initialised);
    assert_int_equal(stick->udev.tags.count + stick->udev.links.count, 0);
    assert_share("moved",
                 "KERNEL==\"1-2\", TAG==\"seat\", SYMLINK==\"by-id/a5\", "
                 "ENV{ID_SERIAL}==\"A5\"" GIVE,
                 fresh, "given t:1");
}

static void a_descriptor_does_not_speak_for_udev(void **state)
{
    (void)state;
    _cleanup_device_ struct device *device = NULL;
    assert_int_equal(
        device_new("/devices/a", "hid", NULL, "HID_UNIQ=x\nID_SERIAL=A5\n", 1, NULL, &device), 0);
    assert_int_equal(device_set_udev(device, NULL, NULL, NULL), 0);
    assert_share("forged", "KERNEL==\"a\", ENV{ID_SERIAL}==\"A5\"" GIVE, device, "-");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_make, scene_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rules_act_as_soon_as_they_can_know),
        TEST(a_trace_tells_what_a_rule_waits_for),
        cmocka_unit_test(a_set_knows_whether_it_needs_udev),
        TEST(what_udev_said_moves_to_the_next_reading),
        cmocka_unit_test(a_descriptor_does_not_speak_for_udev),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
