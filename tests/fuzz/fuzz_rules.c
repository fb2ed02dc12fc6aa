/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as a rule file; where they are one, a device is judged by it: a tty below a USB device,
 * for a container with a label, before udev has told of it and after. Printed and read again, the
 * rules are the same rules.
 */

#include "judgement.h"
#include "model/rule_parser.h"

static struct device *leaf, *stick;

static int read_attribute(void *userdata, const struct device *device, const char *name, char **ret)
{
    (void)userdata;
    if (device != stick || !streq(name, "serial"))
        return 0;
    *ret = strdup("A5 /..\t");
    return *ret ? 1 : 0;
}

static struct device *parent_of(void *userdata, const struct device *device)
{
    (void)userdata;
    return device == leaf ? stick : NULL;
}

static int read_sysctl(void *userdata, const char *name, char **ret)
{
    (void)userdata;
    *ret = strdup(name);
    return *ret ? 1 : 0;
}

static int read_reference(void *userdata, const char *subsystem, const char *sysname,
                          const char *attribute, char **ret)
{
    (void)subsystem;
    (void)sysname;
    return read_sysctl(userdata, attribute, ret);
}

static bool test_path(void *userdata, const struct device *device, const char *path, unsigned mask)
{
    (void)userdata;
    (void)device;
    return strlen(path) % 2 || mask % 2;
}

static const char *constant(void *userdata, const char *name)
{
    (void)userdata;
    return name;
}

static const struct host_facts facts = {read_sysctl, read_reference, test_path, constant, NULL};
static const struct device_source source = {read_attribute, parent_of, NULL, &facts};

static void make_devices(void)
{
    must(device_new("/devices/usb1/1-2", "usb", "usb", "DEVTYPE=usb_device\n", 1, &source,
                    &stick) == 0);
    must(device_new("/devices/usb1/1-2/tty/ttyUSB0", "tty", NULL,
                    "MAJOR=188\nMINOR=0\nDEVNAME=ttyUSB0\n", 2, &source, &leaf) == 0);
}

static void judge_leaf(const struct rule_set *rules, const struct rule_set *printed,
                       const struct rule_container *container)
{
    struct share share;
    judge(rules, printed, leaf, container, &share);
    share_done(&share);
}

static void judge_before_and_after_udev(const struct rule_set *rules)
{
    _cleanup_rule_set_ struct rule_set *printed = read_what_is_printed(rules);
    static const char *const tags[] = {"a", "seat", NULL}, *const links[] = {"/dev/x", NULL};
    struct property_list labels = {0}, properties = {0};
    must(property_set(&labels, "a", "b") == 0 && property_set(&properties, "ID_A", "b") == 0);
    struct rule_container container = {"web1", &labels};
    leaf->initialised = false;
    judge_leaf(rules, printed, &container);
    must(device_set_udev(leaf, &properties, tags, links) == 0);
    judge_leaf(rules, printed, &container);
    property_list_done(&properties);
    property_list_done(&labels);
    device_forget_attributes(stick);
    device_forget_attributes(leaf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!leaf)
        make_devices();
    struct rule_problems problems = {0};
    struct rule_set *rules = rule_set_new();
    must(rules);
    int r = rule_parse(rules, "fuzz.rules", (const char *)data, size, &problems);
    must(problems.count <= 100);
    must((r < 0) == (problems.errors > 0));
    must(r == 0 || rule_set_count(rules) == 0);
    if (r == 0)
        judge_before_and_after_udev(rules);
    rule_set_free(rules);
    rule_problems_done(&problems);
    return 0;
}
