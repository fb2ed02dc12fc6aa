/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The rules of rules/examples against devices such as they are written for, as sysfs shows these,
 * and against a neighbour that is none of them.
 */

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "kernel/rule_files.h"
#include "rule_scene.h"

#define CHAIN_MAX 4
#define PORT "/devices/pci0000:00/0000:00:14.0/usb1/"

/* From the leaf up. Attributes are lines "name=value". */
struct chain {
    struct link {
        const char *devpath, *subsystem, *uevent, *attributes;
    } links[CHAIN_MAX];
};

#define USB_DEVICE(port, attributes)                                                               \
    {                                                                                              \
        PORT port, "usb", "MAJOR=189\nMINOR=7\nDEVNAME=bus/usb/001/008\nDEVTYPE=usb_device\n",     \
            attributes                                                                             \
    }
#define USB_INTERFACE(port)                                                                        \
    {                                                                                              \
        PORT port "/" port ":1.0", "usb", "DEVTYPE=usb_interface\n", "bInterfaceNumber=00\n"       \
    }
#define TTY_USB(port, attributes)                                                                  \
    {                                                                                              \
        {{PORT port "/" port ":1.0/ttyUSB0/tty/ttyUSB0", "tty",                                    \
          "MAJOR=188\nMINOR=0\nDEVNAME=ttyUSB0\n", ""},                                            \
         {PORT port "/" port ":1.0/ttyUSB0", "usb-serial", "", "port_number=0\n"},                 \
         USB_INTERFACE(port),                                                                      \
         USB_DEVICE(port, attributes)},                                                            \
    }
#define TTY_ACM(port, attributes)                                                                  \
    {                                                                                              \
        {{PORT port "/" port ":1.0/tty/ttyACM0", "tty", "MAJOR=166\nMINOR=0\nDEVNAME=ttyACM0\n",   \
          ""},                                                                                     \
         USB_INTERFACE(port),                                                                      \
         USB_DEVICE(port, attributes)},                                                            \
    }
#define INPUT(handler, attributes)                                                                 \
    {                                                                                              \
        {{"/devices/virtual/input/input9/" handler, "input",                                       \
          "MAJOR=13\nMINOR=70\nDEVNAME=input/" handler "\n", ""},                                  \
         {"/devices/virtual/input/input9", "input", "PRODUCT=5/54c/9cc/8100\n", attributes}},      \
    }
#define VIDEO(node, attributes)                                                                    \
    {                                                                                              \
        {{PORT "1-4/1-4:1.0/video4linux/" node, "video4linux",                                     \
          "MAJOR=81\nMINOR=2\nDEVNAME=" node "\n", attributes},                                    \
         USB_INTERFACE("1-4"),                                                                     \
         USB_DEVICE("1-4", "idVendor=046d\nidProduct=082d\nproduct=HD Pro Webcam C920\n")},        \
    }
#define DISK(node, attributes)                                                                     \
    {                                                                                              \
        {{PORT "1-5/1-5:1.0/host2/target2:0:0/2:0:0:0/block/" node, "block",                       \
          "MAJOR=8\nMINOR=16\nDEVNAME=sdb\n", "removable=1\n"},                                    \
         {PORT "1-5/1-5:1.0/host2/target2:0:0/2:0:0:0", "scsi", "DEVTYPE=scsi_device\n",           \
          "vendor=SanDisk \n"},                                                                    \
         USB_INTERFACE("1-5"),                                                                     \
         USB_DEVICE("1-5", attributes)},                                                           \
    }
#define ONLY(...)                                                                                  \
    {                                                                                              \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

#define SANDISK "idVendor=0781\nidProduct=5581\nserial=4C530001230512113295\n"
#define DIALOUT " group=dialout mode=660"

static const struct {
    const char *file;
    const char *sentence;
    const char *container, *label; /* the label's value; its key is "app" */
    struct chain chain;
    const char *share; /* as scene_describe() has it, without file and line */
} CASES[] = {
    {"50-zigbee-stick", "a Sonoff Dongle-P", "homeassistant", NULL,
     TTY_USB("1-2", "idVendor=10c4\nidProduct=ea60\nserial=0001\n"),
     "given" DIALOUT " link=/dev/zigbee"},
    {"50-zigbee-stick", "a Sonoff Dongle-E", "homeassistant", NULL,
     TTY_ACM("1-2", "idVendor=1a86\nidProduct=55d4\nserial=20220816\n"),
     "given" DIALOUT " link=/dev/zigbee"},
    {"50-zigbee-stick", "a ConBee II", "homeassistant", NULL,
     TTY_ACM("1-2", "idVendor=1cf1\nidProduct=0030\nserial=DE2132111\n"),
     "given" DIALOUT " link=/dev/zigbee"},
    {"50-zigbee-stick", "the neighbour's stick", "homeassistant", NULL,
     TTY_USB("1-2", "idVendor=10c4\nidProduct=ea60\nserial=0002\n"), "-"},
    {"50-zigbee-stick", "another container", "web1", NULL,
     TTY_USB("1-2", "idVendor=10c4\nidProduct=ea60\nserial=0001\n"), "-"},

    {"50-zwave-stick", "a Z-Stick at its port", "zwavejs", NULL,
     TTY_ACM("1-1.3", "idVendor=0658\nidProduct=0200\n"), "given" DIALOUT " link=/dev/zwave"},
    {"50-zwave-stick", "a Z-Stick elsewhere", "zwavejs", NULL,
     TTY_ACM("1-1.4", "idVendor=0658\nidProduct=0200\n"), "-"},

    {"50-3d-printer", "a board with an FTDI adapter", "o", "octoprint",
     TTY_USB("1-2", "idVendor=0403\nidProduct=6001\n"), "given node=/dev/printer" DIALOUT},
    {"50-3d-printer", "a board with a CH340", "o", "octoprint",
     TTY_USB("1-2", "idVendor=1a86\nidProduct=7523\n"), "given node=/dev/printer" DIALOUT},
    {"50-3d-printer", "a Prusa", "o", "octoprint",
     TTY_ACM("1-2", "idVendor=2c99\nidProduct=0002\n"), "given node=/dev/printer" DIALOUT},
    {"50-3d-printer", "another app", "o", "web", TTY_ACM("1-2", "idVendor=2c99\nidProduct=0002\n"),
     "-"},

    {"50-sdr", "an RTL-SDR", "s", "sdr",
     ONLY(USB_DEVICE("1-3", "idVendor=0bda\nidProduct=2838\nserial=00000101\n")),
     "given group=plugdev mode=660 options=2"},
    {"50-sdr", "a HackRF", "s", "sdr", ONLY(USB_DEVICE("1-3", "idVendor=1d50\nidProduct=6089\n")),
     "given group=plugdev mode=660 options=2"},
    {"50-sdr", "a card reader of the same vendor", "s", "sdr",
     ONLY(USB_DEVICE("1-3", "idVendor=0bda\nidProduct=0129\n")), "-"},
    {"50-sdr", "an interface of it", "s", "sdr",
     ONLY(USB_INTERFACE("1-3"), USB_DEVICE("1-3", "idVendor=0bda\nidProduct=2838\n")), "-"},

    {"50-yubikey", "a YubiKey's FIDO interface", "signer", NULL,
     ONLY({PORT "1-3/1-3:1.0/0003:1050:0407.0003/hidraw/hidraw1", "hidraw",
           "MAJOR=241\nMINOR=1\nDEVNAME=hidraw1\n", ""},
          USB_INTERFACE("1-3"), USB_DEVICE("1-3", "idVendor=1050\nidProduct=0407\n")),
     "given group=plugdev mode=660"},
    {"50-yubikey", "a YubiKey's smart card", "signer", NULL,
     ONLY(USB_DEVICE("1-3", "idVendor=1050\nidProduct=0407\n")), "given group=plugdev mode=660"},
    {"50-yubikey", "the keyboard in it", "signer", NULL,
     INPUT("event5", "name=Yubico YubiKey OTP\nid/vendor=1050\nid/product=0407\n"), "-"},

    {"50-gamepad", "a DualShock 4", "games", NULL,
     INPUT("event5", "id/vendor=054c\nid/product=09cc\n"), "given group=input mode=660"},
    {"50-gamepad", "a Pro Controller's joystick", "games", NULL,
     INPUT("js0", "id/vendor=057e\nid/product=2009\n"), "given group=input mode=660"},
    {"50-gamepad", "an Xbox 360 pad", "games", NULL,
     INPUT("event5", "id/vendor=045e\nid/product=028e\n"), "given group=input mode=660"},
    {"50-gamepad", "a keyboard of Microsoft's", "games", NULL,
     INPUT("event5", "id/vendor=045e\nid/product=0750\n"), "-"},
    {"50-gamepad", "what is no node for programs", "games", NULL,
     INPUT("mouse0", "id/vendor=054c\nid/product=09cc\n"), "-"},

    {"50-webcam", "the picture of a C920", "motion", NULL, VIDEO("video2", "index=0\n"),
     "given node=/dev/video0 group=video mode=660"},
    {"50-webcam", "its metadata", "motion", NULL, VIDEO("video3", "index=1\n"), "-"},

    {"50-android-phone", "a phone that charges", "android-ci", NULL,
     ONLY(USB_DEVICE("1-3", "idVendor=18d1\nidProduct=4ee7\nserial=0A301JECB05789\n")),
     "given group=plugdev mode=660 ADB_USER=<ci>"},
    {"50-android-phone", "the same one in its boot loader", "android-ci", NULL,
     ONLY(USB_DEVICE("1-3", "idVendor=18d1\nidProduct=4ee0\nserial=0A301JECB05789\n")),
     "given group=plugdev mode=660 ADB_USER=<ci>"},
    {"50-android-phone", "another phone", "android-ci", NULL,
     ONLY(USB_DEVICE("1-3", "idVendor=18d1\nidProduct=4ee7\nserial=0B\n")), "-"},

    {"60-test-board", "a board", "lab-3", NULL,
     ONLY(USB_DEVICE("1-2", "idVendor=0403\nidProduct=6010\nserial=A50285BI\n")),
     "given options=3"},
    {"60-test-board", "its console", "lab-3", NULL,
     TTY_USB("1-2", "idVendor=0403\nidProduct=6010\nserial=A50285BI\n"),
     "given link=/dev/board/console LAB_BOARD=<A50285BI>"},
    {"60-test-board", "the next board", "lab-3", NULL,
     TTY_USB("1-2", "idVendor=0403\nidProduct=6010\nserial=A50285BJ\n"), "-"},

    {"50-usb-network", "an adapter", "router", NULL,
     ONLY({PORT "1-6/1-6:1.0/net/enx00e04c680102", "net", "INTERFACE=enx00e04c680102\nIFINDEX=5\n",
           "address=00:e0:4c:68:01:02\n"},
          USB_INTERFACE("1-6"), USB_DEVICE("1-6", "idVendor=0bda\nidProduct=8153\n")),
     "given name=wan0"},
    {"50-usb-network", "another adapter", "router", NULL,
     ONLY({PORT "1-6/1-6:1.0/net/enx00e04c680103", "net", "INTERFACE=enx00e04c680103\nIFINDEX=5\n",
           "address=00:e0:4c:68:01:03\n"},
          USB_INTERFACE("1-6"), USB_DEVICE("1-6", "idVendor=0bda\nidProduct=8153\n")),
     "-"},

    {"50-usb-disk", "a disk", "backup", NULL, DISK("sdb", SANDISK),
     "given group=disk mode=660 link=/dev/backup"},
    {"50-usb-disk", "its second partition", "backup", NULL, DISK("sdb/sdb2", SANDISK),
     "given group=disk mode=660 link=/dev/backup2"},
    {"50-usb-disk", "another disk", "backup", NULL,
     DISK("sdb", "idVendor=0781\nidProduct=5581\nserial=1\n"), "-"},

    {"50-demo-block", "a zram disk", "demo-1", NULL,
     ONLY({"/devices/virtual/block/zram1", "block", "MAJOR=252\nMINOR=1\nDEVNAME=zram1\n", ""}),
     "given group=disk mode=660"},
    {"50-demo-block", "a loop device", "demo-1", NULL,
     ONLY({"/devices/virtual/block/loop8", "block", "MAJOR=7\nMINOR=8\nDEVNAME=loop8\n", ""}),
     "given mode=400 access=1"},
    {"50-demo-block", "one of the host's", "demo-1", NULL,
     ONLY({"/devices/virtual/block/loop7", "block", "MAJOR=7\nMINOR=7\nDEVNAME=loop7\n", ""}), "-"},
};

/* A chain as devices. */
struct plugged {
    const struct chain *chain;
    struct device_source source;
    struct device *devices[CHAIN_MAX];
};

static size_t index_of(const struct plugged *plugged, const struct device *device)
{
    size_t i = 0;
    while (i < CHAIN_MAX && plugged->devices[i] != device)
        i++;
    assert_true(i < CHAIN_MAX);
    return i;
}

static int read_attribute(void *userdata, const struct device *device, const char *name, char **ret)
{
    const struct plugged *plugged = userdata;
    const char *line = plugged->chain->links[index_of(plugged, device)].attributes;
    for (size_t length; *line; line += length + 1) {
        const char *value = after_prefix(line, name);
        length = strcspn(line, "\n");
        if (!value || value[0] != '=')
            continue;
        *ret = strndup(value + 1, (size_t)(line + length - value - 1));
        assert_non_null(*ret);
        return 1;
    }
    return 0;
}

static struct device *parent_of(void *userdata, const struct device *device)
{
    const struct plugged *plugged = userdata;
    size_t above = index_of(plugged, device) + 1;
    return above < CHAIN_MAX ? plugged->devices[above] : NULL;
}

static void plug(struct plugged *plugged, const struct chain *chain)
{
    *plugged = (struct plugged){.chain = chain};
    plugged->source = (struct device_source){read_attribute, parent_of, plugged, NULL};
    for (size_t i = 0; i < CHAIN_MAX && chain->links[i].devpath; i++)
        assert_int_equal(device_new(chain->links[i].devpath, chain->links[i].subsystem, NULL,
                                    chain->links[i].uevent, i + 1, &plugged->source,
                                    &plugged->devices[i]),
                         0);
}

static void unplug(struct plugged *plugged)
{
    for (size_t i = 0; i < CHAIN_MAX; i++)
        device_free(plugged->devices[i]);
}

static const char *examples(char path[static 512], const char *name)
{
    const char *source = getenv("srcdir"); /* automake's, where the build is elsewhere */
    (void)snprintf(path, 512, "%s/rules/examples/%s.rules", source ? source : ".", name);
    return path;
}

/* Of what the rules say: whose checkout this is is not the examples' business. */
static void fail_for_problems(const struct rule_problems *problems, const char *path)
{
    for (size_t i = 0; i < problems->count; i++)
        if (problems->items[i].line > 0)
            fail_msg("%s:%u:%u: %s", path, problems->items[i].line, problems->items[i].column,
                     problems->items[i].text);
}

static struct rule_set *load(const char *path)
{
    struct rule_set *rules = rule_set_new();
    struct rule_problems problems = {0};
    assert_non_null(rules);
    (void)rule_file_load(path, rules, &problems);
    fail_for_problems(&problems, path);
    rule_problems_done(&problems);
    return rules;
}

/* "given" and what follows behind file and line. */
static void judge(const struct rule_set *rules, struct device *device,
                  const struct rule_container *container, struct text *ret)
{
    struct share share;
    assert_true(rule_judge(rules, device, container, NULL, NULL, &share) >= 0);
    scene_describe(ret, &share);
    share_done(&share);
    char *place = strchr(ret->bytes, ' ');
    if (!place)
        return;
    const char *rest = place + 1 + strcspn(place + 1, " ");
    memmove(place, rest, strlen(rest) + 1);
}

static void every_example_gives_the_device_that_it_is_for_and_no_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
        char path[512];
        _cleanup_rule_set_ struct rule_set *rules = load(examples(path, CASES[i].file));
        struct property label = {(char *)(uintptr_t) "app", (char *)(uintptr_t)CASES[i].label};
        const struct property_list labels = {&label, CASES[i].label ? 1 : 0};
        const struct rule_container container = {CASES[i].container, &labels};
        struct plugged plugged;
        struct text got = {0};
        plug(&plugged, &CASES[i].chain);
        judge(rules, plugged.devices[0], &container, &got);
        unplug(&plugged);
        if (!streq(got.bytes, CASES[i].share))
            fail_msg("%s, %s: %s", CASES[i].file, CASES[i].sentence, got.bytes);
    }
}

static bool has_case(const char *path)
{
    char tested[512];
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++)
        if (streq(examples(tested, CASES[i].file), path))
            return true;
    return false;
}

static void no_example_is_left_out(void **state)
{
    (void)state;
    char pattern[512];
    glob_t found;
    assert_int_equal(glob(examples(pattern, "*"), 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        if (!has_case(found.gl_pathv[i]))
            fail_msg("%s has no device here that it is for", found.gl_pathv[i]);
    globfree(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_gives_the_device_that_it_is_for_and_no_other),
        cmocka_unit_test(no_example_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
