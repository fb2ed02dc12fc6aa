/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "model/udev_inside.h"
#include "model/udev_message.h"

/* A literal that a member without const can point to. */
#define TEXT(literal) ((char[]){literal})

#define DEVPATH "/devices/usb1/1-4/ttyUSB0/tty/ttyUSB0"
#define SYSFS "MAJOR=188\nMINOR=0\nDEVNAME=ttyUSB0\n"
#define NOW 5000000

/* A device, as udev describes it where `udev` says so, and what a container gets of it. */
struct scene {
    struct device *device;
    struct grant *grant;
    struct udev_inside inside;
};

static void take_view(struct device *device, const char *const udev[][2], const char *const *tags)
{
    struct property_list properties = {0};
    for (size_t i = 0; udev[i][0]; i++)
        assert_int_equal(property_set(&properties, udev[i][0], udev[i][1]), 0);
    assert_int_equal(device_set_udev(device, &properties, tags,
                                     (const char *const[]){"/dev/serial/by-id/x", NULL}),
                     0);
    property_list_done(&properties);
}

static void make_scene(struct scene *scene, const struct share *share, const char *const udev[][2],
                       const char *const *tags)
{
    struct refusal why = {0};
    *scene = (struct scene){0};
    assert_int_equal(device_new(DEVPATH, "tty", NULL, SYSFS, 1, NULL, &scene->device), 0);
    if (udev)
        take_view(scene->device, udev, tags);
    if (grant_new(share, scene->device, &scene->grant, &why) < 0)
        fail_msg("%s", why.text);
    const struct udev_inside_source source = {
        .device = scene->device, .grant = scene->grant, .now_us = NOW};
    assert_int_equal(udev_inside_init(&source, &scene->inside), 0);
}

static void done_scene(struct scene *scene)
{
    udev_inside_done(&scene->inside);
    grant_free(scene->grant);
    device_free(scene->device);
}

static void assert_record(const struct scene *scene, const char *expected)
{
    char text[UDEV_RECORD_MAX];
    assert_true(udev_record_print(&scene->inside.record, text, sizeof(text)) >= 0);
    assert_string_equal(text, expected);
}

/* The message's properties, a line each. */
static void assert_message(const struct udev_inside *inside, enum uevent_action action,
                           const char *expected)
{
    struct property_list list = {0};
    char text[4096] = "", message[UDEV_MESSAGE_MAX];
    size_t used = 0;
    assert_int_equal(udev_inside_message(inside, action, 42, &list), 0);
    for (size_t i = 0; i < list.count; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s=%s\n", list.items[i].key,
                                 list.items[i].value);
    assert_true(used < sizeof(text));
    assert_string_equal(text, expected);
    assert_true(udev_message_encode(&list, message, sizeof(message)) > 0);
    property_list_done(&list);
}

static const char *const described[][2] = {
    {"DEVPATH", DEVPATH},
    {"SUBSYSTEM", "tty"},
    {"DEVNAME", "/dev/ttyUSB0"},
    {"MAJOR", "188"},
    {"MINOR", "0"},
    {"USEC_INITIALIZED", "77416877"},
    {"UDEV_DATABASE_VERSION", "1"},
    {"ID_BUS", "usb"},
    {"ID_PATH", "pci-0000:00:01.0-usb-0:4:1.0"},
    {"ID_FOR_SEAT", "usb-pci"},
    {"ID_SEAT", "seat1"},
    {"ID_AUTOSEAT", "1"},
    {"ID_PROCESSING", "1"},
    {"SYSTEMD_WANTS", "x.service"},
    {"SYSTEMD_READY", "1"},
    {"DEVOLVE_CONTAINER", "c1"},
    {".ID_PORT", "0"},
    {"HOTPLUG", "1"},
    {"DEVLINKS", "/dev/serial/by-id/x"},
    {"TAGS", ":systemd:kept:once:seat:"},
    {"CURRENT_TAGS", ":systemd:kept:"},
    {NULL, NULL},
};
static const char *const described_tags[] = {"systemd", "kept", NULL};

static void what_udev_found_out_is_told_but_for_the_hosts_own(void **state)
{
    const struct share share = {.given = true, .mode = -1};
    struct scene scene;
    (void)state;
    make_scene(&scene, &share, described, described_tags);
    assert_record(&scene, "I:77416877\nE:ID_BUS=usb\nE:ID_PATH=pci-0000:00:01.0-usb-0:4:1.0\n"
                          "G:kept\nG:once\nQ:kept\nV:1\n");
    assert_message(&scene.inside, UEVENT_ADD,
                   "UDEV_DATABASE_VERSION=1\nACTION=add\nDEVPATH=" DEVPATH "\nSUBSYSTEM=tty\n"
                   "MAJOR=188\nMINOR=0\nDEVNAME=/dev/ttyUSB0\nSEQNUM=42\n"
                   "USEC_INITIALIZED=77416877\nID_BUS=usb\n"
                   "ID_PATH=pci-0000:00:01.0-usb-0:4:1.0\nTAGS=:kept:once:\n"
                   "CURRENT_TAGS=:kept:\n");
    done_scene(&scene);
}

static void a_device_that_udev_has_not_described_is_what_the_kernel_says(void **state)
{
    const struct share share = {.given = true, .mode = -1};
    struct scene scene;
    (void)state;
    make_scene(&scene, &share, NULL, NULL);
    assert_record(&scene, "I:5000000\nV:1\n");
    assert_message(&scene.inside, UEVENT_REMOVE,
                   "UDEV_DATABASE_VERSION=1\nACTION=remove\nDEVPATH=" DEVPATH "\nSUBSYSTEM=tty\n"
                   "MAJOR=188\nMINOR=0\nDEVNAME=/dev/ttyUSB0\nSEQNUM=42\n"
                   "USEC_INITIALIZED=5000000\n");
    done_scene(&scene);
}

static void node_links_and_properties_are_those_of_the_rules(void **state)
{
    struct property env[] = {{TEXT("ID_BUS"), TEXT("ours")},
                             {TEXT("MY_NAME"), TEXT("zigbee")},
                             {TEXT("SYSTEMD_WANTS"), TEXT("inner.service")}};
    const struct share share = {.given = true,
                                .mode = -1,
                                .node = TEXT("/dev/zigbee"),
                                .symlinks = {TEXT("/dev/serial/by-id/y"), TEXT("/dev/z")},
                                .symlink_count = 2,
                                .env = {env, ARRAY_SIZE(env)}};
    struct scene scene;
    (void)state;
    make_scene(&scene, &share, described, described_tags);
    assert_record(&scene, "S:serial/by-id/y\nS:z\nI:77416877\nE:DEVNAME=/dev/zigbee\n"
                          "E:ID_BUS=ours\nE:ID_PATH=pci-0000:00:01.0-usb-0:4:1.0\n"
                          "E:MY_NAME=zigbee\nE:SYSTEMD_WANTS=inner.service\n"
                          "G:kept\nG:once\nQ:kept\nV:1\n");
    assert_message(&scene.inside, UEVENT_ADD,
                   "UDEV_DATABASE_VERSION=1\nACTION=add\nDEVPATH=" DEVPATH "\nSUBSYSTEM=tty\n"
                   "MAJOR=188\nMINOR=0\nDEVNAME=/dev/zigbee\nSEQNUM=42\n"
                   "USEC_INITIALIZED=77416877\nID_BUS=ours\n"
                   "ID_PATH=pci-0000:00:01.0-usb-0:4:1.0\nMY_NAME=zigbee\n"
                   "SYSTEMD_WANTS=inner.service\nDEVLINKS=/dev/serial/by-id/y /dev/z\n"
                   "TAGS=:kept:once:\nCURRENT_TAGS=:kept:\n");
    done_scene(&scene);
}

static void only_links_that_are_there_are_named(void **state)
{
    static const char *const cases[][2] = {
        {"/dev/mine", "S:mine\nI:5000000\nV:1\n"},
        {"/dev/a b", "I:5000000\nV:1\n"}, /* DEVLINKS has blanks between its links */
        {NULL, "I:5000000\nV:1\n"},
    };
    const struct share share = {.given = true,
                                .mode = -1,
                                .symlinks = {TEXT("/dev/mine"), TEXT("/dev/taken")},
                                .symlink_count = 2};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct scene scene;
        struct name_list there = {0};
        make_scene(&scene, &share, NULL, NULL);
        udev_inside_done(&scene.inside);
        if (cases[i][0])
            assert_int_equal(name_list_add(&there, cases[i][0]), 0);
        const struct udev_inside_source source = {
            .device = scene.device, .grant = scene.grant, .links = &there, .now_us = NOW};
        assert_int_equal(udev_inside_init(&source, &scene.inside), 0);
        assert_record(&scene, cases[i][1]);
        name_list_done(&there);
        done_scene(&scene);
    }
}

static void what_holds_for_one_event_is_in_its_message_alone(void **state)
{
    const struct share share = {.given = true, .mode = -1};
    struct uevent event;
    struct scene scene;
    (void)state;
    make_scene(&scene, &share, described, described_tags);
    udev_inside_done(&scene.inside);
    assert_int_equal(uevent_init(&event, UEVENT_CHANGE, DEVPATH), 0);
    assert_int_equal(uevent_set(&event, "SUBSYSTEM", "tty"), 0);
    assert_int_equal(uevent_set(&event, "DEVNAME", "ttyUSB0"), 0);
    assert_int_equal(uevent_set(&event, "SEQNUM", "41"), 0);
    assert_int_equal(uevent_set(&event, "RESIZE", "1"), 0);
    assert_int_equal(uevent_set(&event, "ID_BUS", "usb"), 0); /* as if a driver had said it */
    const struct udev_inside_source source = {
        .device = scene.device, .grant = scene.grant, .event = &event, .now_us = NOW};
    assert_int_equal(udev_inside_init(&source, &scene.inside), 0);
    assert_record(&scene, "I:77416877\nE:ID_PATH=pci-0000:00:01.0-usb-0:4:1.0\n"
                          "G:kept\nG:once\nQ:kept\nV:1\n");
    assert_message(&scene.inside, UEVENT_CHANGE,
                   "UDEV_DATABASE_VERSION=1\nACTION=change\nDEVPATH=" DEVPATH "\nSUBSYSTEM=tty\n"
                   "MAJOR=188\nMINOR=0\nDEVNAME=/dev/ttyUSB0\nRESIZE=1\nID_BUS=usb\nSEQNUM=42\n"
                   "USEC_INITIALIZED=77416877\nID_PATH=pci-0000:00:01.0-usb-0:4:1.0\n"
                   "TAGS=:kept:once:\nCURRENT_TAGS=:kept:\n");
    done_scene(&scene);
}

/* As a device's serial number could be; the device is told all the same. */
static void what_would_cost_the_whole_message_is_left_out(void **state)
{
    static const char *const udev[][2] = {{"ID_SERIAL", "a\nG:seat"},
                                          {"ID_MODEL", "\xff\xfe"},
                                          {"ID VENDOR", "x"},
                                          {"USEC_INITIALIZED", "soon"},
                                          {"TAGS", ":a b:good:../x:"},
                                          {"ID_BUS", "usb"},
                                          {NULL, NULL}};
    static const char *const tags[] = {"a b", "good", "", NULL};
    const struct share share = {.given = true, .mode = -1};
    struct scene scene;
    (void)state;
    make_scene(&scene, &share, udev, tags);
    assert_record(&scene, "I:5000000\nE:ID_BUS=usb\nG:good\nQ:good\nV:1\n");
    assert_message(&scene.inside, UEVENT_ADD,
                   "UDEV_DATABASE_VERSION=1\nACTION=add\nDEVPATH=" DEVPATH "\nSUBSYSTEM=tty\n"
                   "MAJOR=188\nMINOR=0\nDEVNAME=/dev/ttyUSB0\nSEQNUM=42\n"
                   "USEC_INITIALIZED=5000000\nID_BUS=usb\nTAGS=:good:\nCURRENT_TAGS=:good:\n");
    done_scene(&scene);
}

static void no_rule_speaks_for_the_kernel(void **state)
{
    struct property env[] = {
        {TEXT("DEVNAME"), TEXT("/dev/sda")}, {TEXT("MAJOR"), TEXT("8")},
        {TEXT("TAGS"), TEXT(":x:")},         {TEXT("DEVLINKS"), TEXT("/dev/x")},
        {TEXT("SEQNUM"), TEXT("1")},         {TEXT(".note"), TEXT("1")}};
    const struct share share = {.given = true, .mode = -1, .env = {env, ARRAY_SIZE(env)}};
    struct scene scene;
    (void)state;
    make_scene(&scene, &share, NULL, NULL);
    assert_record(&scene, "I:5000000\nV:1\n");
    assert_message(&scene.inside, UEVENT_ADD,
                   "UDEV_DATABASE_VERSION=1\nACTION=add\nDEVPATH=" DEVPATH "\nSUBSYSTEM=tty\n"
                   "MAJOR=188\nMINOR=0\nDEVNAME=/dev/ttyUSB0\nSEQNUM=42\n"
                   "USEC_INITIALIZED=5000000\n");
    done_scene(&scene);
}

static void a_device_without_node_has_no_node_inside_either(void **state)
{
    const struct share share = {.given = true, .mode = -1};
    _cleanup_device_ struct device *device = NULL;
    _cleanup_grant_ struct grant *grant = NULL;
    struct udev_inside inside;
    (void)state;
    assert_int_equal(device_new("/devices/usb1/1-4/1-4:1.0", "usb", NULL, "DEVTYPE=usb_interface\n",
                                1, NULL, &device),
                     0);
    assert_int_equal(grant_new(&share, device, &grant, NULL), 0);
    const struct udev_inside_source source = {.device = device, .grant = grant, .now_us = NOW};
    assert_int_equal(udev_inside_init(&source, &inside), 0);
    assert_message(&inside, UEVENT_BIND,
                   "UDEV_DATABASE_VERSION=1\nACTION=bind\nDEVPATH=/devices/usb1/1-4/1-4:1.0\n"
                   "SUBSYSTEM=usb\nDEVTYPE=usb_interface\nSEQNUM=42\nUSEC_INITIALIZED=5000000\n");
    udev_inside_done(&inside);
}

static void an_interface_is_called_as_it_is_inside(void **state)
{
    const struct share share = {.given = true, .mode = -1, .name = TEXT("lan0")};
    _cleanup_device_ struct device *device = NULL;
    _cleanup_grant_ struct grant *grant = NULL;
    struct udev_inside inside;
    (void)state;
    assert_int_equal(device_new("/devices/usb1/1-4/1-4:1.0/net/enx0", "net", NULL,
                                "INTERFACE=enx0\nIFINDEX=3\n", 1, NULL, &device),
                     0);
    assert_int_equal(grant_new(&share, device, &grant, NULL), 0);
    const struct udev_inside_source source = {
        .device = device, .grant = grant, .ifindex = 7, .now_us = NOW};
    assert_int_equal(udev_inside_init(&source, &inside), 0);
    assert_message(&inside, UEVENT_ADD,
                   "UDEV_DATABASE_VERSION=1\nACTION=add\n"
                   "DEVPATH=/devices/usb1/1-4/1-4:1.0/net/lan0\nSUBSYSTEM=net\nINTERFACE=lan0\n"
                   "IFINDEX=7\nSEQNUM=42\nUSEC_INITIALIZED=5000000\n");
    udev_inside_done(&inside);
}

static void what_is_for_the_host_only(void **state)
{
    static const struct {
        const char *name;
        bool tag, property;
    } cases[] = {
        {"seat", true, false},           {"master-of-seat", true, false},
        {"uaccess", true, false},        {"xaccess-render", true, false},
        {"systemd", true, false},        {"power-switch", true, false},
        {"snap_firefox_x", true, false}, {"seats", false, false},
        {"snapper", false, false},       {"systemd-x", false, false},
        {"SYSTEMD_WANTS", false, true},  {"ID_SEAT", false, true},
        {"ID_FOR_SEAT", false, true},    {"DEVOLVE_NODE", false, true},
        {"ID_PATH", false, false},       {"ID_SEATS", false, false},
        {"SYSTEMD", false, false},       {"", false, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(udev_inside_tag_is_host_only(cases[i].name), cases[i].tag);
        assert_int_equal(udev_inside_property_is_host_only(cases[i].name), cases[i].property);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_udev_found_out_is_told_but_for_the_hosts_own),
        cmocka_unit_test(a_device_that_udev_has_not_described_is_what_the_kernel_says),
        cmocka_unit_test(node_links_and_properties_are_those_of_the_rules),
        cmocka_unit_test(only_links_that_are_there_are_named),
        cmocka_unit_test(what_holds_for_one_event_is_in_its_message_alone),
        cmocka_unit_test(what_would_cost_the_whole_message_is_left_out),
        cmocka_unit_test(no_rule_speaks_for_the_kernel),
        cmocka_unit_test(a_device_without_node_has_no_node_inside_either),
        cmocka_unit_test(an_interface_is_called_as_it_is_inside),
        cmocka_unit_test(what_is_for_the_host_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
