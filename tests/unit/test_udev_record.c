/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "model/udev_record.h"

#define WHOLE                                                                                      \
    "S:serial/by-id/usb-x\nS:zigbee\nL:-100\nI:77416877\nE:ID_BUS=usb\nE:EMPTY=\nE:EQUALS=a=b\n"   \
    "G:systemd\nG:old\nQ:systemd\nV:1\n"

static struct udev_record parse(const char *text)
{
    struct udev_record record = {0};
    assert_int_equal(udev_record_parse(text, strlen(text), &record), 0);
    return record;
}

/* What a text reads as, written again. */
static void assert_reads_as(const char *text, const char *expected)
{
    char out[UDEV_RECORD_MAX];
    struct udev_record record = parse(text);
    assert_int_equal(udev_record_print(&record, out, sizeof(out)), strlen(expected));
    assert_string_equal(out, expected);
    udev_record_done(&record);
}

static void a_record_is_named_after_its_device(void **state)
{
    static const struct {
        const char *devpath, *subsystem, *uevent, *id;
    } cases[] = {
        {"/devices/usb1/1-4", "usb", "MAJOR=189\nMINOR=3\nDEVNAME=bus/usb/001/004\n", "c189:3"},
        {"/devices/x/block/sda", "block", "MAJOR=8\nMINOR=0\nDEVNAME=sda\n", "b8:0"},
        {"/devices/x/block/md", "block", "MAJOR=259\nMINOR=1048575\nDEVNAME=md\n", "b259:1048575"},
        {"/devices/virtual/net/lo", "net", "INTERFACE=lo\nIFINDEX=1\n", "n1"},
        {"/devices/usb1/1-4/1-4:1.0", "usb", "DEVTYPE=usb_interface\n", "+usb:1-4:1.0"},
        {"/devices/x/cciss!c0d0", "scsi", "", "+scsi:cciss!c0d0"},
    };
    char id[UDEV_RECORD_ID_MAX];
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_device_ struct device *device = NULL;
        assert_int_equal(device_new(cases[i].devpath, cases[i].subsystem, NULL, cases[i].uevent, 1,
                                    NULL, &device),
                         0);
        assert_int_equal(udev_record_id(device, id), 0);
        assert_string_equal(id, cases[i].id);
    }
}

static void what_has_no_record_has_no_name(void **state)
{
    char devpath[400] = "/devices/", id[UDEV_RECORD_ID_MAX];
    memset(devpath + strlen(devpath), 'x', 255);
    const struct {
        const char *devpath, *subsystem;
        int expected;
    } cases[] = {
        {"/devices/pci0000:00", NULL, -EINVAL},
        {"/bus/usb/drivers/usbfs", "drivers", -EINVAL},
        {devpath, "tty", -ENAMETOOLONG},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_device_ struct device *device = NULL;
        assert_int_equal(
            device_new(cases[i].devpath, cases[i].subsystem, NULL, "", 1, NULL, &device), 0);
        assert_int_equal(udev_record_id(device, id), cases[i].expected);
    }
}

static void the_longest_name_is_a_file_name(void **state)
{
    char devpath[400] = "/devices/", id[UDEV_RECORD_ID_MAX], path[UDEV_RECORD_PATH_MAX], tag[256];
    _cleanup_device_ struct device *device = NULL;
    (void)state;
    memset(devpath + strlen(devpath), 'x', 255 - strlen("+tty:"));
    memset(tag, 't', 255);
    tag[255] = '\0';
    assert_int_equal(device_new(devpath, "tty", NULL, "", 1, NULL, &device), 0);
    assert_int_equal(udev_record_id(device, id), 0);
    assert_int_equal(strlen(id), 255);
    assert_int_equal(udev_record_tag_path(tag, id, path), 0);
    assert_int_equal(strlen(path), strlen("/run/udev/tags/") + 255 + 1 + 255);
}

static void the_files_lie_below_run_udev(void **state)
{
    char path[UDEV_RECORD_PATH_MAX];
    (void)state;
    assert_int_equal(udev_record_path("+usb:1-4:1.0", path), 0);
    assert_string_equal(path, "/run/udev/data/+usb:1-4:1.0");
    assert_int_equal(udev_record_tag_path("my-tag_1", "c1:3", path), 0);
    assert_string_equal(path, "/run/udev/tags/my-tag_1/c1:3");
}

static void no_name_leads_out_of_its_directory(void **state)
{
    static const char *const ids[] = {"",         ".",       "..",   "c",        "+",
                                      "+usb:a/b", "+x/../y", "x1:3", "+usb:a\nb"};
    static const char *const tags[] = {"", ".", "..", "a/b", "a b", "a:b", "a\n", "\xc3\xb6"};
    char path[UDEV_RECORD_PATH_MAX];
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        assert_int_equal(udev_record_path(ids[i], path), -EINVAL);
        assert_int_equal(udev_record_tag_path("tag", ids[i], path), -EINVAL);
    }
    for (size_t i = 0; i < ARRAY_SIZE(tags); i++)
        assert_int_equal(udev_record_tag_path(tags[i], "c1:3", path), -EINVAL);
}

static void each_line_is_understood(void **state)
{
    struct udev_record record = parse(WHOLE);
    (void)state;
    assert_int_equal(record.links.count, 2);
    assert_string_equal(record.links.items[0], "/dev/serial/by-id/usb-x");
    assert_string_equal(record.links.items[1], "/dev/zigbee");
    assert_int_equal(record.link_priority, -100);
    assert_true(record.usec_initialised == 77416877);
    assert_int_equal(record.properties.count, 3);
    assert_string_equal(property_get(&record.properties, "ID_BUS"), "usb");
    assert_string_equal(property_get(&record.properties, "EMPTY"), "");
    assert_string_equal(property_get(&record.properties, "EQUALS"), "a=b");
    assert_int_equal(record.tags.count, 2);
    assert_true(name_list_has(&record.tags, "old"));
    assert_int_equal(record.current_tags.count, 1);
    assert_string_equal(record.current_tags.items[0], "systemd");
    assert_int_equal(record.version, 1);
    udev_record_done(&record);
    assert_int_equal(record.links.count + record.tags.count + record.properties.count, 0);
}

static void a_record_is_written_as_udev_writes_it(void **state)
{
    (void)state;
    assert_reads_as(WHOLE, WHOLE);
    assert_reads_as("", "");
    assert_reads_as("V:1\nQ:b\nG:b\nE:B=2\nE:A=1\nI:5\nL:7\nS:x\n",
                    "S:x\nL:7\nI:5\nE:B=2\nE:A=1\nG:b\nQ:b\nV:1\n");
    assert_reads_as("L:0\nI:0\nV:0\n", "");
    assert_reads_as("I:18446744073709551615\nV:1", "I:18446744073709551615\nV:1\n");
}

static void lines_that_make_no_sense_are_passed_over(void **state)
{
    static const char *const cases[] = {
        "\n\n",       "S\n",      "S:\n",        "S:/dev/x\n", "S:../x\n",       "S:a//b\n",
        "S:a\tb\n",   "L:high\n", "L:\n",        "L:-\n",      "L:2147483648\n", "I:-1\n",
        "I:1x\n",     "E:\n",     "E:=1\n",      "E:A\n",      "E:A B=1\n",      "E:A=\x01\n",
        "E:A=\xff\n", "G:\n",     "G:a b\n",     "Q:a/b\n",    "V:-1\n",         "W:12\n",
        "X:new\n",    "Gtag\n",   "N:ttyUSB0\n", "G::\n",      "V:4294967296\n",
    };
    char text[128];
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        snprintf(text, sizeof(text), "E:A=1\n%sE:B=2\n", cases[i]);
        assert_reads_as(text, "E:A=1\nE:B=2\n");
    }
}

static void a_line_with_a_nul_in_it_is_passed_over(void **state)
{
    static const char text[] = "E:A=1\nE:B=2\0E:X=3\nE:C=4\n";
    char out[64];
    struct udev_record record = {0};
    (void)state;
    assert_int_equal(udev_record_parse(text, sizeof(text) - 1, &record), 0);
    assert_true(udev_record_print(&record, out, sizeof(out)) > 0);
    assert_string_equal(out, "E:A=1\nE:C=4\n");
    udev_record_done(&record);
}

static void what_stands_twice_is_there_once(void **state)
{
    (void)state;
    assert_reads_as("S:x\nS:x\nE:A=1\nE:B=2\nE:A=3\nG:t\nG:t\nQ:t\nQ:t\nI:1\nI:2\n",
                    "S:x\nI:2\nE:A=3\nE:B=2\nG:t\nQ:t\n");
}

static void assert_not_written(struct udev_record *record)
{
    char out[256];
    assert_int_equal(udev_record_print(record, out, sizeof(out)), -EINVAL);
    udev_record_done(record);
}

/* A newline in a value would be a line of the device's own making. */
static void what_would_be_read_otherwise_is_not_written(void **state)
{
    static const char *const links[] = {"/tmp/x", "x", "/dev/", "/dev/../x", "/dev/a\nV:9"};
    static const char *const tags[] = {"", "a b", "a\nE:X=1", "a:b"};
    static const char *const properties[][2] = {
        {"A", "x\nG:seat"}, {"A B", "1"}, {"", "1"}, {"A=B", "1"}, {"A", "\xff"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
        struct udev_record record = {0};
        assert_int_equal(name_list_add(&record.links, links[i]), 0);
        assert_not_written(&record);
    }
    for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
        struct udev_record record = {0}, current = {0};
        assert_int_equal(name_list_add(&record.tags, tags[i]), 0);
        assert_not_written(&record);
        assert_int_equal(name_list_add(&current.current_tags, tags[i]), 0);
        assert_not_written(&current);
    }
    for (size_t i = 0; i < ARRAY_SIZE(properties); i++) {
        struct udev_record record = {0};
        assert_int_equal(property_set(&record.properties, properties[i][0], properties[i][1]), 0);
        assert_not_written(&record);
    }
}

static void what_does_not_fit_is_refused(void **state)
{
    char out[sizeof(WHOLE) + 1];
    struct udev_record record = parse(WHOLE), empty = {0};
    (void)state;
    for (size_t size = 0; size < sizeof(WHOLE); size++) {
        memset(out, '!', sizeof(out));
        assert_int_equal(udev_record_print(&record, out, size), -EMSGSIZE);
        assert_int_equal(out[size], '!');
    }
    assert_int_equal(udev_record_print(&record, out, sizeof(WHOLE)), strlen(WHOLE));
    assert_int_equal(udev_record_print(&empty, out, 0), -EMSGSIZE);
    assert_int_equal(udev_record_print(&empty, out, 1), 0);
    assert_string_equal(out, "");
    udev_record_done(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_named_after_its_device),
        cmocka_unit_test(what_has_no_record_has_no_name),
        cmocka_unit_test(the_longest_name_is_a_file_name),
        cmocka_unit_test(the_files_lie_below_run_udev),
        cmocka_unit_test(no_name_leads_out_of_its_directory),
        cmocka_unit_test(each_line_is_understood),
        cmocka_unit_test(a_record_is_written_as_udev_writes_it),
        cmocka_unit_test(lines_that_make_no_sense_are_passed_over),
        cmocka_unit_test(a_line_with_a_nul_in_it_is_passed_over),
        cmocka_unit_test(what_stands_twice_is_there_once),
        cmocka_unit_test(what_would_be_read_otherwise_is_not_written),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
