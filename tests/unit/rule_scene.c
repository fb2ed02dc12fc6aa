/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rule_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/rule_parser.h"

/* A serial adapter below its USB device, from the leaf up, as `udevadm info -a` walks it. */
struct fake {
    const char *devpath, *subsystem, *driver, *uevent;
    const char *attributes[8][2];
};

static const struct fake FAKES[] = {
    {INTERFACE "/ttyUSB0/tty/ttyUSB0",
     "tty",
     NULL,
     "MAJOR=188\nMINOR=7\nDEVNAME=ttyUSB0\nEMPTY=\nBUS=own\n",
     {{"dev", "188:7"}, {"uartclk", "0"}, {"ttyUSB0", "self"}}},
    {INTERFACE "/ttyUSB0", "usb-serial", "cp210x", "", {{"port_number", "0"}}},
    {INTERFACE, "usb", "cp210x", "DEVTYPE=usb_interface\n", {{"bInterfaceNumber", "00"}}},
    {STICK,
     "usb",
     "usb",
     "MAJOR=189\nMINOR=3\nDEVNAME=bus/usb/001/004\nDEVTYPE=usb_device\nDRIVER=usb\n",
     {{"idVendor", "10c4"},
      {"idProduct", "ea60"},
      {"serial", "A50285BI"},
      {"product", "CP2102  USB\tBridge  "},
      {"manufacturer", "Silicon/../Labs;"},
      {"configuration", "  "},
      {"label", "  bed\troom "},
      {"odd", "A\\b\"c\xc3\xa4 "}}},
    {HOST "/usb1",
     "usb",
     "usb",
     "DEVTYPE=usb_device\n",
     {{"idVendor", "1d6b"}, {"serial", "0000:00:14.0"}}},
    {HOST, "pci", "xhci_hcd", "", {{"vendor", "0x8086"}}},
    {"/devices/virtual/net/veth7", "net", NULL, "INTERFACE=veth7\nIFINDEX=7\n", {{"mtu", "1500"}}},
};

_Static_assert(ARRAY_SIZE(FAKES) == SCENE_DEVICES, "the enumeration names each of them");

static size_t index_of(const struct scene *scene, const struct device *device)
{
    size_t i = 0;
    while (i < ARRAY_SIZE(FAKES) && scene->devices[i] != device)
        i++;
    assert_true(i < ARRAY_SIZE(FAKES));
    return i;
}

static int read_attribute(void *userdata, const struct device *device, const char *name, char **ret)
{
    const struct fake *fake = &FAKES[index_of(userdata, device)];
    for (size_t i = 0; i < ARRAY_SIZE(fake->attributes) && fake->attributes[i][0]; i++) {
        if (!streq(fake->attributes[i][0], name))
            continue;
        *ret = strdup(fake->attributes[i][1]);
        assert_non_null(*ret);
        return 1;
    }
    return 0;
}

static struct device *parent_of(void *userdata, const struct device *device)
{
    const struct scene *scene = userdata;
    size_t i = index_of(scene, device) + 1;
    return i < SCENE_NET ? scene->devices[i] : NULL;
}

/* One kernel parameter, one device elsewhere, one file of mode 0644 below the stick. */
static int read_sysctl(void *userdata, const char *name, char **ret)
{
    (void)userdata;
    if (!streq(name, "kernel/ostype") && !streq(name, "dev/ttyUSB0"))
        return 0;
    *ret = strdup("Linux");
    return *ret ? 1 : -1;
}

static int read_reference(void *userdata, const char *subsystem, const char *sysname,
                          const char *attribute, char **ret)
{
    (void)userdata;
    if (!streq(subsystem, "dmi") || !streq(sysname, "id"))
        return 0;
    *ret = strdup(streq(attribute, "sys_vendor") ? "Acme Inc. " : "");
    return *ret ? 1 : -1;
}

static bool test_path(void *userdata, const struct device *device, const char *path, unsigned mask)
{
    (void)userdata;
    bool there =
        streq(path, "/sys/1-2/serial") || (streq(path, "serial") && streq(device->sysname, "1-2"));
    return there && (mask == 0 || (0644 & mask));
}

static const char *constant(void *userdata, const char *name)
{
    (void)userdata;
    return streq(name, "arch") ? "x86-64" : "none";
}

static const struct host_facts FACTS = {read_sysctl, read_reference, test_path, constant, NULL};

int scene_make(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    scene->source = (struct device_source){read_attribute, parent_of, scene, &FACTS};
    for (size_t i = 0; i < ARRAY_SIZE(FAKES); i++)
        assert_int_equal(device_new(FAKES[i].devpath, FAKES[i].subsystem, FAKES[i].driver,
                                    FAKES[i].uevent, i + 1, &scene->source, &scene->devices[i]),
                         0);
    *state = scene;
    return 0;
}

int scene_free(void **state)
{
    struct scene *scene = *state;
    for (size_t i = 0; i < ARRAY_SIZE(FAKES); i++)
        device_free(scene->devices[i]);
    free(scene);
    return 0;
}

static _printf_(2, 3) void add(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(text->bytes + text->length, sizeof(text->bytes) - text->length, format,
                      arguments);
    va_end(arguments);
    assert_true(n >= 0 && (size_t)n < sizeof(text->bytes) - text->length);
    text->length += (size_t)n;
}

void scene_describe(struct text *text, const struct share *share)
{
    add(text, share->given ? "given %s:%u" : "-", share->rule_file, share->rule_line);
    assert_true(share->given == (share->rule_file != NULL));
    if (share->waits)
        add(text, " waits");
    if (share->node)
        add(text, " node=%s", share->node);
    if (share->name)
        add(text, " name=%s", share->name);
    if (share->owner)
        add(text, " owner=%s", share->owner);
    if (share->group)
        add(text, " group=%s", share->group);
    if (share->mode >= 0)
        add(text, " mode=%o", (unsigned)share->mode);
    if (share->access)
        add(text, " access=%u", share->access);
    if (share->options)
        add(text, " options=%u", share->options);
    if (share->link_priority)
        add(text, " priority=%d", share->link_priority);
    for (size_t i = 0; i < share->symlink_count; i++)
        add(text, " link=%s", share->symlinks[i]);
    for (size_t i = 0; i < share->env.count; i++)
        add(text, " %s=<%s>", share->env.items[i].key, share->env.items[i].value);
}

static void on_trace(void *userdata, const struct rule_trace *trace)
{
    static const char *const words[] = {"matched", "no", "skipped", "waits"};
    struct text *text = userdata;
    add(text, "%s:%u %s", trace->file, trace->line, words[trace->verdict]);
    if (trace->gives)
        add(text, " gives");
    if (trace->key)
        add(text, " %s <%s>", trace->key, trace->value ? trace->value : "(none)");
    if (trace->parent)
        add(text, " at %s", strrchr(trace->parent, '/') + 1);
    add(text, "\n");
}

struct rule_set *scene_parse(const char *sentence, const char *rules_text)
{
    struct rule_set *rules = rule_set_new();
    struct rule_problems problems = {0};
    assert_non_null(rules);
    if (rule_parse(rules, "t", rules_text, strlen(rules_text), &problems) < 0)
        fail_msg("%s: %u:%u %s", sentence, problems.items[0].line, problems.items[0].column,
                 problems.items[0].text);
    rule_problems_done(&problems);
    return rules;
}

/* The container is "web1", with label tier=front. */
void scene_judge(const struct rule_set *rules, struct device *device, struct text *trace,
                 struct text *ret)
{
    struct property label = {(char *)(uintptr_t) "tier", (char *)(uintptr_t) "front"};
    struct property_list labels = {&label, 1};
    struct rule_container container = {"web1", &labels};
    struct share share;
    int r = rule_judge(rules, device, &container, trace ? on_trace : NULL, trace, &share);
    assert_int_equal(r, share.given);
    scene_describe(ret, &share);
    share_done(&share);
}
