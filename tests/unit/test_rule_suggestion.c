/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_suggestion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/rule_match.h"
#include "model/rule_parser.h"
#include "model/rule_quote.h"

#define CHAIN_MAX 5
#define GIVES ", \\\n    CONTAINER+=\"my-container\""
#define GIVES_NODE GIVES ", SYMLINK+=\"my-device\""
#define PORT "/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1.2"
#define TTY_NODE "MAJOR=188\nMINOR=0\nDEVNAME=ttyUSB0\n"
#define USB_NODE "MAJOR=189\nMINOR=3\nDEVNAME=bus/usb/001/004\nDEVTYPE=usb_device\n"
#define DISK_NODE "MAJOR=8\nMINOR=0\nDEVNAME=sda\nDEVTYPE=disk\n"
#define PART_NODE "MAJOR=8\nMINOR=1\nDEVNAME=sda1\nDEVTYPE=partition\n"
#define IDS(serial)                                                                                \
    {"idVendor", "10c4"}, {"idProduct", "ea60"},                                                   \
    {                                                                                              \
        "serial", serial                                                                           \
    }
#define IDS_KEYS "ATTRS{idVendor}==\"10c4\", ATTRS{idProduct}==\"ea60\""

struct fake {
    const char *devpath, *subsystem, *uevent;
    const char *attributes[5][2];
};

/* The device first, then those above it; what is asked for is in the lines, the best rule first. */
static const struct {
    const char *sentence;
    struct fake chain[CHAIN_MAX];
    const char *expected;
} CASES[] = {
    {"a USB device's child is told by the serial number, then by the port",
     {{PORT "/1-1.2:1.0/ttyUSB0/tty/ttyUSB0", "tty", TTY_NODE, {{NULL}}},
      {PORT "/1-1.2:1.0/ttyUSB0", "usb-serial", "", {{NULL}}},
      {PORT "/1-1.2:1.0", "usb", "DEVTYPE=usb_interface\n", {{"bInterfaceNumber", "00"}}},
      {PORT, "usb", USB_NODE, {IDS("A50285BI"), {"bNumInterfaces", " 1"}}}},
     "By the serial number of the USB device\n"
     "SUBSYSTEM==\"tty\", KERNEL==\"ttyUSB[0-9]*\", " IDS_KEYS
     ", ATTRS{serial}==\"A50285BI\"" GIVES_NODE "\n"
     "By the USB port that it is plugged into\n"
     "SUBSYSTEM==\"tty\", KERNEL==\"ttyUSB[0-9]*\", " IDS_KEYS ", KERNELS==\"1-1.2\"" GIVES_NODE
     "\n"
     "By its name, which may be that of another device tomorrow\n"
     "SUBSYSTEM==\"tty\", KERNEL==\"ttyUSB0\"" GIVES_NODE "\n"},
    {"of several interfaces the path tells which",
     {{PORT "/1-1.2:1.2/ttyUSB2/tty/ttyUSB2", "tty", TTY_NODE, {{NULL}}},
      {PORT "/1-1.2:1.2", "usb", "DEVTYPE=usb_interface\n", {{NULL}}},
      {PORT, "usb", USB_NODE, {IDS("0001"), {"bNumInterfaces", " 4"}}}},
     "By the USB port that it is plugged into (others may have the serial number \"0001\" too)\n"
     "SUBSYSTEM==\"tty\", KERNEL==\"ttyUSB[0-9]*\", DEVPATH==\"*:1.2/*\", " IDS_KEYS
     ", KERNELS==\"1-1.2\"" GIVES_NODE "\n"
     "By its name, which may be that of another device tomorrow\n"
     "SUBSYSTEM==\"tty\", KERNEL==\"ttyUSB2\"" GIVES_NODE "\n"},
    {"a USB device may be given with all below it",
     {{PORT, "usb", USB_NODE, {IDS("A50285BI")}}},
     "By the serial number of the USB device; with OPTIONS+=\"subtree\", all that hangs below it "
     "too\n"
     "SUBSYSTEM==\"usb\", ENV{DEVTYPE}==\"usb_device\", ATTR{idVendor}==\"10c4\", "
     "ATTR{idProduct}==\"ea60\", ATTR{serial}==\"A50285BI\"" GIVES_NODE "\n"
     "By the USB port that it is plugged into; with OPTIONS+=\"subtree\", all that hangs below it "
     "too\n"
     "SUBSYSTEM==\"usb\", ENV{DEVTYPE}==\"usb_device\", ATTR{idVendor}==\"10c4\", "
     "ATTR{idProduct}==\"ea60\", KERNEL==\"1-1.2\"" GIVES_NODE "\n"},
    {"an interface is told by its number",
     {{PORT "/1-1.2:1.1", "usb", "DEVTYPE=usb_interface\n", {{"bInterfaceNumber", "01"}}},
      {PORT, "usb", USB_NODE, {IDS("A50285BI"), {"bNumInterfaces", " 2"}}}},
     "By the serial number of the USB device\n"
     "SUBSYSTEM==\"usb\", ENV{DEVTYPE}==\"usb_interface\", "
     "ATTR{bInterfaceNumber}==\"01\", " IDS_KEYS ", ATTRS{serial}==\"A50285BI\"" GIVES "\n"
     "By the USB port that it is plugged into\n"
     "SUBSYSTEM==\"usb\", ENV{DEVTYPE}==\"usb_interface\", "
     "ATTR{bInterfaceNumber}==\"01\", " IDS_KEYS ", KERNELS==\"1-1.2\"" GIVES "\n"
     "By its name, which may be that of another device tomorrow\n"
     "SUBSYSTEM==\"usb\", ENV{DEVTYPE}==\"usb_interface\", KERNEL==\"1-1.2:1.1\"" GIVES "\n"},
    {"a partition is told by its number on the disk",
     {{"/devices/pci0000:00/0000:00:17.0/a/block/sda/sda1",
       "block",
       PART_NODE,
       {{"partition", "1"}}},
      {"/devices/pci0000:00/0000:00:17.0/a/block/sda", "block", DISK_NODE, {{NULL}}},
      {"/devices/pci0000:00/0000:00:17.0/a", "scsi", "", {{"wwid", "t10.ATA     Disk  "}}},
      {"/devices/pci0000:00/0000:00:17.0", "pci", "", {{NULL}}}},
     "By the name that the disk has for itself\n"
     "SUBSYSTEM==\"block\", ENV{DEVTYPE}==\"partition\", ATTR{partition}==\"1\", "
     "ATTRS{wwid}==\"t10.ATA     Disk\"" GIVES_NODE "\n"
     "By the PCI slot, with all others of this kind in it\n"
     "SUBSYSTEM==\"block\", ENV{DEVTYPE}==\"partition\", ATTR{partition}==\"1\", "
     "KERNELS==\"0000:00:17.0\"" GIVES_NODE "\n"
     "By its name, which may be that of another device tomorrow\n"
     "SUBSYSTEM==\"block\", ENV{DEVTYPE}==\"partition\", ATTR{partition}==\"1\", "
     "KERNEL==\"sda1\"" GIVES_NODE "\n"},
    {"a network interface is told by its address",
     {{"/devices/pci0000:00/0000:00:03.0/net/eth0",
       "net",
       "INTERFACE=eth0\nIFINDEX=2\n",
       {{"address", "52:54:00:12:34:56"}}}},
     "By the network interface's address\n"
     "SUBSYSTEM==\"net\", ENV{DEVTYPE}==\"\", ATTR{address}==\"52:54:00:12:34:56\"" GIVES "\n"
     "By its name, which may be that of another device tomorrow\n"
     "SUBSYSTEM==\"net\", KERNEL==\"eth0\"" GIVES "\n"},
    {"a vlan has the address of the interface below it, but another type",
     {{"/devices/virtual/net/eth0.5",
       "net",
       "DEVTYPE=vlan\nINTERFACE=eth0.5\nIFINDEX=3\n",
       {{"address", "52:54:00:12:34:56"}}}},
     "By the network interface's address\n"
     "SUBSYSTEM==\"net\", ENV{DEVTYPE}==\"vlan\", ATTR{address}==\"52:54:00:12:34:56\"" GIVES "\n"
     "By its name\n"
     "SUBSYSTEM==\"net\", KERNEL==\"eth0.5\"" GIVES "\n"},
    {"an address of zeros tells nothing",
     {{"/devices/virtual/net/lo", "net", "IFINDEX=1\n", {{"address", "00:00:00:00:00:00"}}}},
     "By its name\nSUBSYSTEM==\"net\", KERNEL==\"lo\"" GIVES "\n"},
    {"what sits in a PCI slot is told by that",
     {{"/devices/pci0000:00/0000:00:02.0/drm/renderD128",
       "drm",
       "MAJOR=226\nMINOR=128\nDEVNAME=dri/renderD128\n",
       {{NULL}}},
      {"/devices/pci0000:00/0000:00:02.0", "pci", "", {{NULL}}}},
     "By the PCI slot, with all others of this kind in it\n"
     "SUBSYSTEM==\"drm\", KERNEL==\"renderD[0-9]*\", KERNELS==\"0000:00:02.0\"" GIVES_NODE "\n"
     "By its name, which may be that of another device tomorrow\n"
     "SUBSYSTEM==\"drm\", KERNEL==\"renderD128\"" GIVES_NODE "\n"},
    {"a PCI device is told by its address",
     {{"/devices/pci0000:00/0000:00:02.0", "pci", "", {{NULL}}}},
     "By its PCI address\nSUBSYSTEM==\"pci\", KERNEL==\"0000:00:02.0\"" GIVES "\n"},
    {"what is the host's to give away only in so many words says so",
     {{"/devices/virtual/misc/fuse", "misc", "MAJOR=10\nMINOR=229\nDEVNAME=fuse\n", {{NULL}}}},
     "By its name; dangerous, because it serves file systems to the host\n"
     "SUBSYSTEM==\"misc\", KERNEL==\"fuse\"" GIVES_NODE ", OPTIONS+=\"dangerous\"\n"},
    {"without a subsystem the path is left",
     {{"/devices/pnp0", "", "", {{NULL}}}},
     "By its name, which may be that of another device tomorrow\n"
     "DEVPATH==\"/devices/pnp0\"" GIVES "\n"},
    {"odd serial numbers are matched all the same",
     {{PORT, "usb", USB_NODE, {IDS(" a\"b\\c|d*e[f]?\x01\xff\xc3\xa4 ")}}},
     "By the serial number of the USB device; with OPTIONS+=\"subtree\", all that hangs below it "
     "too\n"
     "SUBSYSTEM==\"usb\", ENV{DEVTYPE}==\"usb_device\", ATTR{idVendor}==\"10c4\", "
     "ATTR{idProduct}==\"ea60\", ATTR{serial}==e\" "
     "a\\\"b?c?d[*]e[[]f][?]\\x01\\xff\\xc3\\xa4\"" GIVES_NODE "\n"
     "By the USB port that it is plugged into; with OPTIONS+=\"subtree\", all that hangs below it "
     "too\n"
     "SUBSYSTEM==\"usb\", ENV{DEVTYPE}==\"usb_device\", ATTR{idVendor}==\"10c4\", "
     "ATTR{idProduct}==\"ea60\", KERNEL==\"1-1.2\"" GIVES_NODE "\n"},
};

struct chain {
    const struct fake *fakes;
    struct device *devices[CHAIN_MAX];
    size_t count;
    struct device_source source;
};

static size_t index_of(const struct chain *chain, const struct device *device)
{
    size_t i = 0;
    while (i < chain->count && chain->devices[i] != device)
        i++;
    assert_true(i < chain->count);
    return i;
}

static int read_attribute(void *userdata, const struct device *device, const char *name, char **ret)
{
    const struct chain *chain = userdata;
    const struct fake *fake = &chain->fakes[index_of(chain, device)];
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
    const struct chain *chain = userdata;
    size_t next = index_of(chain, device) + 1;
    return next < chain->count ? chain->devices[next] : NULL;
}

static void chain_make(struct chain *chain, const struct fake *fakes)
{
    *chain = (struct chain){.fakes = fakes};
    chain->source = (struct device_source){read_attribute, parent_of, chain, NULL};
    for (; chain->count < CHAIN_MAX && fakes[chain->count].devpath; chain->count++) {
        const struct fake *fake = &fakes[chain->count];
        assert_int_equal(device_new(fake->devpath, fake->subsystem, NULL, fake->uevent, 1,
                                    &chain->source, &chain->devices[chain->count]),
                         0);
    }
}

static void chain_done(struct chain *chain)
{
    for (size_t i = 0; i < chain->count; i++)
        device_free(chain->devices[i]);
}

/* The rule is accepted without a word, and gives the device to the container that it names. */
static void expect_that_it_gives(const char *sentence, struct device *device, const char *rule)
{
    _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
    const struct rule_container container = {"my-container", NULL};
    struct rule_problems problems = {.without_udev = true};
    struct share share;
    assert_non_null(rules);
    (void)rule_parse(rules, "t", rule, strlen(rule), &problems);
    if (problems.count > 0)
        fail_msg("%s\n%s%s", sentence, rule, problems.items[0].text);
    rule_problems_done(&problems);
    if (rule_judge(rules, device, &container, NULL, NULL, &share) != 1)
        fail_msg("%s: does not match:\n%s", sentence, rule);
    share_done(&share);
}

static void each_device_is_told_from_others_by_rules_that_match_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
        struct rule_suggestions suggestions;
        struct chain chain;
        char got[4096] = "";
        chain_make(&chain, CASES[i].chain);
        assert_int_equal(rule_suggest(chain.devices[0], &suggestions), 0);
        for (size_t j = 0; j < suggestions.count; j++) {
            const struct rule_suggestion *item = &suggestions.items[j];
            size_t length = strlen(got);
            (void)snprintf(got + length, sizeof(got) - length, "%s\n%s", item->why, item->rule);
            expect_that_it_gives(CASES[i].sentence, chain.devices[0], item->rule);
        }
        if (!streq(got, CASES[i].expected))
            fail_msg("%s\n--- got\n%s--- expected\n%s", CASES[i].sentence, got, CASES[i].expected);
        rule_suggestions_done(&suggestions);
        chain_done(&chain);
    }
}

#define STICK_OF_ONE                                                                               \
    {                                                                                              \
        PORT, "usb", USB_NODE,                                                                     \
        {                                                                                          \
            IDS("A50285BI"),                                                                       \
            {                                                                                      \
                "bNumInterfaces", " 1"                                                             \
            }                                                                                      \
        }                                                                                          \
    }
#define ITS_INTERFACE                                                                              \
    {                                                                                              \
        PORT "/1-1.2:1.0", "usb", "DEVTYPE=usb_interface\n",                                       \
        {                                                                                          \
            {                                                                                      \
                NULL                                                                               \
            }                                                                                      \
        }                                                                                          \
    }
#define UNIT PORT "/1-1.2:1.0/host6/target6:0:0/6:0:0:"
#define SERIAL_PORT(name, number)                                                                  \
    {                                                                                              \
        {PORT "/1-1.2:1.0/" name "/tty/" name, "tty", TTY_NODE, {{"device/port_number", number}}}, \
            ITS_INTERFACE, STICK_OF_ONE                                                            \
    }
#define EVENT(number, name)                                                                        \
    {                                                                                              \
        {PORT "/1-1.2:1.0/0003:046D:C52B.0001/input/input" number "/event" number,                 \
         "input",                                                                                  \
         "MAJOR=13\nMINOR=64\nDEVNAME=input/event" number "\n",                                    \
         {{"device/name", name}}},                                                                 \
            ITS_INTERFACE, STICK_OF_ONE                                                            \
    }
#define DISK(name, lun)                                                                            \
    {                                                                                              \
        {UNIT lun "/block/" name, "block", DISK_NODE, {{NULL}}},                                   \
            {UNIT lun, "scsi", "DEVTYPE=scsi_device\n", {{NULL}}}, ITS_INTERFACE, STICK_OF_ONE     \
    }
#define BELOW_INTERFACE(path, subsystem, attribute, value)                                         \
    {                                                                                              \
        {PORT "/1-1.2:1.0/" path, subsystem, "", {{attribute, value}}}, ITS_INTERFACE,             \
            STICK_OF_ONE                                                                           \
    }

/* Two devices of one kind on one USB interface. */
static const struct {
    const char *sentence;
    struct fake chains[2][CHAIN_MAX];
    bool told_apart;
} PAIRS[] = {
    {"ports of a serial adapter", {SERIAL_PORT("ttyUSB0", "0"), SERIAL_PORT("ttyUSB1", "1")}, true},
    {"input devices of a receiver",
     {EVENT("3", "Receiver Mouse"), EVENT("4", "Receiver Consumer Control")},
     true},
    {"slots of a card reader", {DISK("sdb", "0"), DISK("sdc", "1")}, true},
    {"picture and metadata of a camera",
     {BELOW_INTERFACE("video4linux/video0", "video4linux", "index", "0"),
      BELOW_INTERFACE("video4linux/video1", "video4linux", "index", "1")},
     true},
    {"playback devices of a sound card",
     {BELOW_INTERFACE("sound/card1/pcmC1D0p", "sound", NULL, NULL),
      BELOW_INTERFACE("sound/card1/pcmC1D1p", "sound", NULL, NULL)},
     true},
    {"devices of a kind that says nothing",
     {BELOW_INTERFACE("gadgets/gadget0", "gadgets", NULL, NULL),
      BELOW_INTERFACE("gadgets/gadget1", "gadgets", NULL, NULL)},
     false},
};

static bool is_given(struct device *device, const char *text)
{
    _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
    const struct rule_container container = {"my-container", NULL};
    struct rule_problems problems = {0};
    struct share share;
    assert_non_null(rules);
    assert_int_equal(rule_parse(rules, "t", text, strlen(text), &problems), 0);
    rule_problems_done(&problems);
    int r = rule_judge(rules, device, &container, NULL, NULL, &share);
    share_done(&share);
    return r == 1;
}

static void a_rule_is_for_one_of_several_or_says_so(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(PAIRS); i++) {
        struct rule_suggestions suggestions;
        struct chain chains[2];
        chain_make(&chains[0], PAIRS[i].chains[0]);
        chain_make(&chains[1], PAIRS[i].chains[1]);
        assert_int_equal(rule_suggest(chains[0].devices[0], &suggestions), 0);
        for (size_t j = 0; j < 2; j++) { /* by serial number, by port */
            const struct rule_suggestion *item = &suggestions.items[j];
            expect_that_it_gives(PAIRS[i].sentence, chains[0].devices[0], item->rule);
            if (is_given(chains[1].devices[0], item->rule) == PAIRS[i].told_apart)
                fail_msg("%s:\n%s", PAIRS[i].sentence, item->rule);
            if (!strstr(item->why, "with all others of this kind") != PAIRS[i].told_apart)
                fail_msg("%s: %s", PAIRS[i].sentence, item->why);
        }
        rule_suggestions_done(&suggestions);
        chain_done(&chains[0]);
        chain_done(&chains[1]);
    }
}

static const struct {
    const char *serial;
    bool own;
} SERIALS[] = {
    {"", false},
    {"    ", false},
    {"1234", false},
    {"0001", false},
    {"00000", false},
    {"00000001", false},
    {"123456", false},
    {"0123456789", false},
    {"0123456789ABCDEF", false},
    {"0123456789abcdef", false},
    {"123456789012", false},
    {"A50285BI", true},
    {"00000012", true},
    {"12345", false},
    {"12346", true},
    {"\xe3\x82\xb7\xe3\x83\xaa", true},
    {"|\\|\\|\\", false}, /* a pattern says none of these literally */
};

static void a_serial_number_that_all_of_a_make_have_is_not_used(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(SERIALS); i++) {
        const struct fake chain_of_one[CHAIN_MAX] = {
            {PORT, "usb", USB_NODE, {IDS(SERIALS[i].serial)}}};
        struct rule_suggestions suggestions;
        struct chain chain;
        chain_make(&chain, chain_of_one);
        assert_int_equal(rule_suggest(chain.devices[0], &suggestions), 0);
        bool own = after_prefix(suggestions.items[0].why, "By the serial number") != NULL;
        if (own != SERIALS[i].own)
            fail_msg("\"%s\"", SERIALS[i].serial);
        rule_suggestions_done(&suggestions);
        chain_done(&chain);
    }
}

static const struct {
    const char *value, *quoted, *stem;
} QUOTES[] = {
    {"", "\"\"", "\"\""},
    {"a b ", "\"a b\"", "\"a b \""},
    {"pcmC0D10p", "\"pcmC0D10p\"", "\"pcmC[0-9]*D[0-9]*p\""},
    {"x\"", "\"x\\\"\"", "\"x\\\"\""},
    {"x\\", "\"x?\"", "\"x?\""},
    {"\xc3\xa4 \x1b]1", "e\"\\xc3\\xa4 \\x1b]1\"", "e\"\\xc3\\xa4 \\x1b][0-9]*\""},
    {"\"\xff\\", "e\"\\\"\\xff?\"", "e\"\\\"\\xff?\""},
};

static void values_are_quoted_so_that_they_match_themselves(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(QUOTES); i++) {
        _cleanup_free_ char *quoted = NULL, *stem = NULL;
        size_t size;
        FILE *out = open_memstream(&quoted, &size);
        assert_non_null(out);
        rule_quote(out, QUOTES[i].value);
        assert_int_equal(fclose(out), 0);
        assert_string_equal(quoted, QUOTES[i].quoted);
        out = open_memstream(&stem, &size);
        assert_non_null(out);
        rule_quote_stem(out, QUOTES[i].value, SIZE_MAX);
        assert_int_equal(fclose(out), 0);
        assert_string_equal(stem, QUOTES[i].stem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_device_is_told_from_others_by_rules_that_match_it),
        cmocka_unit_test(a_rule_is_for_one_of_several_or_says_so),
        cmocka_unit_test(a_serial_number_that_all_of_a_make_have_is_not_used),
        cmocka_unit_test(values_are_quoted_so_that_they_match_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
