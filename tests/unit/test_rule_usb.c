/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which rules may give a container a USB device one day. */

#include "rule_scene.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "model/rule_usb.h"

#define USB "SUBSYSTEM==\"usb\", ATTR{idVendor}==\"10c4\""

static const struct {
    const char *sentence;
    const char *rules;
    bool may;
} CASES[] = {
    {"no rule gives nothing", "", false},
    {"a rule for USB devices", USB GIVE, true},
    {"by a name with wildcards", USB ", CONTAINER+=\"w*\"", true},
    {"among other names", USB ", CONTAINER+=\"db\", CONTAINER+=\"web1\"", true},
    {"by a label", USB ", CONTAINER+=\"label:tier=front\"", true},
    {"by another label", USB ", CONTAINER+=\"label:tier=back\"", false},
    {"by a label that it has not", USB ", CONTAINER+=\"label:rank=*\"", false},
    {"for another container", USB ", CONTAINER+=\"db\"", false},
    {"that takes it away", USB ", CONTAINER-=\"web1\"", false},
    {"for one of those that it looks at", USB ", CONTAINER==\"web*\", CONTAINER+=\"*\"", true},
    {"for none of those that it looks at", USB ", CONTAINER!=\"web*\", CONTAINER+=\"*\"", false},
    {"that refines what others give", USB ", CONTAINER==\"web1\", MODE=\"0660\"", false},
    {"as the last of several", "SUBSYSTEM==\"tty\"" GIVE USB GIVE, true},
    {"another subsystem", "SUBSYSTEM==\"tty\"" GIVE, false},
    {"several subsystems", "SUBSYSTEM==\"tty|u?b\"" GIVE, true},
    {"not this subsystem", "SUBSYSTEM!=\"usb\"" GIVE, false},
    {"not another subsystem", "SUBSYSTEM!=\"tty\"" GIVE, true},
    {"the subsystem as a property", "ENV{SUBSYSTEM}==\"tty\"" GIVE, false},
    {"by the device alone", "ATTR{idVendor}==\"10c4\"" GIVE, true},
    {"the subsystem of a parent", "SUBSYSTEMS==\"pci\"" GIVE, true},
    {"a USB interface has no node", "SUBSYSTEM==\"usb\", ENV{DEVTYPE}==\"usb_interface\"" GIVE,
     false},
    {"a USB device has", "ENV{DEVTYPE}==\"usb_device\"" GIVE, true},
    {"by port", "KERNEL==\"1-2.3\"" GIVE, true},
    {"by any port", "KERNEL==\"*\"" GIVE, true},
    {"a root hub", "KERNEL==\"usb1\"" GIVE, true},
    {"by a name that no USB device has", "KERNEL==\"ttyUSB*|hidraw*\"" GIVE, false},
    {"not by that name", "KERNEL!=\"ttyUSB*\"" GIVE, true},
    {"a controller with all that is below it", "SUBSYSTEM==\"pci\", OPTIONS+=\"subtree\"" GIVE,
     true},
    {"a controller without", "SUBSYSTEM==\"pci\"" GIVE, false},
    {"all below it, for another container",
     "SUBSYSTEM==\"pci\", OPTIONS+=\"subtree\", CONTAINER+=\"db\"", false},
};

static void a_rule_says_whom_it_may_give_a_usb_device(void **state)
{
    (void)state;
    struct property_list labels = {0};
    assert_int_equal(property_set(&labels, "tier", "front"), 0);
    const struct rule_container web1 = {.name = "web1", .labels = &labels};
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
        _cleanup_rule_set_ struct rule_set *rules = scene_parse(CASES[i].sentence, CASES[i].rules);
        if (rule_set_may_give_usb(rules, &web1) != CASES[i].may)
            fail_msg("%s: %s", CASES[i].sentence, CASES[i].rules);
    }
    property_list_done(&labels);
}

static void a_container_may_have_no_labels(void **state)
{
    (void)state;
    const struct rule_container web1 = {.name = "web1"};
    _cleanup_rule_set_ struct rule_set *rules =
        scene_parse("label", USB ", CONTAINER+=\"label:tier=*\"");
    assert_false(rule_set_may_give_usb(rules, &web1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_says_whom_it_may_give_a_usb_device),
        cmocka_unit_test(a_container_may_have_no_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
