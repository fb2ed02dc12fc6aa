/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as a rule file; where they are one, a device is judged by it: a tty below a USB device,
 * for a container with a label. What comes out of a share must be what share.h says.
 */

#include "model/rule_match.h"
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

static const struct device_source source = {read_attribute, parent_of, NULL};

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
    must(!trace->key || trace->verdict == RULE_NO_MATCH);
    (*count)++;
}

static void judge(const struct rule_set *rules)
{
    struct property_list labels = {0};
    must(property_set(&labels, "a", "b") == 0);
    struct rule_container container = {"web1", &labels};
    struct share share;
    size_t count = 0;
    must(rule_judge(rules, leaf, &container, on_trace, &count, &share) == share.given);
    must(count == rule_set_count(rules));
    check_share(&share);
    share_done(&share);
    property_list_done(&labels);
    device_forget_attributes(stick);
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
        judge(rules);
    rule_set_free(rules);
    rule_problems_done(&problems);
    return 0;
}
