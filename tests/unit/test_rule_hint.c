/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_hint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/near_name.h"
#include "rule_scene.h"

#define LEAF INTERFACE "/ttyUSB0/tty/ttyUSB0"
#define MIXED "a rule's parent keys must all match at one and the same device, and here "
#define UDEV ", and no udevd runs on this host, so nobody ever will tell"
#define IF_TTY "KERNEL==\"tty*\", "

/* Judged for web1, where web1, db-main and nil are registered; udev has told of no device. */
static const struct {
    const char *sentence;
    unsigned device;
    const char *rule;
    const char *hint; /* NULL: none */
} HINTS[] = {
    {"a rule that matches needs no hint", SCENE_LEAF, "KERNEL==\"ttyUSB0\"" GIVE, NULL},
    {"a value that is another needs no hint", SCENE_LEAF, "ATTRS{idVendor}==\"0403\"" GIVE, NULL},
    {"an attribute that nobody has needs no hint", SCENE_LEAF, "ATTRS{nothing}==\"1\"" GIVE, NULL},

    {"an attribute of a parent", SCENE_LEAF, "ATTR{idVendor}==\"10c4\"" GIVE,
     "ATTR{idVendor} is asked of the device itself, but it is its parent " STICK
     " that matches: right if only that is meant; for all below it, write ATTRS{idVendor}"},
    {"an attribute of a parent, for a device of a name that this has not", SCENE_LEAF,
     "KERNEL==\"ttyUSB*\", ATTR{idVendor}==\"10c4\"" GIVE,
     "ATTR{idVendor} is asked of the device itself, but it is its parent " STICK
     " that matches: write ATTRS{idVendor}"},
    {"a parent's subsystem, beside a key of the parent above that", SCENE_LEAF,
     "SUBSYSTEM==\"usb\", ATTRS{idProduct}==\"ea60\"" GIVE,
     "SUBSYSTEM is asked of the device itself, but it is its parent " STICK
     " that matches: right if only that is meant; for all below it, write SUBSYSTEMS"},
    {"a parent's subsystem, beside a key of another parent", SCENE_LEAF,
     "SUBSYSTEM==\"usb-serial\", ATTRS{idProduct}==\"ea60\"" GIVE,
     "SUBSYSTEM is asked of the device itself, but it is its parent " INTERFACE
     "/ttyUSB0 that matches: right if only that is meant"},
    {"an attribute of a parent, beside another name and another parent", SCENE_LEAF,
     "SUBSYSTEM==\"tty\", ATTR{port_number}==\"0\", ATTRS{idProduct}==\"ea60\"" GIVE,
     "ATTR{port_number} is asked of the device itself, but it is its parent " INTERFACE
     "/ttyUSB0 that matches"},
    {"an attribute of a parent, of another value", SCENE_LEAF, "ATTR{idVendor}==\"0403\"" GIVE,
     "the device itself has no idVendor, its parent " STICK
     " has \"10c4\": ATTRS{idVendor} asks the parents too"},
    {"a parent's name", SCENE_LEAF, "KERNEL==\"1-2\"" GIVE,
     "KERNEL is asked of the device itself, but it is its parent " STICK
     " that matches: right if only that is meant; for all below it, write KERNELS"},
    {"a parent's subsystem", SCENE_LEAF, "SUBSYSTEM==\"usb\"" GIVE,
     "SUBSYSTEM is asked of the device itself, but it is its parent " INTERFACE
     " that matches: right if only that is meant; for all below it, write SUBSYSTEMS"},
    {"a parent's driver", SCENE_LEAF, "DRIVER==\"cp210x\"" GIVE,
     "DRIVER is asked of the device itself, but it is its parent " INTERFACE
     "/ttyUSB0 that matches: right if only that is meant; for all below it, write DRIVERS"},
    {"what a parent must not be is not asked of it", SCENE_STICK, "SUBSYSTEM!=\"usb\"" GIVE, NULL},
    {"!= of an attribute that is not there", SCENE_NET, "ATTR{nothing}!=\"1\"" GIVE,
     "an attribute that is not there meets neither == nor !="},
    {"!= of an attribute that no parent has", SCENE_LEAF, "ATTRS{nothing}!=\"1\"" GIVE,
     "an attribute that is not there meets neither == nor !="},

    {"keys of two parents", SCENE_LEAF,
     "ATTRS{idVendor}==\"10c4\", ATTRS{bInterfaceNumber}==\"00\"" GIVE,
     MIXED "ATTRS{idVendor}==\"10c4\" matches at " STICK
           ", ATTRS{bInterfaceNumber}==\"00\" matches at " INTERFACE},
    {"a key of two parents beside one of none", SCENE_LEAF,
     "SUBSYSTEMS==\"usb\", KERNELS==\"1-2\", ATTRS{vendor}==\"0x8086\", DRIVERS==\"none\"" GIVE,
     MIXED "SUBSYSTEMS==\"usb\" matches at " INTERFACE ", KERNELS==\"1-2\" matches at " STICK
           ", ATTRS{vendor}==\"0x8086\" matches at " HOST ", DRIVERS==\"none\" matches nowhere"},

    {"a blank at the rule's end", SCENE_LEAF, "ATTRS{serial}==\"A50285BI \"" GIVE,
     "\"A50285BI \" and \"A50285BI\" differ only in white space at the end: write \"A50285BI\""},
    {"a blank at the device's beginning", SCENE_STICK, "ATTR{label}==\"bed\troom\"" GIVE,
     "\"bed\\x09room\" and \"  bed\\x09room \" differ only in white space at the beginning: write "
     "e\"  bed\\x09room\""},
    {"more blanks in the rule than in the device", SCENE_STICK,
     "ATTR{product}==\"CP2102  USB\tBridge \"" GIVE,
     "\"CP2102  USB\\x09Bridge \" and \"CP2102  USB\\x09Bridge  \" differ only in white space at "
     "the end: write e\"CP2102  USB\\x09Bridge\""},
    {"blanks alone, of which an attribute has two", SCENE_STICK, "ATTR{configuration}==\" \"" GIVE,
     "\" \" and \"  \" differ only in white space at the end: write \"  \""},
    {"characters that a pattern reads in its own way", SCENE_STICK,
     "ATTR{odd}==e\"a\\\\b\\\"c\\xc3\\xa4\"" GIVE, NULL},
    {"the beginning of such a value", SCENE_STICK, "ATTR{odd}==e\"A\\\\b\\\"\"" GIVE,
     "the whole value is compared: what begins with \"A\\b\"\" is \"A?b\\\"*\""},
    {"such a value in upper case", SCENE_STICK, "ATTR{odd}==e\"A\\\\B\\\"C\\xc3\\xa4 \"" GIVE,
     "\"A\\x5cB\"C\\xc3\\xa4 \" and \"A\\x5cb\"c\\xc3\\xa4 \" differ only in upper and lower case: "
     "write e\"A?b\\\"c\\xc3\\xa4\", or ie\"A?B\\\"C\\xc3\\xa4 \""},
    {"a glob that does not see the blanks before", SCENE_STICK, "ATTR{label}==\"bed*room\"" GIVE,
     "\"  bed\\x09room \" has white space at its ends, which the pattern does not match"},

    {"hexadecimal digits in upper case", SCENE_LEAF, "ATTRS{idVendor}==\"10C4\"" GIVE,
     "\"10C4\" and \"10c4\" differ only in upper and lower case: write \"10c4\", or i\"10C4\""},
    {"the parent meant need not be the nearest", SCENE_LEAF, "ATTRS{idVendor}==\"1D6B\"" GIVE,
     "\"1D6B\" and \"1d6b\" differ only in upper and lower case: write \"1d6b\", or i\"1D6B\""},
    {"one of several alternatives", SCENE_STICK, "ATTR{idProduct}==\"6001|EA60\"" GIVE,
     "\"EA60\" and \"ea60\" differ only in upper and lower case: write \"ea60\", or i\"EA60\""},
    {"a glob in upper case", SCENE_LEAF, "KERNEL==\"TTYUSB*\"" GIVE,
     "\"ttyUSB0\" differs only in upper and lower case: i\"...\" does not regard it"},
    {"0x before a number", SCENE_STICK, "ATTR{idVendor}==\"0x10c4\"" GIVE,
     "\"0x10c4\" and \"10c4\" are the same number, but text is compared: write \"10c4\""},
    {"0x that is missing", SCENE_LEAF, "ATTRS{vendor}==\"8086\"" GIVE,
     "\"8086\" and \"0x8086\" are the same number, but text is compared: write \"0x8086\""},
    {"zeros that are missing", SCENE_LEAF, "ATTRS{bInterfaceNumber}==\"0\"" GIVE,
     "\"0\" and \"00\" are the same number, but text is compared: write \"00\""},
    {"the beginning of a name", SCENE_LEAF, "KERNEL==\"ttyUSB\"" GIVE,
     "the whole value is compared: what begins with \"ttyUSB\" is \"ttyUSB*\""},

    {"what only udev knows", SCENE_LEAF, "ENV{ID_MODEL}==\"x\"" GIVE,
     "only udev knows what ENV{ID_MODEL}==\"x\" asks for" UDEV},
    {"what the kernel knows too", SCENE_LEAF, "ENV{ID_VENDOR_ID}==\"10c4\"" GIVE,
     "only udev knows what ENV{ID_VENDOR_ID}==\"10c4\" asks for" UDEV
     ": ATTRS{idVendor} is what the kernel knows of it"},
    {"what the kernel does not know of a device on no USB", SCENE_NET,
     "ENV{ID_BUS}==\"pci\", ENV{ID_VENDOR_ID}==\"0x8086\"" GIVE,
     "only udev knows what ENV{ID_BUS}==\"pci\" asks for" UDEV},
    {"a bus on USB", SCENE_LEAF, "ENV{ID_BUS}==\"usb\"" GIVE,
     "only udev knows what ENV{ID_BUS}==\"usb\" asks for" UDEV
     ": SUBSYSTEMS is what the kernel knows of it"},
    {"a tag", SCENE_LEAF, "TAG==\"uaccess\"" GIVE,
     "only udev knows what TAG==\"uaccess\" asks for" UDEV},

    {"another action", SCENE_LEAF, "ACTION==\"remove\", KERNEL==\"ttyUSB0\"" GIVE,
     "rules say which devices, not when: each is judged with ACTION \"add\", so "
     "ACTION==\"remove\" never holds; leave it out"},
    {"another action as a property", SCENE_LEAF, "ENV{ACTION}!=\"add\", KERNEL==\"ttyUSB0\"" GIVE,
     "rules say which devices, not when: each is judged with ACTION \"add\", so "
     "ENV{ACTION}!=\"add\" never holds; leave it out"},

    {"a container that is registered", SCENE_LEAF, IF_TTY "CONTAINER+=\"db-*\"", NULL},
    {"a container that is not", SCENE_LEAF, IF_TTY "CONTAINER+=\"mail\"",
     "no container of this name is registered"},
    {"a container that is nearly registered", SCENE_LEAF, IF_TTY "CONTAINER+=\"mail|Web1\"",
     "no container of this name is registered: is this meant? \"web1\""},
    {"a container that is no match", SCENE_LEAF, "CONTAINER==\"wbe1\", " IF_TTY "MODE=\"1\"",
     "no container of this name is registered: is this meant? \"web1\""},
    {"one of a line's containers is registered", SCENE_LEAF,
     IF_TTY "CONTAINER+=\"mail\", CONTAINER+=\"nil\"", NULL},
    {"a label that another container has", SCENE_LEAF, IF_TTY "CONTAINER+=\"label:role=db\"", NULL},
    {"a label that is mistyped", SCENE_LEAF, IF_TTY "CONTAINER+=\"label:teir=front\"",
     "no registered container has a label teir of this value; container web1 has tier=front: is "
     "label:tier meant?"},
    {"a label of another value", SCENE_LEAF, IF_TTY "CONTAINER+=\"label:tier=back\"",
     "no registered container has a label tier of this value; container web1 has tier=front"},
    {"a label's value in upper case", SCENE_LEAF, IF_TTY "CONTAINER+=\"label:tier=Front\"",
     "\"Front\" and \"front\" differ only in upper and lower case: write \"front\", or i\"Front\""},
};

static struct property front = {(char *)(uintptr_t) "tier", (char *)(uintptr_t) "front"};
static struct property database = {(char *)(uintptr_t) "role", (char *)(uintptr_t) "db"};
static const struct property_list front_labels = {&front, 1}, database_labels = {&database, 1};
static const struct rule_container CONTAINERS[] = {
    {"web1", &front_labels}, {"db-main", &database_labels}, {"nil", NULL}};

struct told {
    struct rule_surroundings around;
    char hint[RULE_HINT_MAX];
    char value[64]; /* as it was after the hint */
    char key[128];  /* that failed */
    bool any, matched;
};

static void on_trace(void *userdata, const struct rule_trace *trace)
{
    struct told *told = userdata;
    told->any |= rule_hint(trace, &told->around, told->hint);
    told->matched = trace->verdict == RULE_MATCHED;
    (void)snprintf(told->key, sizeof(told->key), "%s", trace->key ? trace->key : "");
    (void)snprintf(told->value, sizeof(told->value), "%s", trace->value ? trace->value : "");
}

static struct told judge(const struct scene *scene, unsigned device, const char *sentence,
                         const char *rule, const struct rule_surroundings *around)
{
    _cleanup_rule_set_ struct rule_set *rules = scene_parse(sentence, rule);
    struct told told = {.around = *around};
    struct share share;
    int r = rule_judge(rules, scene->devices[device], &CONTAINERS[0], on_trace, &told, &share);
    assert_int_equal(r, share.given);
    share_done(&share);
    return told;
}

static const struct rule_surroundings WITHOUT_UDEV = {false, CONTAINERS, ARRAY_SIZE(CONTAINERS)};

static void each_mistake_is_named(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(HINTS); i++) {
        struct told told =
            judge(*state, HINTS[i].device, HINTS[i].sentence, HINTS[i].rule, &WITHOUT_UDEV);
        const char *expected = HINTS[i].hint ? HINTS[i].hint : "(none)";
        const char *got = told.any ? told.hint : "(none)";
        if (!streq(got, expected))
            fail_msg("%s\n got      %s\n expected %s", HINTS[i].sentence, got, expected);
    }
}

/* Where what is to be written ends: at the quote that closes it, or with the key. */
static size_t advice_length(const char *advice)
{
    size_t i = strcspn(advice, " \"");
    if (advice[i] != '"')
        return i;
    for (i++; advice[i] != '"'; i++)
        if (advice[i] == '\\')
            i++;
    return i + 1;
}

/* The rule with that in place of the key that failed, or of its value. */
static void obey(const char *rule, const char *key, const char *advice, char out[static 512])
{
    const char *at = strstr(rule, key), *equals = strstr(key, "==");
    int length = (int)advice_length(advice);
    assert_non_null(at);
    assert_non_null(equals);
    if (advice[length - 1] == '"')
        (void)snprintf(out, 512, "%.*s%.*s==%.*s%s", (int)(at - rule), rule, (int)(equals - key),
                       key, length, advice, at + strlen(key));
    else
        (void)snprintf(out, 512, "%.*s%.*s%s%s", (int)(at - rule), rule, length, advice, equals,
                       at + strlen(key));
}

static void who_writes_what_a_hint_says_gets_the_device(void **state)
{
    static const char *const BEFORE[] = {"write ", ", or ", "\" is "};
    size_t obeyed = 0;
    for (size_t i = 0; i < ARRAY_SIZE(HINTS); i++) {
        struct told told =
            judge(*state, HINTS[i].device, HINTS[i].sentence, HINTS[i].rule, &WITHOUT_UDEV);
        for (size_t j = 0; j < ARRAY_SIZE(BEFORE); j++) {
            const char *advice = told.any ? strstr(told.hint, BEFORE[j]) : NULL;
            char rule[512];
            if (!advice || strncmp(told.key, "CONTAINER", 9) == 0)
                continue;
            obey(HINTS[i].rule, told.key, advice + strlen(BEFORE[j]), rule);
            if (!judge(*state, HINTS[i].device, HINTS[i].sentence, rule, &WITHOUT_UDEV).matched)
                fail_msg("%s: %s\n%s", HINTS[i].sentence, told.hint, rule);
            obeyed++;
        }
    }
    assert_true(obeyed > 20);
}

static void an_udevd_that_runs_may_still_tell(void **state)
{
    struct rule_surroundings around = WITHOUT_UDEV;
    around.udev_runs = true;
    struct told told = judge(*state, SCENE_LEAF, "udev runs", "TAG==\"x\"" GIVE, &around);
    assert_string_equal(told.hint, "only udev knows what TAG==\"x\" asks for, and it has not told "
                                   "of this device yet");
    told = judge(*state, SCENE_LEAF, "a jump", "TAG==\"x\", GOTO=\"e\"\nMODE=\"1\"\nLABEL=\"e\"",
                 &WITHOUT_UDEV);
    assert_string_equal(told.hint,
                        "whether an earlier rule jumps over this one is up to udev" UDEV);
}

static void without_any_container_that_is_said(void **state)
{
    const struct rule_surroundings nobody = {0};
    struct told told =
        judge(*state, SCENE_LEAF, "nobody", IF_TTY "CONTAINER+=\"label:teir=front\"", &nobody);
    assert_string_equal(told.hint, "no registered container has a label teir of this value; "
                                   "container web1 has tier=front: is label:tier meant?");
    told = judge(*state, SCENE_LEAF, "nobody", IF_TTY "CONTAINER+=\"mail\"", &nobody);
    assert_string_equal(told.hint, "no container of this name is registered, nor any other");
}

static void a_hint_leaves_the_value_of_the_trace_alone(void **state)
{
    struct told told =
        judge(*state, SCENE_LEAF, "scratch",
              "ATTRS{vendor}==\"0x8086\", ATTRS{[dmi/id]sys_vendor}==\"acme\"" GIVE, &WITHOUT_UDEV);
    assert_false(told.any);
    assert_string_equal(told.value, "Acme Inc. ");
}

static void a_hint_that_is_too_long_is_cut(void **state)
{
    char rule[4096] = "SUBSYSTEMS==\"usb\"";
    for (unsigned i = 0; i < 20; i++)
        strcat(rule, ", SUBSYSTEMS==\"tty\", SUBSYSTEMS==\"pci\"");
    strcat(rule, GIVE);
    struct told told = judge(*state, SCENE_LEAF, "long", rule, &WITHOUT_UDEV);
    assert_int_equal(strlen(told.hint), RULE_HINT_MAX - 1);
}

static void a_container_that_is_asked_for_may_be_mistyped(void **state)
{
    char hint[RULE_HINT_MAX];
    (void)state;
    rule_hint_unregistered("db-mian", &WITHOUT_UDEV, hint);
    assert_string_equal(hint, "no container \"db-mian\" is registered: is this meant? \"db-main\"");
    rule_hint_unregistered("mail", &WITHOUT_UDEV, hint);
    assert_string_equal(hint, "no container \"mail\" is registered");
}

static const struct {
    const char *written, *name;
    bool near;
} NAMES[] = {
    {"web1", "web1", false},
    {"WEB1", "web1", true},
    {"web2", "web1", true},
    {"web", "web1", true},
    {"web11", "web1", true},
    {"wbe1", "web1", true},
    {"xeb2", "web1", false},
    {"ab", "ac", false},
    {"", "a", false},
    {"a", "", false},
    {"databsae2", "database", true},
    {"databes", "database", true},
    {"dtbs", "database", false},
    {"homeassistent", "homeassistant", true},
    {"lab-1", "lab-22", false},
};

static void names_that_are_mistyped_are_near(void **state)
{
    char longest[65];
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++)
        if (near_name(NAMES[i].written, NAMES[i].name) != NAMES[i].near)
            fail_msg("\"%s\" and \"%s\"", NAMES[i].written, NAMES[i].name);
    memset(longest, 'a', 64);
    longest[64] = '\0';
    assert_false(near_name(longest, longest + 1));
    assert_true(near_name(longest + 1, longest + 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_is_named),
        cmocka_unit_test(who_writes_what_a_hint_says_gets_the_device),
        cmocka_unit_test(an_udevd_that_runs_may_still_tell),
        cmocka_unit_test(without_any_container_that_is_said),
        cmocka_unit_test(a_hint_leaves_the_value_of_the_trace_alone),
        cmocka_unit_test(a_hint_that_is_too_long_is_cut),
        cmocka_unit_test(a_container_that_is_asked_for_may_be_mistyped),
        cmocka_unit_test(names_that_are_mistyped_are_near),
    };
    return cmocka_run_group_tests(tests, scene_make, scene_free);
}
