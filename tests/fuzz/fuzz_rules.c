/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as a rule file; where they are one, a device is judged by it: a tty below a USB device,
 * for a container with a label, before udev has told of it and after. What comes out of a share
 * must be what share.h says, and the same with the index and, with a trace, without it.
 */

#include "model/rule_hint.h"
#include "model/rule_parser.h"

#include <stdio.h>

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

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void make_devices(void)
{
    must(device_new("/devices/usb1/1-2", "usb", "usb", "DEVTYPE=usb_device\n", 1, &source,
                    &stick) == 0);
    must(device_new("/devices/usb1/1-2/tty/ttyUSB0", "tty", NULL,
                    "MAJOR=188\nMINOR=0\nDEVNAME=ttyUSB0\n", 2, &source, &leaf) == 0);
}

static void check_share(const struct share *share)
{
    must(share->mode >= -1 && share->mode <= 07777);
    must(share->access <= 7);
    must(share->options < 1u << 5);
    must(abs(share->link_priority) <= SHARE_LINK_PRIORITY_MAX);
    must(!share->name || share->name[0]);
    must(share->symlink_count <= SHARE_SYMLINKS_MAX);
    must(share->given == (share->rule_file != NULL));
    must(!share->node || share->node[0] == '/');
    must(!share->owner || share->owner[0]);
    must(!share->group || share->group[0]);
    for (size_t i = 0; i < share->symlink_count; i++)
        must(share->symlinks[i][0] == '/');
    for (size_t i = 0; i < share->env.count; i++)
        must(share->env.items[i].key[0] != '.' && !strpbrk(share->env.items[i].value, "\n"));
}

static void on_trace(void *userdata, const struct rule_trace *trace)
{
    size_t *count = userdata;
    must(trace->line > 0);
    must(streq(trace->file, "fuzz.rules"));
    must(!trace->key || trace->verdict == RULE_NO_MATCH || trace->verdict == RULE_WAITS);
    static const struct rule_container registered[] = {{"web1", NULL}, {"db", NULL}};
    const struct rule_surroundings around = {false, registered, 2};
    char hint[RULE_HINT_MAX];
    size_t length = trace->value ? strlen(trace->value) : 0;
    if (rule_hint(trace, &around, hint))
        must(hint[0] && trace->verdict != RULE_MATCHED && trace->verdict != RULE_SKIPPED);
    must(!trace->value || strlen(trace->value) == length);
    (*count)++;
}

static void compare_shares(const struct share *a, const struct share *b)
{
    must(a->given == b->given && a->waits == b->waits && a->mode == b->mode);
    must(a->access == b->access && a->options == b->options);
    must(a->link_priority == b->link_priority && a->symlink_count == b->symlink_count);
    must(streq_null(a->node, b->node) && streq_null(a->name, b->name));
    must(streq_null(a->owner, b->owner) && streq_null(a->group, b->group));
    for (size_t i = 0; i < a->symlink_count; i++)
        must(streq(a->symlinks[i], b->symlinks[i]));
    must(property_list_equal(&a->env, &b->env) && a->rule_line == b->rule_line);
}

static void judge(const struct rule_set *rules, const struct rule_container *container)
{
    struct share share, indexed;
    size_t count = 0;
    must(rule_judge(rules, leaf, container, on_trace, &count, &share) == share.given);
    must(rule_judge(rules, leaf, container, NULL, NULL, &indexed) == indexed.given);
    must(count == rule_set_count(rules));
    must(!share.waits || (!leaf->initialised && rule_set_needs_udev(rules)));
    check_share(&share);
    compare_shares(&share, &indexed);
    share_done(&share);
    share_done(&indexed);
}

static void judge_before_and_after_udev(const struct rule_set *rules)
{
    static const char *const tags[] = {"a", "seat", NULL}, *const links[] = {"/dev/x", NULL};
    struct property_list labels = {0}, properties = {0};
    must(property_set(&labels, "a", "b") == 0 && property_set(&properties, "ID_A", "b") == 0);
    struct rule_container container = {"web1", &labels};
    leaf->initialised = false;
    judge(rules, &container);
    must(device_set_udev(leaf, &properties, tags, links) == 0);
    judge(rules, &container);
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
