/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "uevent_text.h"

static void a_message_of_the_kernel_is_read(void **state)
{
    struct uevent event;
    (void)state;
    assert_int_equal(parse(&event,
                           ZRAM_HEADER ZRAM "|MAJOR=253|MINOR=1|DEVNAME=zram1|DEVTYPE=disk"
                                            "|EMPTY=|SEQNUM=18446744073709551615",
                           NULL),
                     0);
    assert_int_equal(event.action, UEVENT_ADD);
    assert_false(event.synthetic);
    assert_true(event.seqnum == UINT64_MAX);
    assert_int_equal(event.malformed, 0);
    assert_int_equal(event.property_count, 9);
    assert_string_equal(uevent_get(&event, "DEVNAME"), "zram1");
    assert_string_equal(uevent_get(&event, "EMPTY"), "");
    assert_null(uevent_get(&event, "DEV"));
    assert_null(uevent_get(&event, "IFINDEX"));
}

static void an_event_with_a_synth_uuid_is_synthetic(void **state)
{
    struct uevent event;
    (void)state;
    assert_int_equal(parse(&event, ZRAM_HEADER ZRAM "|SYNTH_UUID=0|SEQNUM=5", NULL), 0);
    assert_true(event.synthetic);
    uevent_unset(&event, "SYNTH_UUID");
    assert_false(event.synthetic);
}

static void each_action_has_a_name_and_is_found_by_it(void **state)
{
    static const char *const names[] = {"add",    "remove",  "change", "move",
                                        "online", "offline", "bind",   "unbind"};
    enum uevent_action action;
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        assert_int_equal(uevent_action_parse(names[i], &action), 1);
        assert_int_equal(action, i);
        assert_string_equal(uevent_action_name(action), names[i]);
    }
    assert_int_equal(uevent_action_parse("", &action), 0);
    assert_int_equal(uevent_action_parse("Add", &action), 0);
    assert_int_equal(uevent_action_parse("adds", &action), 0);
}

static void structural_fields_are_strict(void **state)
{
    static const struct {
        const char *message;
        const char *reason;
    } cases[] = {
        {"", "uevent has no ACTION"},
        {"add@/d/a", "uevent has no ACTION"},
        {"add@/d/a|ACTION=add|SUBSYSTEM=block", "uevent has no DEVPATH"},
        {"add@/d/a|ACTION=add|DEVPATH=/d/a", "uevent has no SUBSYSTEM"},
        {"|ACTION=add|DEVPATH=/d/a|SUBSYSTEM=s", "uevent header differs from ACTION and DEVPATH: "},
        {"remove@/d/a|ACTION=add|DEVPATH=/d/a|SUBSYSTEM=s",
         "uevent header differs from ACTION and DEVPATH: remove@/d/a"},
        {"add@/d/b|ACTION=add|DEVPATH=/d/a|SUBSYSTEM=s",
         "uevent header differs from ACTION and DEVPATH: add@/d/b"},
        {"add#/d/a|ACTION=add|DEVPATH=/d/a|SUBSYSTEM=s",
         "uevent header differs from ACTION and DEVPATH: add#/d/a"},
        {"add/d/a|ACTION=add|DEVPATH=/d/a|SUBSYSTEM=s",
         "uevent header differs from ACTION and DEVPATH: add/d/a"},
        {ZRAM_HEADER ZRAM "|ACTION=add", "uevent has ACTION twice"},
        {ZRAM_HEADER ZRAM "|DEVPATH=/devices/virtual/block/zram1", "uevent has DEVPATH twice"},
        {ZRAM_HEADER ZRAM "|SUBSYSTEM=tty", "uevent has SUBSYSTEM twice"},
        {"explode@/d|ACTION=explode|DEVPATH=/d|SUBSYSTEM=s",
         "uevent has an impossible ACTION: ACTION=explode"},
        {"add@d|ACTION=add|DEVPATH=d|SUBSYSTEM=s", "uevent has an impossible DEVPATH: DEVPATH=d"},
        {"add@/|ACTION=add|DEVPATH=/|SUBSYSTEM=s", "uevent has an impossible DEVPATH: DEVPATH=/"},
        {"add@/d/../e|ACTION=add|DEVPATH=/d/../e|SUBSYSTEM=s",
         "uevent has an impossible DEVPATH: DEVPATH=/d/../e"},
        {"add@/d/.|ACTION=add|DEVPATH=/d/.|SUBSYSTEM=s",
         "uevent has an impossible DEVPATH: DEVPATH=/d/."},
        {"add@/d//e|ACTION=add|DEVPATH=/d//e|SUBSYSTEM=s",
         "uevent has an impossible DEVPATH: DEVPATH=/d//e"},
        {"add@/d\n|ACTION=add|DEVPATH=/d\n|SUBSYSTEM=s",
         "uevent has an impossible DEVPATH: DEVPATH=/d\\x0a"},
        {"add@/d|ACTION=add|DEVPATH=/d|SUBSYSTEM=",
         "uevent has an impossible SUBSYSTEM: SUBSYSTEM="},
        {"add@/d|ACTION=add|DEVPATH=/d|SUBSYSTEM=a/b",
         "uevent has an impossible SUBSYSTEM: SUBSYSTEM=a/b"},
        {"add@/d|ACTION=add|DEVPATH=/d|SUBSYSTEM=..",
         "uevent has an impossible SUBSYSTEM: SUBSYSTEM=.."},
        {ZRAM_HEADER ZRAM "|MAJOR=-1", "uevent has an impossible MAJOR: MAJOR=-1"},
        {ZRAM_HEADER ZRAM "|MAJOR=0x8", "uevent has an impossible MAJOR: MAJOR=0x8"},
        {ZRAM_HEADER ZRAM "|MINOR=4294967296", "uevent has an impossible MINOR: MINOR=4294967296"},
        {ZRAM_HEADER ZRAM "|MINOR=", "uevent has an impossible MINOR: MINOR="},
        {ZRAM_HEADER ZRAM "|SEQNUM=1a", "uevent has an impossible SEQNUM: SEQNUM=1a"},
        {ZRAM_HEADER ZRAM "|DEVNAME=../sda", "uevent has an impossible DEVNAME: DEVNAME=../sda"},
        {ZRAM_HEADER ZRAM "|DEVNAME=a/../b", "uevent has an impossible DEVNAME: DEVNAME=a/../b"},
        {ZRAM_HEADER ZRAM "|DEVNAME=/dev/x", "uevent has an impossible DEVNAME: DEVNAME=/dev/x"},
        {ZRAM_HEADER ZRAM "|DEVNAME=\x1b[1m", "uevent has an impossible DEVNAME: DEVNAME=\\x1b[1m"},
        {ZRAM_HEADER ZRAM "|DEVNAME=", "uevent has an impossible DEVNAME: DEVNAME="},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct uevent event;
        struct refusal why = {0};
        assert_int_equal(parse(&event, cases[i].message, &why), -EBADMSG);
        assert_string_equal(why.text, cases[i].reason);
    }
}

static void a_message_without_end_or_of_impossible_size_is_refused(void **state)
{
    static char large[UEVENT_TEXT_MAX + 1];
    struct uevent event;
    struct refusal why;
    (void)state;
    assert_int_equal(uevent_parse(&event, "add@/d", 6, &why), -EBADMSG);
    assert_string_equal(why.text, "uevent does not end in NUL");
    assert_int_equal(uevent_parse(&event, "", 0, &why), -EBADMSG);
    assert_string_equal(why.text, "uevent of 0 bytes");
    assert_int_equal(uevent_parse(&event, large, sizeof(large), &why), -EBADMSG);
    assert_string_equal(why.text, "uevent of 8193 bytes");
}

static void an_odd_property_is_dropped_and_counted_and_the_event_kept(void **state)
{
    static const struct {
        const char *property;
        unsigned malformed;
    } cases[] = {
        {"NAME=\"$(touch x)\"", 0},
        {"NAME=%n%n%s", 0},
        {"NAME=\xc3\xa9t\xc3\xa9", 0},
        {"ID.a:b-c_9=x", 0},
        {"NAME=a=b", 0},
        {"HID_UNIQ=x\nDEVNAME=sda", 1},
        {"HID_UNIQ=\x1b[2J", 1},
        {"HID_UNIQ=caf\x92", 1},
        {"HID_UNIQ=\x7f", 1},
        {"no equals sign", 1},
        {"ACTION", 1},
        {"=value", 1},
        {"A KEY=value", 1},
        {"\xc3\xa9=value", 1},
        {"", 1},
        {"X=1|X=2", 1},
        {"||", 3},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char message[512];
        struct uevent event;
        snprintf(message, sizeof(message), ZRAM_HEADER ZRAM "|%s|MAJOR=253|MINOR=1|DEVNAME=zram1",
                 cases[i].property);
        assert_int_equal(parse(&event, message, NULL), 0);
        assert_int_equal(event.malformed, cases[i].malformed);
        assert_string_equal(uevent_get(&event, "DEVNAME"), "zram1");
        if (cases[i].malformed)
            assert_null(uevent_get(&event, "HID_UNIQ"));
    }
}

static void a_key_that_stands_twice_keeps_the_first(void **state)
{
    struct uevent event;
    (void)state;
    assert_int_equal(parse(&event, ZRAM_HEADER ZRAM "|MAJOR=253|X=1|MAJOR=8|X=2", NULL), 0);
    assert_string_equal(uevent_get(&event, "MAJOR"), "253");
    assert_string_equal(uevent_get(&event, "X"), "1");
    assert_int_equal(event.malformed, 2);
}

/* A message with `extra` properties K0=, K1= ... after the structural ones, and `last` behind them.
 */
static int parse_many(struct uevent *event, int extra, const char *last)
{
    char message[UEVENT_TEXT_MAX];
    size_t used = (size_t)snprintf(message, sizeof(message), "%s", ZRAM_HEADER ZRAM);
    for (int i = 0; i < extra; i++)
        used += (size_t)snprintf(message + used, sizeof(message) - used, "|K%d=", i);
    snprintf(message + used, sizeof(message) - used, "%s", last);
    return parse(event, message, NULL);
}

static void properties_above_the_limit_are_dropped_unless_structural(void **state)
{
    struct uevent event;
    (void)state;
    assert_int_equal(parse_many(&event, UEVENT_PROPERTIES_MAX - 3, ""), 0);
    assert_int_equal(event.malformed, 0);
    assert_int_equal(parse_many(&event, UEVENT_PROPERTIES_MAX, ""), 0);
    assert_int_equal(event.malformed, 3);
    assert_int_equal(event.property_count, UEVENT_PROPERTIES_MAX);
    assert_int_equal(parse_many(&event, UEVENT_PROPERTIES_MAX, "|MAJOR=1"), -EBADMSG);
}

static void a_message_cut_anywhere_is_refused_or_well_formed(void **state)
{
    char message[UEVENT_TEXT_MAX];
    size_t size = message_of(ZRAM_HEADER ZRAM "|MAJOR=253|MINOR=1|DEVNAME=zram1|SEQNUM=7", message);
    unsigned accepted = 0;
    (void)state;
    for (size_t cut = 0; cut <= size; cut++) {
        struct uevent event;
        char *copy = test_malloc(cut + 1); /* exactly as long: sanitizers see a read behind it */
        memcpy(copy, message, cut);
        if (uevent_parse(&event, copy, cut, NULL) == 0) {
            assert_string_equal(uevent_get(&event, "SUBSYSTEM"), "block");
            accepted++;
        }
        test_free(copy);
    }
    assert_int_equal(accepted, 5); /* behind SUBSYSTEM and each property after it */
}

static void an_event_of_our_own_has_action_and_devpath(void **state)
{
    struct uevent event;
    char out[64], expected[64];
    (void)state;
    assert_int_equal(uevent_init(&event, UEVENT_REMOVE, "/devices/a"), 0);
    assert_int_equal(event.action, UEVENT_REMOVE);
    size_t size = message_of("remove@/devices/a|ACTION=remove|DEVPATH=/devices/a", expected);
    assert_int_equal(uevent_serialise(&event, out, sizeof(out), NULL), size);
    assert_memory_equal(out, expected, size);
}

static void an_event_of_our_own_needs_a_devpath_that_fits(void **state)
{
    struct uevent event;
    char long_path[UEVENT_TEXT_MAX + 1];
    (void)state;
    memset(long_path, 'a', sizeof(long_path));
    long_path[0] = '/';
    long_path[UEVENT_TEXT_MAX] = '\0';
    assert_int_equal(uevent_init(&event, UEVENT_ADD, long_path), -ENAMETOOLONG);
    long_path[UEVENT_TEXT_MAX - 19] = '\0'; /* fits beside DEVPATH=, but not beside ACTION=add */
    assert_int_equal(uevent_init(&event, UEVENT_ADD, long_path), -ENAMETOOLONG);
    assert_int_equal(uevent_init(&event, UEVENT_ADD, "devices"), -EINVAL);
}

static void setting_replaces_in_place_or_appends(void **state)
{
    static const struct {
        const char *value;
        const char *expected;
    } cases[] = {
        {"1", "add@/d|ACTION=add|DEVPATH=/d|A=1|B=b"},
        {"", "add@/d|ACTION=add|DEVPATH=/d|A=|B=b"},
        {"longer than before", "add@/d|ACTION=add|DEVPATH=/d|A=longer than before|B=b"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct uevent event;
        char out[128], expected[128];
        size_t size = message_of(cases[i].expected, expected);
        uevent_init(&event, UEVENT_ADD, "/d");
        uevent_set(&event, "A", "some");
        uevent_set(&event, "B", "b");
        assert_int_equal(uevent_set(&event, "A", cases[i].value), 0);
        assert_string_equal(uevent_get(&event, "B"), "b");
        assert_int_equal(uevent_serialise(&event, out, sizeof(out), NULL), size);
        assert_memory_equal(out, expected, size);
    }
}

static void a_value_of_the_event_itself_can_be_set(void **state)
{
    struct uevent event;
    (void)state;
    uevent_init(&event, UEVENT_ADD, "/d");
    uevent_set(&event, "A", "first");
    uevent_set(&event, "B", "second one");
    assert_int_equal(uevent_set(&event, "A", uevent_get(&event, "B")), 0);
    assert_string_equal(uevent_get(&event, "A"), "second one");
    assert_string_equal(uevent_get(&event, "B"), "second one");
}

static void action_seqnum_and_synth_uuid_are_kept_in_step(void **state)
{
    struct uevent event;
    char out[64];
    (void)state;
    uevent_init(&event, UEVENT_ADD, "/d");
    assert_int_equal(uevent_set(&event, "ACTION", "unbind"), 0);
    assert_int_equal(event.action, UEVENT_UNBIND);
    assert_int_equal(uevent_set(&event, "SEQNUM", "42"), 0);
    assert_int_equal(event.seqnum, 42);
    assert_int_equal(uevent_set(&event, "SYNTH_UUID", "0"), 0);
    assert_true(event.synthetic);
    uevent_unset(&event, "SEQNUM");
    uevent_unset(&event, "SYNTH_UUID");
    assert_int_equal(event.seqnum, 0);
    assert_false(event.synthetic);
    assert_int_equal(uevent_serialise(&event, out, sizeof(out), NULL),
                     sizeof("unbind@/d\0ACTION=unbind\0DEVPATH=/d"));
    assert_string_equal(out, "unbind@/d");
}

static void what_a_parser_would_refuse_cannot_be_set(void **state)
{
    static const struct {
        const char *key;
        const char *value;
    } cases[] = {
        {"", "x"},           {"A B", "x"},       {"A=B", "x"},     {"A", "x\ny"},
        {"A", "\x92"},       {"ACTION", "kill"}, {"DEVPATH", "d"}, {"DEVPATH", "/d/.."},
        {"SUBSYSTEM", ""},   {"MAJOR", "x"},     {"MINOR", "-1"},  {"SEQNUM", ""},
        {"DEVNAME", "../x"}, {"DEVNAME", ""},
    };
    struct uevent event, before;
    (void)state;
    uevent_init(&event, UEVENT_ADD, "/d");
    uevent_init(&before, UEVENT_ADD, "/d");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(uevent_set(&event, cases[i].key, cases[i].value), -EINVAL);
        assert_same_properties(&event, &before);
    }
}

static void what_does_not_fit_cannot_be_set(void **state)
{
    struct uevent event, before;
    char value[UEVENT_TEXT_MAX];
    (void)state;
    uevent_init(&event, UEVENT_ADD, "/d");
    memset(value, 'v', sizeof(value));
    value[sizeof(value) - 1] = '\0';
    assert_int_equal(uevent_set(&event, "A", value), -ENOSPC);
    value[UEVENT_TEXT_MAX - event.length - 2] = '\0';
    assert_int_equal(uevent_set(&event, "A", value), -ENOSPC);
    value[UEVENT_TEXT_MAX - event.length - 3] = '\0';
    assert_int_equal(uevent_set(&event, "A", value), 0);
    assert_int_equal(event.length, UEVENT_TEXT_MAX);
    assert_int_equal(uevent_set(&event, "A", "short again"), 0);

    while (event.property_count < UEVENT_PROPERTIES_MAX) {
        char key[16];
        snprintf(key, sizeof(key), "K%u", event.property_count);
        assert_int_equal(uevent_set(&event, key, "v"), 0);
    }
    before = event;
    assert_int_equal(uevent_set(&event, "ONE_MORE", "v"), -ENOSPC);
    assert_same_properties(&event, &before);
    assert_int_equal(uevent_set(&event, "A", "still replaced"), 0);
}

static void unsetting_closes_the_gap(void **state)
{
    static const char *const keys[] = {"A", "B", "C"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        struct uevent event, expected;
        uevent_init(&event, UEVENT_ADD, "/d");
        uevent_init(&expected, UEVENT_ADD, "/d");
        for (size_t j = 0; j < ARRAY_SIZE(keys); j++) {
            uevent_set(&event, keys[j], keys[j]);
            if (j != i)
                uevent_set(&expected, keys[j], keys[j]);
        }
        uevent_unset(&event, keys[i]);
        uevent_unset(&event, "NOT_THERE");
        assert_same_properties(&event, &expected);
        assert_int_equal(event.length, expected.length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_of_the_kernel_is_read),
        cmocka_unit_test(an_event_with_a_synth_uuid_is_synthetic),
        cmocka_unit_test(each_action_has_a_name_and_is_found_by_it),
        cmocka_unit_test(structural_fields_are_strict),
        cmocka_unit_test(a_message_without_end_or_of_impossible_size_is_refused),
        cmocka_unit_test(an_odd_property_is_dropped_and_counted_and_the_event_kept),
        cmocka_unit_test(a_key_that_stands_twice_keeps_the_first),
        cmocka_unit_test(properties_above_the_limit_are_dropped_unless_structural),
        cmocka_unit_test(a_message_cut_anywhere_is_refused_or_well_formed),
        cmocka_unit_test(an_event_of_our_own_has_action_and_devpath),
        cmocka_unit_test(an_event_of_our_own_needs_a_devpath_that_fits),
        cmocka_unit_test(setting_replaces_in_place_or_appends),
        cmocka_unit_test(a_value_of_the_event_itself_can_be_set),
        cmocka_unit_test(action_seqnum_and_synth_uuid_are_kept_in_step),
        cmocka_unit_test(what_a_parser_would_refuse_cannot_be_set),
        cmocka_unit_test(what_does_not_fit_cannot_be_set),
        cmocka_unit_test(unsetting_closes_the_gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
