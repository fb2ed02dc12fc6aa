/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/device.h"

static const char usb_device[] = "MAJOR=189\nMINOR=3\nDEVNAME=bus/usb/001/004\n"
                                 "DEVTYPE=usb_device\nDRIVER=usb\nPRODUCT=10c4/ea60/100\n"
                                 "TYPE=0/0/0\nBUSNUM=001\nDEVNUM=004\n";

static void a_device_is_read_from_its_uevent_file(void **state)
{
    _cleanup_device_ struct device *device = NULL;
    (void)state;
    assert_int_equal(
        device_new("/devices/pci0/usb1/1-2", "usb", "usb", usb_device, 4711, NULL, &device), 0);
    assert_string_equal(device->devpath, "/devices/pci0/usb1/1-2");
    assert_string_equal(device->sysname, "1-2");
    assert_string_equal(device->subsystem, "usb");
    assert_string_equal(device->devtype, "usb_device");
    assert_string_equal(device->driver, "usb");
    assert_string_equal(device->devname, "bus/usb/001/004");
    assert_int_equal(device->number.kind, NODE_CHARACTER);
    assert_int_equal(device->number.major, 189);
    assert_int_equal(device->number.minor, 3);
    assert_int_equal(device->devmode, -1);
    assert_int_equal(device->ifindex, 0);
    assert_int_equal(device->inode, 4711);
    assert_string_equal(property_get(&device->properties, "DEVPATH"), "/devices/pci0/usb1/1-2");
    assert_string_equal(property_get(&device->properties, "SUBSYSTEM"), "usb");
    assert_string_equal(property_get(&device->properties, "PRODUCT"), "10c4/ea60/100");
    assert_int_equal(device->properties.count, 11);
}

static void a_device_without_anything_is_one_too(void **state)
{
    _cleanup_device_ struct device *device = NULL;
    (void)state;
    assert_int_equal(device_new("/module/loop", NULL, NULL, "", 1, NULL, &device), 0);
    assert_string_equal(device->subsystem, "");
    assert_null(device->driver);
    assert_null(device->devtype);
    assert_null(device->devname);
    assert_int_equal(device->number.kind, NODE_NONE);
    assert_null(property_get(&device->properties, "SUBSYSTEM"));
    assert_null(device_attribute(device, "size"));
    assert_null(device_parent(device));
}

static void the_kind_of_node_comes_from_the_subsystem(void **state)
{
    static const char text[] = "MAJOR=8\nMINOR=1\nDEVNAME=sda1\nDEVTYPE=partition\nPARTN=1\n";
    _cleanup_device_ struct device *block = NULL, *scsi = NULL;
    (void)state;
    assert_int_equal(device_new("/devices/a/sda1", "block", NULL, text, 1, NULL, &block), 0);
    assert_int_equal(block->number.kind, NODE_BLOCK);
    assert_int_equal(device_new("/devices/a/sda1", "tty", NULL, text, 1, NULL, &scsi), 0);
    assert_int_equal(scsi->number.kind, NODE_CHARACTER);
    assert_false(devnum_equal(&block->number, &scsi->number));
}

static void a_mode_is_octal_and_belongs_to_a_node(void **state)
{
    static const struct {
        const char *text;
        int mode;
    } cases[] = {
        {"MAJOR=1\nMINOR=3\nDEVNAME=null\nDEVMODE=0666\n", 0666},
        {"MAJOR=1\nMINOR=3\nDEVNAME=null\nDEVMODE=0\n", 0},
        {"MAJOR=1\nMINOR=3\nDEVNAME=null\nDEVMODE=0888\n", -1},
        {"MAJOR=1\nMINOR=3\nDEVNAME=null\nDEVMODE=10000\n", -1},
        {"MAJOR=1\nMINOR=3\nDEVNAME=null\n", -1},
        {"DEVMODE=0666\n", -1},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_device_ struct device *device = NULL;
        assert_int_equal(device_new("/devices/n", "mem", NULL, cases[i].text, 1, NULL, &device), 0);
        assert_int_equal(device->devmode, cases[i].mode);
    }
}

static void an_interface_index_is_a_net_devices_only(void **state)
{
    static const char text[] = "INTERFACE=eth0\nIFINDEX=7\n";
    _cleanup_device_ struct device *net = NULL, *other = NULL;
    (void)state;
    assert_int_equal(device_new("/devices/net/eth0", "net", NULL, text, 1, NULL, &net), 0);
    assert_int_equal(net->ifindex, 7);
    assert_int_equal(device_new("/devices/net/eth0", "hid", NULL, text, 1, NULL, &other), 0);
    assert_int_equal(other->ifindex, 0);
}

static void a_node_needs_a_whole_number_and_a_name_below_dev(void **state)
{
    static const char *const texts[] = {
        "MAJOR=8\nMINOR=0\n",
        "MAJOR=8\nDEVNAME=sda\n",
        "MINOR=8\nDEVNAME=sda\n",
        "MAJOR=8\nMINOR=0\nDEVNAME=../sda\n",
        "MAJOR=8\nMINOR=0\nDEVNAME=/etc/passwd\n",
        "MAJOR=8\nMINOR=0\nDEVNAME=\n",
        "MAJOR=8\nMINOR=0\nDEVNAME=a\033b\n",
        "MAJOR=4096\nMINOR=0\nDEVNAME=sda\n",
        "MAJOR=8\nMINOR=1048576\nDEVNAME=sda\n",
        "MAJOR=8x\nMINOR=0\nDEVNAME=sda\n",
        "MAJOR=-8\nMINOR=0\nDEVNAME=sda\n",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        _cleanup_device_ struct device *device = NULL;
        assert_int_equal(device_new("/devices/x", "block", NULL, texts[i], 1, NULL, &device), 0);
        assert_int_equal(device->number.kind, NODE_NONE);
        assert_int_equal(device->number.major, 0);
        assert_null(device->devname);
    }
}

static void a_serial_number_with_newlines_makes_no_node(void **state)
{
    /* a HID device whose USB serial number is "x\nMAJOR=8\n..." */
    static const char text[] = "DRIVER=hid-generic\nHID_ID=0003:00001234:00005678\nHID_UNIQ=x\n"
                               "MAJOR=8\nMINOR=0\nDEVNAME=sda\nDEVTYPE=disk\nDEVMODE=0666\n"
                               "DRIVER=evil\nSUBSYSTEM=block\nDEVPATH=/devices/y\nSEQNUM=1\n"
                               "ACTION=remove\nHID_ID=other\nMODALIAS=hid:b0003\n";
    _cleanup_device_ struct device *device = NULL;
    (void)state;
    assert_int_equal(device_new("/devices/x", "hid", "hid-generic", text, 1, NULL, &device), 0);
    assert_int_equal(device->number.kind, NODE_NONE);
    assert_null(device->devname);
    assert_null(device->devtype);
    assert_int_equal(device->devmode, -1);
    assert_null(property_get(&device->properties, "MAJOR"));
    assert_null(property_get(&device->properties, "DEVNAME"));
    assert_null(property_get(&device->properties, "ACTION"));
    assert_null(property_get(&device->properties, "SEQNUM"));
    assert_string_equal(property_get(&device->properties, "DRIVER"), "hid-generic");
    assert_string_equal(property_get(&device->properties, "SUBSYSTEM"), "hid");
    assert_string_equal(property_get(&device->properties, "DEVPATH"), "/devices/x");
    assert_string_equal(property_get(&device->properties, "HID_ID"), "0003:00001234:00005678");
    assert_string_equal(property_get(&device->properties, "MODALIAS"), "hid:b0003");
}

static void an_odd_line_ends_what_the_core_wrote(void **state)
{
    _cleanup_device_ struct device *device = NULL;
    (void)state;
    assert_int_equal(device_new("/devices/x", "hid", NULL, "\x92\nMAJOR=8\nMINOR=0\nDEVNAME=sda\n",
                                1, NULL, &device),
                     0);
    assert_int_equal(device->number.kind, NODE_NONE);
}

static void odd_lines_are_skipped(void **state)
{
    static const char text[] =
        "A=1\n\nno equals\n=x\nB C=2\nD=\033\nE=caf\x92\nF=$(touch x)\nG=a=b";
    _cleanup_device_ struct device *device = NULL;
    (void)state;
    assert_int_equal(device_new("/devices/x", "", NULL, text, 1, NULL, &device), 0);
    assert_int_equal(device->properties.count, 4);
    assert_string_equal(property_get(&device->properties, "A"), "1");
    assert_string_equal(property_get(&device->properties, "F"), "$(touch x)");
    assert_string_equal(property_get(&device->properties, "G"), "a=b");
}

static void what_is_no_devpath_is_refused(void **state)
{
    static const char *const paths[] = {"",          "/",       "devices/x",   "/devices/",
                                        "//devices", "/a/../b", "/a/./b",      "/a//b",
                                        "/a\nb",     "/a\x92",  "/devices/x/."};
    struct device *device = NULL;
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        assert_int_equal(device_new(paths[i], "x", NULL, "", 1, NULL, &device), -EINVAL);
    assert_null(device);
}

static void an_exclamation_mark_is_shown_as_a_slash(void **state)
{
    _cleanup_device_ struct device *device = NULL;
    (void)state;
    assert_int_equal(device_new("/devices/block/cciss!c0d0", "block", NULL, "", 1, NULL, &device),
                     0);
    assert_string_equal(device->sysname, "cciss/c0d0");
    assert_string_equal(device->devpath, "/devices/block/cciss!c0d0");
}

/* A source of one attribute, which counts how often it is asked. */
struct table {
    const char *value;
    int asked;
    int error;
    struct device *parent;
};

static int read_table(void *userdata, const struct device *device, const char *name, char **ret)
{
    struct table *table = userdata;
    (void)device;
    table->asked++;
    if (table->error)
        return table->error;
    if (!table->value || !streq(name, "idVendor"))
        return 0;
    *ret = strdup(table->value);
    return 1;
}

static struct device *parent_of_table(void *userdata, const struct device *device)
{
    const struct table *table = userdata;
    return device == table->parent ? NULL : table->parent;
}

static void an_attribute_is_asked_for_once(void **state)
{
    struct table table = {.value = "10c4"};
    const struct device_source source = {.read_attribute = read_table, .userdata = &table};
    _cleanup_device_ struct device *device = NULL;
    (void)state;
    assert_int_equal(device_new("/devices/x", "usb", NULL, "", 1, &source, &device), 0);
    for (int i = 0; i < 3; i++) {
        assert_string_equal(device_attribute(device, "idVendor"), "10c4");
        assert_null(device_attribute(device, "idProduct"));
    }
    assert_int_equal(table.asked, 2);

    table.value = "0403";
    assert_string_equal(device_attribute(device, "idVendor"), "10c4");
    device_forget_attributes(device);
    assert_string_equal(device_attribute(device, "idVendor"), "0403");
    assert_int_equal(table.asked, 3);
}

static void an_attribute_is_asked_for_again_after_an_error(void **state)
{
    struct table table = {.value = "10c4", .error = -ENOMEM};
    const struct device_source source = {.read_attribute = read_table, .userdata = &table};
    _cleanup_device_ struct device *device = NULL;
    (void)state;
    assert_int_equal(device_new("/devices/x", "usb", NULL, "", 1, &source, &device), 0);
    assert_null(device_attribute(device, "idVendor"));
    table.error = 0;
    assert_string_equal(device_attribute(device, "idVendor"), "10c4");
}

static void the_parent_comes_from_the_source(void **state)
{
    struct table table = {0};
    const struct device_source source = {.parent = parent_of_table, .userdata = &table};
    _cleanup_device_ struct device *parent = NULL, *child = NULL;
    (void)state;
    assert_int_equal(device_new("/devices/x", "usb", NULL, "", 1, &source, &parent), 0);
    assert_int_equal(device_new("/devices/x/y", "usb", NULL, "", 2, &source, &child), 0);
    table.parent = parent;
    assert_ptr_equal(device_parent(child), parent);
    assert_null(device_parent(parent));
}

static void an_incarnation_is_devpath_and_inode(void **state)
{
    _cleanup_device_ struct device *a = NULL, *again = NULL, *later = NULL, *elsewhere = NULL;
    (void)state;
    device_new("/devices/x", "usb", NULL, "", 1, NULL, &a);
    device_new("/devices/x", "usb", "usbfs", "A=1\n", 1, NULL, &again);
    device_new("/devices/x", "usb", NULL, "", 2, NULL, &later);
    device_new("/devices/y", "usb", NULL, "", 1, NULL, &elsewhere);
    assert_true(device_same(a, again));
    assert_false(device_same(a, later));
    assert_false(device_same(a, elsewhere));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_is_read_from_its_uevent_file),
        cmocka_unit_test(a_device_without_anything_is_one_too),
        cmocka_unit_test(the_kind_of_node_comes_from_the_subsystem),
        cmocka_unit_test(a_mode_is_octal_and_belongs_to_a_node),
        cmocka_unit_test(an_interface_index_is_a_net_devices_only),
        cmocka_unit_test(a_node_needs_a_whole_number_and_a_name_below_dev),
        cmocka_unit_test(a_serial_number_with_newlines_makes_no_node),
        cmocka_unit_test(an_odd_line_ends_what_the_core_wrote),
        cmocka_unit_test(odd_lines_are_skipped),
        cmocka_unit_test(what_is_no_devpath_is_refused),
        cmocka_unit_test(an_exclamation_mark_is_shown_as_a_slash),
        cmocka_unit_test(an_attribute_is_asked_for_once),
        cmocka_unit_test(an_attribute_is_asked_for_again_after_an_error),
        cmocka_unit_test(the_parent_comes_from_the_source),
        cmocka_unit_test(an_incarnation_is_devpath_and_inode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
