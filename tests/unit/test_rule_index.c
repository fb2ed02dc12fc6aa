/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The index changes nothing but the time it takes: random sets of rules are judged with it, and,
 * with a trace, without it.
 */

#include "divisor.h"
#include "rule_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/rule_candidates.h"
#include "model/rule_parser.h"

#define SETS 4000
#define RULES_MAX 11

static uint64_t seed;

/* splitmix64: the same numbers everywhere. */
static unsigned below(unsigned limit)
{
    uint64_t z = (seed += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (unsigned)((z ^ (z >> 31)) % limit);
}

#define PICK(array) ((array)[below(ARRAY_SIZE(array))])

static _printf_(2, 3) void put(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(text->bytes + text->length, sizeof(text->bytes) - text->length, format,
                      arguments);
    va_end(arguments);
    assert_true(n >= 0 && (size_t)n < sizeof(text->bytes) - text->length);
    text->length += (size_t)n;
}

static const char *const MATCHES[] = {
    "SUBSYSTEM==\"usb\"",
    "SUBSYSTEM==\"tty\"",
    "SUBSYSTEM==\"tty|usb\"",
    "SUBSYSTEM==\"u*\"",
    "SUBSYSTEM==i\"USB\"",
    "SUBSYSTEM!=\"tty\"",
    "KERNEL==\"1-2\"",
    "KERNEL==\"ttyUSB0\"",
    "KERNEL==\"ttyUSB0|1-2\"",
    "KERNEL==\"tty*\"",
    "KERNEL==\"tty[!S]*\"",
    "KERNEL==\"1-*|x\"",
    "KERNEL==\"x\"",
    "DRIVER==\"cp210x|usb\"",
    "DEVPATH==\"/devices/pci*/ttyUSB0\"",
    "DEVPATH==\"/devices/virtual/net/veth7\"",
    "ATTR{idVendor}==\"10c4\"",
    "ATTR{idProduct}==\"ea60\"",
    "ATTR{idVendor}==\"1d6b|10c4\"",
    "ATTR{idVendor}==\"10c4 \"",
    "ATTR{idVendor}!=\"0403\"",
    "ATTRS{idVendor}==\"10c4\"",
    "ATTRS{idVendor}==\"1d6b\"",
    "ATTRS{idVendor}==\"0403\"",
    "ATTRS{idVendor}==\"10*\"",
    "ATTRS{idProduct}==\"ea60\"",
    "ATTRS{idProduct}==\"ea61|ea60\"",
    "ATTR{serial}==\"A50285BI\"",
    "ATTRS{serial}==\"A50285BI\"",
    "ATTRS{serial}==\"0000:00:14.0|A50285BI\"",
    "ATTRS{configuration}==\"\"",
    "ATTRS{product}==\"CP2102  USB\tBridge\"",
    "ATTR{[dmi/id]sys_vendor}==\"Acme Inc.\"",
    "SUBSYSTEMS==\"usb\"",
    "SUBSYSTEMS==\"usb|pci\"",
    "SUBSYSTEMS==\"u*\"",
    "KERNELS==\"1-2\"",
    "KERNELS==\"1-*\"",
    "DRIVERS==\"cp210x\"",
    "ENV{a}==\"1\"",
    "ENV{a}!=\"1\"",
    "ENV{ID_X}==\"1\"",
    "ENV{ID_X}!=\"1\"",
    "ENV{ID_Y}==\"1\"",
    "ENV{ID_Y}==\"2|3\"",
    "ENV{b}==\"\"",
    "ENV{DEVTYPE}==\"usb_device\"",
    "ENV{DEVNAME}==\"/dev/ttyUSB0\"",
    "ENV{ACTION}==\"add\"",
    "TAG==\"t\"",
    "TAGS!=\"t\"",
    "SYMLINK==\"l\"",
    "ATTR{%b}!=\"x\"",
    "TEST!=\"/%b\"",
    "CONTAINER==\"web*\"",
    "CONTAINER==\"web1\"",
    "CONTAINER==\"db\"",
    "CONTAINER==\"label:tier=front\"",
};
static const char *const ASSIGNMENTS[] = {
    "CONTAINER+=\"web1\"",
    "CONTAINER+=\"db\"",
    "CONTAINER+=\"w*|db\"",
    "CONTAINER+=\"label:tier=front\"",
    "CONTAINER-=\"web1\"",
    "CONTAINER-=\"d*\"",
    "CONTAINER=\"db\"",
    "CONTAINER:=\"web*\"",
    "MODE=\"1\"",
    "MODE:=\"2\"",
    "SYMLINK+=\"l %b\"",
    "SYMLINK+=\"%s{serial}\"",
    "ENV{p}=\"%b-%s{idVendor}\"",
    "ENV{a}=\"1\"",
    "ENV{a}=\"\"",
    "ENV{ID_X}=\"1\"",
    "OWNER=\"$env{ID_X}\"",
    "ENV{p}+=\"$driver\"",
    "OPTIONS+=\"last_rule\"",
    "OPTIONS+=\"subtree\"",
    "GOTO=\"a\"",
    "GOTO=\"b\"",
    "ENV{q}=\"%E{p}$links\"",
};

/* One of `words`; where no rule is to speak of a parent that another found, one that cannot. */
static const char *pick_word(const char *const *words, size_t count, bool inherits)
{
    const char *word;
    do
        word = words[below((unsigned)count)];
    while (!inherits && strpbrk(word, "%$"));
    return word;
}

/* A rule of up to four matches. Matches and assignments are of few kinds, so that much meets. */
static void put_rule(struct text *text, bool inherits)
{
    static const char *const DEVICE[] = {"SUBSYSTEM==\"*\"", "KERNEL==\"*\""};
    put(text, "%s", PICK(DEVICE));
    for (unsigned matches = 1 + below(3); matches > 0; matches--)
        put(text, ", %s", pick_word(MATCHES, ARRAY_SIZE(MATCHES), inherits));
    const char *first = pick_word(ASSIGNMENTS, ARRAY_SIZE(ASSIGNMENTS), inherits);
    const char *second = pick_word(ASSIGNMENTS, ARRAY_SIZE(ASSIGNMENTS), inherits);
    put(text, ", %s", first);
    if (!after_prefix(first, "GOTO") || !after_prefix(second, "GOTO"))
        put(text, ", %s", second);
    put(text, "\n");
}

/* A GOTO that stands alone: it is passed by until a rule that it may jump over is not. */
static void put_guard(struct text *text)
{
    static const char *const GUARDS[] = {
        "SUBSYSTEM!=\"tty\"", "SUBSYSTEM==\"tty\"",      "KERNEL==\"1-2\"",
        "KERNEL!=\"1-2\"",    "ATTR{idVendor}==\"10*\"", "CONTAINER!=\"web1\"",
    };
    put(text, "%s, GOTO=\"%c\"\n", PICK(GUARDS), 'a' + (int)below(3));
}

static void put_rules(struct text *text)
{
    unsigned count = 2 + below(RULES_MAX);
    bool inherits = below(2);
    for (unsigned i = 0; i < count; i++) {
        put_rule(text, inherits);
        if (below(4) == 0)
            put_guard(text);
        if (below(5) == 0)
            put(text, "LABEL=\"%c\"\n", 'a' + (int)below(2));
    }
    put(text, "LABEL=\"a\"\n");
    if (inherits)
        put(text, "ENV{r}=\"%%b-$driver\"\nLABEL=\"b\", ENV{s}=\"%%b\"\n");
    put(text, "LABEL=\"b\"\nLABEL=\"c\"\n");
}

/* A second file; it is put behind the first in `text`, for who reads of a failure. */
static void add_file(struct rule_set *rules, struct text *text)
{
    struct rule_problems problems = {0};
    size_t begin = text->length;
    put_rules(text);
    assert_int_equal(rule_parse(rules, "u", text->bytes + begin, text->length - begin, &problems),
                     0);
    rule_problems_done(&problems);
}

static void compare(const struct rule_set *rules, struct device *device, const char *rules_text)
{
    struct text *trace = calloc(1, sizeof(*trace));
    struct text with = {0}, without = {0};
    assert_non_null(trace);
    scene_judge(rules, device, NULL, &with);
    scene_judge(rules, device, trace, &without);
    if (!streq(with.bytes, without.bytes)) {
        print_error("%.4000s", rules_text); /* more than fail_msg() has room for */
        print_error("%.4000s", trace->bytes);
        fail_msg("with an index: %s\nwithout:       %s", with.bytes, without.bytes);
    }
    free(trace);
}

static void an_index_changes_no_judgement(void **state)
{
    const struct scene *scene = *state;
    static const unsigned devices[] = {SCENE_LEAF, SCENE_INTERFACE, SCENE_STICK, SCENE_NET};
    for (unsigned i = 0; i < SETS / test_divisor(); i++) {
        struct text text = {0};
        put_rules(&text);
        _cleanup_rule_set_ struct rule_set *rules = scene_parse(text.bytes, text.bytes);
        if (below(2))
            add_file(rules, &text);
        for (size_t j = 0; j < ARRAY_SIZE(devices); j++)
            compare(rules, scene->devices[devices[j]], text.bytes);
    }
}

static void nor_where_udev_is_done_with_the_devices(void **state)
{
    const struct scene *scene = *state;
    struct property ids[] = {{(char *)(uintptr_t) "ID_X", (char *)(uintptr_t) "1"},
                             {(char *)(uintptr_t) "ID_Y", (char *)(uintptr_t) "2"}};
    const struct property_list properties = {ids, ARRAY_SIZE(ids)};
    for (size_t i = 0; i < SCENE_DEVICES; i++)
        assert_int_equal(
            device_set_udev(scene->devices[i], &properties, (const char *const[]){"t", NULL}, NULL),
            0);
    an_index_changes_no_judgement(state);
}

/* How many rules the index leaves for a device. */
static size_t count_candidates(const struct rule_set *rules, struct device *device)
{
    static const struct rule_container container = {.name = "web1"};
    struct rule_candidates candidates;
    struct rule_state rule_state;
    size_t count = 0;
    rule_state_init(&rule_state, device, &container);
    rule_candidates_init(&candidates, rules->index, &rule_state);
    for (size_t i = 0; (i = rule_candidates_next(&candidates, i)) < rules->count; i++)
        count++;
    rule_state_done(&rule_state);
    return count;
}

/* A thousand rules of each of the usual kinds, none of them for these devices. */
static struct rule_set *make_strangers(void)
{
    struct rule_set *rules = rule_set_new();
    struct rule_problems problems = {0};
    assert_non_null(rules);
    for (unsigned i = 0; i < 1000; i++) {
        char text[1024];
        int n = snprintf(
            text, sizeof(text),
            "SUBSYSTEM==\"usb\", ATTR{idVendor}==\"%04x\", ATTR{idProduct}==\"ea60\"" GIVE
            "SUBSYSTEM==\"tty\", KERNEL==\"ttyUSB*\", ATTRS{idVendor}==\"10c4\", "
            "ATTRS{idProduct}==\"%04x\"" GIVE "SUBSYSTEM==\"tty\", KERNEL==\"ttyS%u\"" GIVE
            "SUBSYSTEM==\"s%u\", ENV{X}==\"a\"" GIVE "KERNEL==\"k%u\", ATTRS{serial}==\"x\"" GIVE,
            i, i, i, i, i);
        assert_true(n > 0 && (size_t)n < sizeof(text));
        assert_int_equal(rule_parse(rules, "t", text, (size_t)n, &problems), 0);
    }
    assert_int_equal(problems.count, 0);
    return rules;
}

static void rules_for_other_devices_are_not_looked_at(void **state)
{
    const struct scene *scene = *state;
    _cleanup_rule_set_ struct rule_set *rules = make_strangers();
    assert_int_equal(rule_set_count(rules), 5000);
    for (size_t i = 0; i < SCENE_DEVICES; i++)
        assert_int_equal(count_candidates(rules, scene->devices[i]), 0);
}

/* Each choice among seven matches, all of which the device meets, is a way down of its own. */
static void a_device_that_too_many_lists_speak_of_is_judged_by_all_rules(void **state)
{
    const struct scene *scene = *state;
    static const char *const matches[] = {
        "SUBSYSTEM==\"usb\"",
        "KERNEL==\"1-2\"",
        "DRIVER==\"usb\"",
        "DEVPATH==\"" STICK "\"",
        "ENV{DEVTYPE}==\"usb_device\"",
        "ATTR{idVendor}==\"10c4\"",
        "ATTRS{serial}==\"A50285BI\"",
    };
    _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
    struct rule_problems problems = {0};
    for (unsigned chosen = 1; chosen < 1u << ARRAY_SIZE(matches); chosen++) {
        struct text text = {0};
        for (unsigned i = 0; i < ARRAY_SIZE(matches); i++)
            if (chosen & 1u << i)
                put(&text, "%s, ", matches[i]);
        put(&text, "ENV{p}+=\"%u\"", chosen);
        assert_int_equal(rule_parse(rules, "t", text.bytes, text.length, &problems), 0);
    }
    assert_int_equal(problems.count, 0);
    assert_int_equal(count_candidates(rules, scene->devices[SCENE_STICK]), rules->count);
    assert_int_equal(count_candidates(rules, scene->devices[SCENE_NET]), 0);
    struct text with = {0}, without = {0};
    struct rule_set linear = *rules;
    linear.index = NULL;
    scene_judge(rules, scene->devices[SCENE_STICK], NULL, &with);
    scene_judge(&linear, scene->devices[SCENE_STICK], NULL, &without);
    assert_string_equal(with.bytes, without.bytes);
    assert_non_null(strstr(with.bytes, " 127"));
}

static void a_jump_is_asked_only_where_a_rule_behind_it_is(void **state)
{
    const struct scene *scene = *state;
    static const char text[] = "SUBSYSTEM!=\"tty\", GOTO=\"end\"\n"
                               "KERNEL==\"x\", MODE=\"1\"\n"
                               "KERNEL==\"1-2\", MODE=\"2\"\n"
                               "KERNEL!=\"y\", GOTO=\"end\"\n"
                               "KERNEL==\"x\", MODE=\"3\"\n"
                               "LABEL=\"end\"\n";
    _cleanup_rule_set_ struct rule_set *rules = scene_parse(text, text);
    assert_int_equal(count_candidates(rules, scene->devices[SCENE_LEAF]), 0);
    assert_int_equal(count_candidates(rules, scene->devices[SCENE_STICK]), 2);
}

/* Counts what is asked of a device. */
static int count_attribute(void *userdata, const struct device *device, const char *name,
                           char **ret)
{
    (void)device;
    (void)name;
    (void)ret;
    ++*(unsigned *)userdata;
    return 0;
}

static void attributes_are_read_only_where_a_rule_asks(void **state)
{
    (void)state;
    unsigned asked = 0;
    const struct device_source source = {.read_attribute = count_attribute, .userdata = &asked};
    static const struct {
        const char *devpath, *subsystem;
        unsigned asked;
    } devices[] = {{"/devices/eth0", "net", 0},
                   {"/devices/tty0", "tty", 0},
                   {"/devices/ttyUSB0", "tty", 1},
                   {"/devices/1-2", "usb", 1}};
    _cleanup_rule_set_ struct rule_set *rules = make_strangers();
    for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
        _cleanup_device_ struct device *device = NULL;
        struct text got = {0};
        assert_int_equal(
            device_new(devices[i].devpath, devices[i].subsystem, NULL, "", 1, &source, &device), 0);
        asked = 0;
        scene_judge(rules, device, NULL, &got);
        scene_judge(rules, device, NULL, &got);
        assert_int_equal(asked, devices[i].asked);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_make, scene_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_index_changes_no_judgement),
        TEST(nor_where_udev_is_done_with_the_devices),
        TEST(rules_for_other_devices_are_not_looked_at),
        TEST(a_device_that_too_many_lists_speak_of_is_judged_by_all_rules),
        TEST(a_jump_is_asked_only_where_a_rule_behind_it_is),
        cmocka_unit_test(attributes_are_read_only_where_a_rule_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
