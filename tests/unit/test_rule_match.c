/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rule_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct {
    const char *sentence;
    const char *rules;
    const char *expected;
} SHARES[] = {
    {"no rules give nothing", "", "-"},
    {"a literal matches itself", "KERNEL==\"ttyUSB0\"" GIVE, "given t:1"},
    {"a literal is no beginning", "KERNEL==\"ttyUSB\"" GIVE, "-"},
    {"a star matches anything, / too", "DEVPATH==\"/devices/*/tty/tty*\"" GIVE, "given t:1"},
    {"a question mark is one character", "KERNEL==\"ttyUS?0\"" GIVE, "given t:1"},
    {"a question mark is not none", "KERNEL==\"ttyUSB0?\"" GIVE, "-"},
    {"brackets hold ranges", "KERNEL==\"tty[A-Z][R-T]B[0-9]\"" GIVE, "given t:1"},
    {"brackets may exclude", "KERNEL==\"ttyUSB[!0]\"" GIVE, "-"},
    {"an open bracket is itself", "KERNEL==\"ttyUSB[0\"" GIVE, "-"},
    {"any alternative will do", "KERNEL==\"a|tty*|b\"" GIVE, "given t:1"},
    {"no alternative will do", "KERNEL==\"a|b\"" GIVE, "-"},
    {"!= is the contrary of all alternatives", "KERNEL!=\"a|b\"" GIVE, "given t:1"},
    {"an empty alternative is an empty value", "DRIVER==\"a|\"" GIVE, "given t:1"},
    {"an empty pattern is not any value", "KERNEL==\"\"" GIVE, "-"},
    {"a missing driver is not another one", "DRIVER!=\"usb\"" GIVE, "given t:1"},
    {"case counts", "KERNEL==\"TTYusb0\"" GIVE, "-"},
    {"case can be ignored in a literal", "KERNEL==i\"TTYusb0\"" GIVE, "given t:1"},
    {"case can be ignored in a glob", "KERNEL==i\"TTY*B0\"" GIVE, "given t:1"},
    {"all keys must match", "SUBSYSTEM==\"tty\", KERNEL==\"ttyS0\"" GIVE, "-"},
    {"the action is add", "ACTION==\"add|change\", SUBSYSTEM==\"tty\"" GIVE, "given t:1"},
    {"no other action ever comes", "ACTION==\"change\", SUBSYSTEM==\"tty\"" GIVE, "-"},
    {"an attribute is compared", "ATTR{dev}==\"188:*\"" GIVE, "given t:1"},
    {"a parent's attribute is none of ATTR", "ATTR{idVendor}==\"10c4\"" GIVE, "-"},
    {"a missing attribute is not empty", "ATTR{nothing}==\"\"" GIVE, "-"},
    {"a missing attribute is not different either", "ATTR{nothing}!=\"x\"" GIVE, "-"},
    {"properties of the kernel are compared", "ENV{MAJOR}==\"188\"" GIVE, "given t:1"},
    {"DEVNAME is a path, as udev has it", "ENV{DEVNAME}==\"/dev/ttyUSB0\"" GIVE, "given t:1"},
    {"the action is a property too", "ENV{ACTION}==\"add\", KERNEL==\"tty*\"" GIVE, "given t:1"},
    {"a missing property is empty", "ENV{NOTHING}==\"\"" GIVE, "given t:1"},
    {"a property set by a rule is seen by the next", "ENV{A}=\"1\"\nENV{A}==\"1\"" GIVE,
     "given t:2 A=<1>"},

    {"a parent is found anywhere above", "ATTRS{idVendor}==\"10c4\"" GIVE, "given t:1"},
    {"the device is its own first parent", "KERNELS==\"ttyUSB0\", SUBSYSTEMS==\"tty\"" GIVE,
     "given t:1"},
    {"parent keys meet at one parent",
     "SUBSYSTEMS==\"usb\", ATTRS{idVendor}==\"10c4\", "
     "ATTRS{idProduct}==\"ea60\", DRIVERS==\"usb\", KERNELS==\"1-2\"" GIVE,
     "given t:1"},
    {"parent keys of two parents are not one match",
     "ATTRS{idVendor}==\"10c4\", ATTRS{bInterfaceNumber}==\"00\"" GIVE, "-"},
    {"vendor and serial of two hubs do not mix",
     "ATTRS{idVendor}==\"1d6b\", ATTRS{serial}==\"A50285BI\"" GIVE, "-"},
    {"blanks at an attribute's end are not seen", "ATTRS{product}==\"CP2102*Bridge\"" GIVE,
     "given t:1"},
    {"unless the pattern has some", "ATTRS{product}==\"CP2102  USB\tBridge  \"" GIVE, "given t:1"},
    {"and then they must agree", "ATTRS{product}==\"CP2102  USB\tBridge \"" GIVE, "-"},
    {"an attribute of blanks is not empty, as udevd has it", "ATTRS{configuration}==\"\"" GIVE,
     "-"},

    {"a container is matched by glob", "KERNEL==\"tty*\", CONTAINER+=\"db|web*\"\n", "given t:1"},
    {"another container gets nothing", "KERNEL==\"tty*\", CONTAINER+=\"web2\", MODE=\"0666\"\n",
     "-"},
    {"a container is found by label", "KERNEL==\"tty*\", CONTAINER+=\"label:tier=fr*\"\n",
     "given t:1"},
    {"a label of another value is another", "KERNEL==\"tty*\", CONTAINER+=\"label:tier=back\"\n",
     "-"},
    {"a label that is missing is not empty", "KERNEL==\"tty*\", CONTAINER+=\"label:role=*\"\n",
     "-"},
    {"a container can be a match", "CONTAINER==\"web*\", KERNEL==\"tty*\"" GIVE, "given t:1"},
    {"a label can be a match", "CONTAINER==\"label:tier=back\", KERNEL==\"tty*\"" GIVE, "-"},
    {"a missing label is different", "CONTAINER!=\"label:role=x\", KERNEL==\"tty*\"" GIVE,
     "given t:1"},
    {"any of the containers of a line",
     "KERNEL==\"tty*\", CONTAINER+=\"a\", CONTAINER+=\"web1\", MODE=\"1\"", "given t:1 mode=1"},

    {"a line without container is for all", "MODE=\"0660\"\n" TTY "GROUP=\"dialout\"",
     "given t:2 group=dialout mode=660"},
    {"defaults may follow the line that gives", TTY "OWNER=\"1\"\nMODE=\"0660\"",
     "given t:1 owner=1 mode=660"},
    {"the last line that gives is named", "KERNEL==\"tty*\"" GIVE "SUBSYSTEM==\"tty\"" GIVE,
     "given t:2"},
    {"what is for others does not change ours",
     TTY "MODE=\"0600\"\nKERNEL==\"tty*\", CONTAINER+=\"web2\", MODE=\"0666\"",
     "given t:1 mode=600"},
    {"what was given can be taken back", "KERNEL==\"tty*\"" GIVE "CONTAINER-=\"web*\"", "-"},
    {"taking from others takes nothing", "KERNEL==\"tty*\"" GIVE "CONTAINER-=\"db*\"", "given t:1"},
    {"= leaves only those that it names",
     "KERNEL==\"tty*\"" GIVE "KERNEL==\"tty*\", CONTAINER=\"db\"", "-"},
    {"= gives to those that it names", "KERNEL==\"tty*\", CONTAINER=\"web1\"", "given t:1"},
    {"= can leave nobody", "KERNEL==\"tty*\"" GIVE "CONTAINER=\"\"", "-"},
    {":= gives for good", "KERNEL==\"tty*\", CONTAINER:=\"web1\"\nCONTAINER-=\"web1\"",
     "given t:1"},
    {":= also denies for good", "KERNEL==\"tty*\", CONTAINER:=\"db\"\nKERNEL==\"tty*\"" GIVE, "-"},

    {"later values win",
     TTY "MODE=\"1\", OWNER=\"a\", GROUP=\"b\", NODE=\"c\", ACCESS=\"r\"\n"
         "MODE=\"2\", OWNER=\"d\", GROUP=\"e\", NODE=\"f\", ACCESS=\"wm\"",
     "given t:1 node=/dev/f owner=d group=e mode=2 access=6"},
    {"final values stay",
     TTY "MODE:=\"1\", OWNER:=\"a\", GROUP:=\"b\", NODE:=\"c\", ACCESS:=\"r\", "
         "SYMLINK:=\"l\", OPTIONS:=\"subtree\"\n"
         "MODE=\"2\", OWNER=\"d\", GROUP=\"e\", NODE=\"f\", ACCESS=\"wm\", SYMLINK+=\"m\", "
         "OPTIONS+=\"no_event\"",
     "given t:1 node=/dev/c owner=a group=b mode=1 access=1 options=1 link=/dev/l"},
    {"a node may be written with or without /dev", TTY "NODE=\"/dev/a/b\", SYMLINK+=\"/dev/c d\"",
     "given t:1 node=/dev/a/b link=/dev/c link=/dev/d"},
    {"links add up, each once", TTY "SYMLINK+=\"a b\"\nSYMLINK+=\"c a\"",
     "given t:1 link=/dev/b link=/dev/c link=/dev/a"},
    {"links can be taken out", TTY "SYMLINK+=\"a b c\"\nSYMLINK-=\"b x\"",
     "given t:1 link=/dev/a link=/dev/c"},
    {"links can be replaced", TTY "SYMLINK+=\"a b\"\nSYMLINK=\"c\"", "given t:1 link=/dev/c"},
    {"options add up and go", TTY "OPTIONS+=\"subtree,no_node dangerous\"\nOPTIONS-=\"no_node\"",
     "given t:1 options=17"},
    {"options can be replaced", TTY "OPTIONS+=\"subtree\"\nOPTIONS=\"exclusive\"",
     "given t:1 options=2"},
    {"string_escape replaces no options",
     TTY "OPTIONS+=\"subtree\"\nOPTIONS=\"string_escape=none\"", "given t:1 options=1"},
    {"properties are set, added to and taken back",
     TTY
     "ENV{A}=\"1\", ENV{B}=\"2\", ENV{C}=\"3\"\nENV{A}+=\"x\", ENV{B}=\"\", ENV{MINOR_IS}=\"%m\"",
     "given t:1 A=<1 x> C=<3> MINOR_IS=<7>"},
    {"what is set to nothing is gone for later lines, and only for them",
     TTY "ENV{BUS}=\"\"\nENV{MAJOR}!=\"\", ENV{BUS}==\"\", ENV{X}=\"[$env{BUS}]\"",
     "given t:1 X=<[]>"},
    {"and can be set anew", TTY "ENV{A}=\"1\"\nENV{A}=\"\"\nENV{A}+=\"2\"", "given t:1 A=<2>"},
    {"properties with a dot are for rules alone",
     TTY "ENV{.a}=\"1\", ENV{B}=\"2\"\nENV{.a}==\"1\", MODE=\"1\"", "given t:1 mode=1 B=<2>"},

    {"the kernel's words are substituted",
     TTY "ENV{X}=\"%k %n %M %m %N $name $kernel$number $$ %% %p\"",
     "given t:1 X=<ttyUSB0 0 188 7 /dev/ttyUSB0 ttyUSB0 ttyUSB00 $ % " INTERFACE
     "/ttyUSB0/tty/ttyUSB0>"},
    {"the matched parent is %b",
     "ATTRS{idVendor}==\"10c4\", CONTAINER+=\"web1\", ENV{X}=\"%b $id $driver\"",
     "given t:1 X=<1-2 1-2 usb>"},
    {"an attribute comes from the device, else from the matched parent",
     "ATTRS{idVendor}==\"10c4\", CONTAINER+=\"web1\", ENV{X}=\"%s{dev} $attr{serial} "
     "<%s{nothing}>\"",
     "given t:1 X=<188:7 A50285BI <>>"},
    {"without a matched parent there is no such attribute", TTY "ENV{X}=\"[%s{serial}%b]\"",
     "given t:1 X=<[]>"},
    {"properties are substituted",
     TTY "ENV{A}=\"1\", ENV{X}=\"%E{A} $env{MAJOR} $env{DEVNAME}%E{NONE}\"",
     "given t:1 A=<1> X=<1 188 /dev/ttyUSB0>"},
    {"within a line properties come before links, whatever stands first",
     TTY "SYMLINK+=\"l-$env{A}\", ENV{A}=\"1\"", "given t:1 link=/dev/l-1 A=<1>"},
    {"and owners before properties", TTY "ENV{A}=\"1\", OWNER=\"a%E{A}\"\nGROUP=\"g%E{A}\"",
     "given t:1 owner=a group=g1 A=<1>"},
    {"an attribute stays one word in a link",
     "ATTRS{idVendor}==\"10c4\", CONTAINER+=\"web1\", SYMLINK+=\"by/%s{product} z\"",
     "given t:1 link=/dev/by/CP2102_USB_Bridge link=/dev/z"},
    {"and has no blanks around it",
     "ATTRS{idVendor}==\"10c4\", CONTAINER+=\"web1\", SYMLINK+=\"z-%s{label}\"",
     "given t:1 link=/dev/z-bed_room"},
    {"a parent that the last search did not find is none",
     "ATTRS{idVendor}==\"10c4\"" GIVE "ATTRS{idVendor}==\"x\", MODE=\"1\"\nENV{X}=\"[%b]\"",
     "given t:1 X=<[]>"},
    {"odd characters do not get into a path", TTY "NODE=\"a;b c\", SYMLINK+=\"d*\xc3\xa4\"",
     "given t:1 node=/dev/a_b_c link=/dev/d_\xc3\xa4"},
    {"unless string_escape=none wants them, on whatever side of the line",
     TTY "NODE=\"a;b\", OPTIONS+=\"string_escape=none\"", "given t:1 node=/dev/a;b"},
    {"but only for its own line", TTY "OPTIONS+=\"string_escape=none\"\nSYMLINK+=\"c;\"",
     "given t:1 link=/dev/c_"},
    {"string_escape=replace leaves a blank in no link",
     TTY "OPTIONS+=\"string_escape=replace\", SYMLINK+=\"a/b c\"", "given t:1 link=/dev/a/b_c"},
    {"string_escape=replace is for properties too",
     TTY "OPTIONS+=\"string_escape=replace\", ENV{X}=\"a;b/c\"", "given t:1 X=<a_b_c>"},
    {"what an attribute says of .. is kept for the grant to refuse",
     "ATTRS{idVendor}==\"10c4\", CONTAINER+=\"web1\", NODE=\"%s{manufacturer}\"",
     "given t:1 node=/dev/Silicon/../Labs_"},
    {"a substitution of nothing leaves what was there",
     TTY "OWNER=\"1\", NODE=\"a\"\nOWNER=\"%E{NONE}\", NODE=\"$env{NONE}\", SYMLINK+=\"%E{NONE}\"",
     "given t:1 node=/dev/a owner=1"},

    {"GOTO jumps", TTY "GOTO=\"end\"\nMODE=\"1\"\nLABEL=\"end\", OWNER=\"2\"", "given t:1 owner=2"},
    {"GOTO only jumps where its rule matches",
     "KERNEL!=\"tty*\", GOTO=\"end\"\nKERNEL==\"tty*\"" GIVE "LABEL=\"end\"", "given t:2"},
    {"GOTO jumps to the next label of the name",
     "LABEL=\"a\"\nKERNEL==\"tty*\", GOTO=\"a\"\nMODE=\"1\"\nLABEL=\"a\"\nKERNEL==\"tty*\"" GIVE
     "LABEL=\"a\", MODE=\"2\"",
     "given t:5 mode=2"},
    {"GOTO of a line for others does not jump",
     "KERNEL==\"tty*\", CONTAINER+=\"db\", GOTO=\"end\"\nKERNEL==\"tty*\"" GIVE "LABEL=\"end\"",
     "given t:2"},
    {"last_rule ends the rules", TTY "OPTIONS+=\"last_rule\"\nMODE=\"1\"", "given t:1"},
};

static void every_rule_gives_what_it_says(void **state)
{
    const struct scene *scene = *state;
    for (size_t i = 0; i < ARRAY_SIZE(SHARES); i++) {
        _cleanup_rule_set_ struct rule_set *rules =
            scene_parse(SHARES[i].sentence, SHARES[i].rules);
        struct text got = {0};
        scene_judge(rules, scene->devices[SCENE_LEAF], NULL, &got);
        if (!streq(got.bytes, SHARES[i].expected))
            fail_msg("%s\n got      %s\n expected %s", SHARES[i].sentence, got.bytes,
                     SHARES[i].expected);
    }
}

static const struct {
    const char *sentence;
    const char *rules;
    const char *expected;
} TRACES[] = {
    {"the first key that fails is told with what was found",
     "SUBSYSTEM==\"usb\", KERNEL == \"1-2\",ATTR{serial}!=\"A5*\", ATTR{x}==\"1\", MODE=\"1\"",
     "t:1 no ATTR{serial}!=\"A5*\" <A50285BI>\n"},
    {"what is not there has no value", "ATTR{x}==\"1\", MODE=\"1\"",
     "t:1 no ATTR{x}==\"1\" <(none)>\n"},
    {"of the parents, the one that came furthest is told",
     "SUBSYSTEMS==\"usb\", ATTRS{idVendor}==\"1d6b\", ATTRS{serial}==\"x\", MODE=\"1\"",
     "t:1 no ATTRS{serial}==\"x\" <0000:00:14.0> at usb1\n"},
    {"where none came far, the nearest with a value is told",
     "ATTRS{vendor}==\"0x10de\", MODE=\"1\"",
     "t:1 no ATTRS{vendor}==\"0x10de\" <0x8086> at 0000:00:14.0\n"},
    {"where one came far and has nothing there, it is told too",
     "SUBSYSTEMS==\"usb\", ATTRS{nothing}==\"1\", MODE=\"1\"",
     "t:1 no ATTRS{nothing}==\"1\" <(none)> at 1-2\n"},
    {"where none came anywhere, none is told", "ATTRS{nothing}==\"1\", MODE=\"1\"",
     "t:1 no ATTRS{nothing}==\"1\" <(none)>\n"},
    {"a container that is not meant is told", "KERNEL==\"1-2\", CONTAINER+=\"db*\", MODE=\"1\"",
     "t:1 no CONTAINER+=\"db*\" <web1>\n"},
    {"a label that is not meant is told", "KERNEL==\"1-2\", CONTAINER+=\"label:tier=back\"",
     "t:1 no CONTAINER+=\"label:tier=back\" <front>\n"},
    {"every rule has its say, in order",
     "MODE=\"1\"\n\nKERNEL==\"1-2\", \\\n  CONTAINER+=\"web1\", "
     "GOTO=\"e\"\nMODE=\"2\"\nMODE=\"3\"\nLABEL=\"e\"\n"
     "OPTIONS+=\"last_rule\"\nMODE=\"4\"",
     "t:1 matched\nt:3 matched gives\nt:5 skipped\nt:6 skipped\nt:7 matched\nt:8 matched\nt:9 "
     "skipped\n"},
    {"a rule that comes too late gives nothing",
     "KERNEL==\"1-2\", CONTAINER:=\"db\"\nKERNEL==\"1-2\", "
     "CONTAINER+=\"web1\"\nCONTAINER-=\"web1\"",
     "t:1 no CONTAINER:=\"db\" <web1>\nt:2 matched\nt:3 matched\n"},
};

static void every_rule_says_why(void **state)
{
    const struct scene *scene = *state;
    for (size_t i = 0; i < ARRAY_SIZE(TRACES); i++) {
        _cleanup_rule_set_ struct rule_set *rules =
            scene_parse(TRACES[i].sentence, TRACES[i].rules);
        struct text got = {0}, share = {0};
        scene_judge(rules, scene->devices[SCENE_STICK], &got, &share);
        if (!streq(got.bytes, TRACES[i].expected))
            fail_msg("%s\n--- got\n%s--- expected\n%s", TRACES[i].sentence, got.bytes,
                     TRACES[i].expected);
    }
}

static void links_beyond_the_limit_are_left_out(void **state)
{
    const struct scene *scene = *state;
    char text[4096];
    size_t length = 0;
    for (unsigned i = 0; i < SHARE_SYMLINKS_MAX + 2; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "SYMLINK+=\"l%u\"\n", i);
    _cleanup_rule_set_ struct rule_set *rules = scene_parse("many links", text);
    struct rule_container container = {"web1", NULL};
    struct share share;
    assert_int_equal(rule_judge(rules, scene->devices[SCENE_LEAF], &container, NULL, NULL, &share),
                     0);
    assert_int_equal(share.symlink_count, SHARE_SYMLINKS_MAX);
    assert_string_equal(share.symlinks[SHARE_SYMLINKS_MAX - 1], "/dev/l31");
    share_done(&share);
}

static void a_value_that_grows_too_long_is_not_assigned(void **state)
{
    const struct scene *scene = *state;
    /* each line doubles it: 2^12 bytes are too many */
    char text[2048] = "ENV{A}=\"xx\"\n";
    for (unsigned i = 0; i < 14; i++)
        strcat(text, "ENV{A}=\"%E{A}%E{A}\"\n");
    _cleanup_rule_set_ struct rule_set *rules = scene_parse("a long value", text);
    struct rule_container container = {"web1", NULL};
    struct share share;
    assert_int_equal(rule_judge(rules, scene->devices[SCENE_LEAF], &container, NULL, NULL, &share),
                     0);
    assert_int_equal(strlen(property_get(&share.env, "A")), 2048);
    share_done(&share);
}

static void a_device_without_node_has_no_names_of_one(void **state)
{
    const struct scene *scene = *state;
    _cleanup_rule_set_ struct rule_set *rules =
        scene_parse("no node", "ENV{X}=\"[$devnode] $name %M %n\"\nENV{DEVNAME}==\"\", MODE=\"1\"");
    struct text got = {0};
    scene_judge(rules, scene->devices[2], NULL, &got);
    assert_string_equal(got.bytes, "- mode=1 X=<[] 1-2:1.0 0 0>");
}

static void a_name_of_digits_alone_has_no_number(void **state)
{
    (void)state;
    _cleanup_device_ struct device *device = NULL;
    _cleanup_rule_set_ struct rule_set *rules = scene_parse("a number", "ENV{X}=\"[%n]\"");
    struct text got = {0};
    assert_int_equal(device_new("/devices/virtual/a/42", "a", NULL, "", 1, NULL, &device), 0);
    scene_judge(rules, device, NULL, &got);
    assert_string_equal(got.bytes, "- X=<[]>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_gives_what_it_says),
        cmocka_unit_test(every_rule_says_why),
        cmocka_unit_test(links_beyond_the_limit_are_left_out),
        cmocka_unit_test(a_value_that_grows_too_long_is_not_assigned),
        cmocka_unit_test(a_device_without_node_has_no_names_of_one),
        cmocka_unit_test(a_name_of_digits_alone_has_no_number),
    };
    return cmocka_run_group_tests(tests, scene_make, scene_free);
}
