/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <endian.h>

#include "divisor.h"
#include "model/udev_inside.h"
#include "model/udev_message.h"
#include "udev_retelling.h"

/*
 * What a real udevd said and wrote (udev_captures.h): read and written again it is the same, and a
 * container that is given everything hears all of it but for what is for the host only. That udevd
 * ran on x86-64.
 */

static void hashes_are_those_of_udev(void **state)
{
    static const struct {
        const char *text;
        uint32_t hash;
    } cases[] = {
        {"workqueue", 0x7bac4360}, {"usb", 0x0577c5e5},       {"tty", 0x8afa90c8},
        {"scsi", 0x29201a28},      {"scsi_host", 0xa005fb58}, {"usb_device", 0x27f8f50c},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(udev_message_hash(cases[i].text), cases[i].hash);
    assert_int_equal(udev_message_hash(""), 0);
    assert_true(udev_message_tag_bits("systemd") == UINT64_C(0x0200040010800000));
    assert_true(udev_message_tag_bits("seat") == UINT64_C(0x0208000000400001));
}

static unsigned recode_messages(const struct udev_captures *captures)
{
    struct udev_captures_message message;
    char out[UDEV_MESSAGE_MAX];
    unsigned count = 0;
    for (size_t at = 0; udev_captures_next_message(captures, &at, &message); count++) {
        struct property_list list = udev_retelling_decode(&message);
        assert_int_equal(udev_message_encode(&list, out, sizeof(out)), message.size);
        assert_memory_equal(out, message.bytes, message.size);
        property_list_done(&list);
    }
    return count;
}

static void each_message_is_written_as_udevd_wrote_it(void **state)
{
    static const unsigned counts[] = {888, 315};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(udev_captures_kernels); i++) {
        struct udev_captures captures;
        udev_captures_load(udev_captures_kernels[i], &captures);
        assert_int_equal(recode_messages(&captures), counts[i]);
        udev_captures_done(&captures);
    }
}

static unsigned reprint_records(const struct udev_captures *captures)
{
    struct udev_captures_text text;
    char out[UDEV_RECORD_MAX];
    unsigned count = 0;
    for (size_t at = 0; udev_captures_next_text(captures, "record", &at, &text); count++) {
        struct udev_record record = {0};
        assert_int_equal(udev_record_parse(text.text, text.size, &record), 0);
        assert_int_equal(udev_record_print(&record, out, sizeof(out)), text.size);
        assert_memory_equal(out, text.text, text.size);
        udev_record_done(&record);
    }
    return count;
}

static void each_record_is_written_as_udevd_wrote_it(void **state)
{
    static const unsigned counts[] = {143, 65};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(udev_captures_kernels); i++) {
        struct udev_captures captures;
        udev_captures_load(udev_captures_kernels[i], &captures);
        assert_int_equal(reprint_records(&captures), counts[i]);
        udev_captures_done(&captures);
    }
}

static struct name_list without_host_tags(const char *text)
{
    static const char *const host[] = {"seat", "master-of-seat", "uaccess", "systemd",
                                       "power-switch"};
    struct name_list all = udev_retelling_split(text, ":"), kept = {0};
    for (size_t i = 0; i < all.count; i++) {
        bool is_host = false;
        for (size_t k = 0; k < ARRAY_SIZE(host); k++)
            is_host |= streq(all.items[i], host[k]);
        if (!is_host)
            assert_int_equal(name_list_add(&kept, all.items[i]), 0);
    }
    name_list_done(&all);
    return kept;
}

/* Whether a property of udevd's message must be missing inside. */
static bool must_go(const struct property *property)
{
    if (streq(property->key, "TAGS") || streq(property->key, "CURRENT_TAGS")) {
        _cleanup_(name_list_done) struct name_list kept = without_host_tags(property->value);
        return kept.count == 0; /* no capture has tags of both kinds: see below */
    }
    return *property->key == '.' || after_prefix(property->key, "SYSTEMD_") ||
           streq(property->key, "ID_FOR_SEAT");
}

/* All that need not go is there as it was, and nothing else. Returns how many had to go. */
static unsigned compare(const struct property_list *said, const struct property_list *inside)
{
    unsigned gone = 0;
    for (size_t i = 0; i < said->count; i++) {
        const struct property *property = &said->items[i];
        const char *value = property_get(inside, property->key);
        bool goes = must_go(property);
        gone += goes;
        if (goes && value)
            fail_msg("%s=%s is inside", property->key, value);
        if (!goes && !streq_null(value, property->value))
            fail_msg("%s=%s is %s inside", property->key, property->value, value ? value : "not");
    }
    assert_int_equal(inside->count, said->count - gone);
    return gone;
}

/* Returns whether the message was told without a change; then its header is udevd's. */
static bool retell(const struct udev_captures_message *message)
{
    struct property_list said = udev_retelling_decode(message), told = udev_retelling_tell(&said);
    char out[UDEV_MESSAGE_MAX];
    bool unchanged = compare(&said, &told) == 0;

    assert_true(udev_message_encode(&told, out, sizeof(out)) > 0);
    if (unchanged)
        assert_memory_equal(out, message->bytes, UDEV_MESSAGE_HEADER_SIZE);
    property_list_done(&said);
    property_list_done(&told);
    return unchanged;
}

static void a_container_that_is_given_everything_hears_udevd_but_for_the_hosts_own(void **state)
{
    static const unsigned unchanged_counts[] = {606, 187};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(udev_captures_kernels); i++) {
        struct udev_captures captures;
        struct udev_captures_message message;
        unsigned unchanged = 0;
        udev_captures_load(udev_captures_kernels[i], &captures);
        for (size_t at = 0; udev_captures_next_message(&captures, &at, &message);)
            unchanged += retell(&message);
        assert_int_equal(unchanged, unchanged_counts[i]);
        udev_captures_done(&captures);
    }
}

/* The uevent file that the device had then. */
static bool find_sysfs(const struct udev_captures *captures, const char *scenario,
                       const char *devpath, char *out, size_t size)
{
    struct udev_captures_text text;
    for (size_t at = 0; udev_captures_next_text(captures, "sysfs", &at, &text);) {
        if (!streq(text.scenario, scenario) || !streq(text.name, devpath))
            continue;
        assert_true(text.size < size);
        memcpy(out, text.text, text.size);
        out[text.size] = '\0';
        return true;
    }
    return false;
}

/* udevd's record without what is for the host only. */
static struct udev_record without_host(const struct udev_captures_text *text)
{
    struct udev_record whole = {0}, record = {0};
    assert_int_equal(udev_record_parse(text->text, text->size, &whole), 0);
    for (size_t i = 0; i < whole.properties.count; i++) {
        const struct property *property = &whole.properties.items[i];
        if (!must_go(property))
            assert_int_equal(property_set(&record.properties, property->key, property->value), 0);
    }
    record.links = whole.links;
    whole.links = (struct name_list){0};
    record.usec_initialised = whole.usec_initialised;
    record.version = whole.version;
    udev_record_done(&whole);
    return record;
}

/* Whether a record made of this message is the expected text; false too where it is of another
 * device or without its sysfs. */
static bool says_the_same(const struct udev_captures *captures,
                          const struct udev_captures_message *message, const char *wanted_id,
                          const char *expected)
{
    struct property_list said = udev_retelling_decode(message);
    char sysfs[1024], id[UDEV_RECORD_ID_MAX], ours[UDEV_RECORD_MAX];
    bool same = false;
    if (find_sysfs(captures, message->scenario, property_get(&said, "DEVPATH"), sysfs,
                   sizeof(sysfs))) {
        _cleanup_device_ struct device *device = udev_retelling_device(&said, sysfs);
        struct udev_inside inside = udev_retelling_inside(&said, sysfs, NULL);
        assert_true(udev_record_print(&inside.record, ours, sizeof(ours)) > 0);
        same = udev_record_id(device, id) == 0 && streq(id, wanted_id) && streq(ours, expected);
        udev_inside_done(&inside);
    }
    property_list_done(&said);
    return same;
}

/* Some of a device's messages were before its record was copied, and some after: one of them has to
 * be what it says. */
static bool is_told(const struct udev_captures *captures, const struct udev_captures_text *record)
{
    struct udev_captures_message message;
    char expected[UDEV_RECORD_MAX];
    bool told = false;
    struct udev_record udevs = without_host(record);
    assert_true(udev_record_print(&udevs, expected, sizeof(expected)) > 0);
    udev_record_done(&udevs);
    for (size_t at = 0; !told && udev_captures_next_message(captures, &at, &message);)
        told = streq(message.scenario, record->scenario) &&
               says_the_same(captures, &message, record->name, expected);
    return told;
}

static void a_record_inside_is_udevds_but_for_the_hosts_own(void **state)
{
    struct udev_captures captures;
    struct udev_captures_text record;
    unsigned number = 0;
    (void)state;
    udev_captures_load("6.1", &captures); /* those of 7.3 came without sysfs */
    for (size_t at = 0; udev_captures_next_text(&captures, "record", &at, &record);)
        if (record.size > 0 && /* udevd knows nothing of some */
            number++ % test_divisor() == 0 && !is_told(&captures, &record))
            fail_msg("%s: nothing inside is like %s", record.scenario, record.name);
    udev_captures_done(&captures);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_udev),
        cmocka_unit_test(each_message_is_written_as_udevd_wrote_it),
        cmocka_unit_test(each_record_is_written_as_udevd_wrote_it),
        cmocka_unit_test(a_container_that_is_given_everything_hears_udevd_but_for_the_hosts_own),
        cmocka_unit_test(a_record_inside_is_udevds_but_for_the_hosts_own),
    };
    if (__BYTE_ORDER != __LITTLE_ENDIAN)
        return 77; /* automake's "skipped" */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
