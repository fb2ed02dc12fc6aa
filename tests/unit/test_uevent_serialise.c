/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "uevent_text.h"

static void serialising_leaves_the_seqnum_to_the_kernel(void **state)
{
    struct uevent event;
    char out[256], expected[256];
    unsigned dropped = 7;
    (void)state;
    size_t size = message_of(ZRAM_HEADER ZRAM "|MAJOR=253", expected);
    assert_int_equal(parse(&event, ZRAM_HEADER ZRAM "|SEQNUM=7|MAJOR=253", NULL), 0);
    assert_int_equal(uevent_serialise(&event, out, sizeof(out), &dropped), size);
    assert_memory_equal(out, expected, size);
    assert_int_equal(dropped, 0);
}

static void properties_are_dropped_in_a_fixed_order(void **state)
{
    static const char *const order[] = {"Z", "NAME", "A", "MODALIAS", "PRODUCT", "DRIVER"};
    struct uevent event;
    char out[1024];
    unsigned dropped;
    (void)state;
    assert_int_equal(parse(&event,
                           "add@/d|ACTION=add|DEVPATH=/d|A=a|SUBSYSTEM=usb|MAJOR=189|MINOR=3|"
                           "DEVNAME=bus/usb/001/004|DEVTYPE=usb_device|DRIVER=usb|PRODUCT=1/2/3|"
                           "NAME=n|MODALIAS=usb:v1|INTERFACE=3/1/1|IFINDEX=2|Z=z",
                           NULL),
                     0);
    int size = uevent_serialise(&event, out, sizeof(out), &dropped);
    for (unsigned i = 0; i < ARRAY_SIZE(order); i++) {
        struct uevent left;
        size = uevent_serialise(&event, out, (size_t)size - 1, &dropped);
        assert_int_equal(dropped, i + 1);
        assert_int_equal(uevent_parse(&left, out, (size_t)size, NULL), 0);
        for (unsigned j = 0; j < ARRAY_SIZE(order); j++)
            assert_int_equal(uevent_get(&left, order[j]) == NULL, j <= i);
    }
    dropped = 99;
    assert_int_equal(uevent_serialise(&event, out, (size_t)size - 1, &dropped), -E2BIG);
    assert_int_equal(dropped, 99);
}

static const char *const never_dropped[] = {"ACTION",  "DEVPATH", "SUBSYSTEM", "MAJOR",    "MINOR",
                                            "DEVNAME", "DEVTYPE", "IFINDEX",   "INTERFACE"};

/* An event whose message has exactly `size` bytes, or the next possible. False: none so short. */
static bool event_of_size(struct uevent *event, size_t size)
{
    char value[UEVENT_TEXT_MAX], key[16], out[UEVENT_TEXT_MAX];
    size_t used = 0;

    assert_int_equal(parse(event,
                           "add@/d|ACTION=add|DEVPATH=/d|SUBSYSTEM=input|MAJOR=13|MINOR=65|"
                           "DEVNAME=input/event1|DEVTYPE=t|IFINDEX=2|INTERFACE=e",
                           NULL),
                     0);
    memset(value, 'v', sizeof(value));
    for (unsigned i = 10; i < 50; i++) {
        used = (size_t)uevent_serialise(event, out, sizeof(out), NULL);
        if (used + 5 > size)
            return used == size;
        size_t room = size - used - 5;
        value[room > 60 ? 50 : room] = '\0';
        snprintf(key, sizeof(key), "K%u", i);
        assert_int_equal(uevent_set(event, key, value), 0);
        value[strlen(value)] = 'v';
    }
    return (size_t)uevent_serialise(event, out, sizeof(out), NULL) == size;
}

static void every_length_up_to_2100_is_injected_well_formed(void **state)
{
    unsigned built = 0;
    (void)state;
    for (size_t size = 0; size <= 2100; size++) {
        struct uevent event, read;
        char out[UEVENT_INJECT_MAX];
        unsigned dropped;
        if (!event_of_size(&event, size))
            continue;
        built++;
        int length = uevent_serialise(&event, out, sizeof(out), &dropped);
        assert_in_range(length, 1, UEVENT_INJECT_MAX);
        assert_int_equal(dropped == 0, size <= UEVENT_INJECT_MAX);
        if (dropped == 0)
            assert_int_equal(length, size);
        assert_int_equal(uevent_parse(&read, out, (size_t)length, NULL), 0);
        assert_int_equal(read.malformed, 0);
        assert_int_equal(read.property_count + dropped, event.property_count);
        for (size_t i = 0; i < ARRAY_SIZE(never_dropped); i++)
            assert_string_equal(uevent_get(&read, never_dropped[i]),
                                uevent_get(&event, never_dropped[i]));
    }
    assert_true(built > 1900);
}

static void the_structural_fields_fit_or_the_event_is_refused(void **state)
{
    struct uevent event;
    char devpath[UEVENT_INJECT_MAX], out[UEVENT_INJECT_MAX];
    (void)state;
    memset(devpath, 'd', sizeof(devpath));
    devpath[0] = '/';
    for (size_t length = 900; length < 1100; length++) {
        devpath[length] = '\0';
        assert_int_equal(uevent_init(&event, UEVENT_ADD, devpath), 0);
        size_t expected = strlen("add@|ACTION=add|DEVPATH=|") + 2 * length;
        int r = uevent_serialise(&event, out, sizeof(out), NULL);
        if (expected <= sizeof(out))
            assert_int_equal(r, expected);
        else
            assert_int_equal(r, -E2BIG);
        devpath[length] = 'd';
    }
}

static void nothing_is_written_behind_the_given_size(void **state)
{
    struct uevent event;
    (void)state;
    uevent_init(&event, UEVENT_ADD, "/d");
    uevent_set(&event, "A", "x");
    for (size_t size = 0; size < 64; size++) {
        char *out = test_malloc(size + 1);
        int r = uevent_serialise(&event, out, size, NULL);
        assert_true(r == -E2BIG || (size_t)r <= size);
        test_free(out); /* cmocka and the sanitizers look at the bytes behind it */
    }
}

/* tests/data/captures/<scenario>/kernel.cap: u32le length, u32le group, u64le ns, payload. */
static uint32_t little_endian(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

/* The payload without SEQNUM and the odd property, as the kernel gets it for injection. */
static size_t without_seqnum(const char *payload, size_t size, const char *odd, char *out,
                             unsigned *ret_odd)
{
    size_t used = 0;
    *ret_odd = 0;
    for (size_t at = 0; at < size; at += strlen(payload + at) + 1) {
        bool is_odd = odd && after_prefix(payload + at, odd);
        *ret_odd += is_odd;
        if (is_odd || after_prefix(payload + at, "SEQNUM="))
            continue;
        memcpy(out + used, payload + at, strlen(payload + at) + 1);
        used += strlen(payload + at) + 1;
    }
    return used;
}

static void check_record(const char *payload, size_t size, const char *odd)
{
    struct uevent event, again;
    struct refusal why = {0};
    char out[UEVENT_TEXT_MAX], expected[UEVENT_TEXT_MAX];
    unsigned dropped, malformed;

    if (uevent_parse(&event, payload, size, &why) < 0)
        fail_msg("%s: %s", payload, why.text);
    size_t expected_size = without_seqnum(payload, size, odd, expected, &malformed);
    assert_int_equal(event.malformed, malformed);
    assert_true(event.seqnum > 0);

    int length = uevent_serialise(&event, out, sizeof(out), &dropped);
    assert_int_equal(length, expected_size);
    assert_memory_equal(out, expected, expected_size);
    assert_int_equal(dropped, 0);

    assert_int_equal(uevent_parse(&again, out, (size_t)length, NULL), 0);
    uevent_unset(&event, "SEQNUM");
    assert_same_properties(&event, &again);
}

static size_t read_file(const char *scenario, char *out, size_t size)
{
    const char *source = getenv("srcdir");
    char path[4096];
    snprintf(path, sizeof(path), "%s/tests/data/captures/%s/kernel.cap", source ? source : ".",
             scenario);
    FILE *file = fopen(path, "re");
    if (!file)
        fail_msg("%s is not there", path);
    size_t length = fread(out, 1, size, file);
    fclose(file);
    return length;
}

static void captured_events_come_back_byte_for_byte(void **state)
{
    static const struct {
        const char *scenario;
        unsigned records;
        const char *odd; /* a property that is dropped wherever it stands */
    } cases[] = {
        {"usb-serial", 15, NULL},
        {"usb-storage-partitioned", 38, NULL},
        {"usb-kbd", 39, NULL},
        {"net-rename", 7, NULL},
        {"net-veth", 20, NULL},
        /* linux/drivers/base/cpu.c ends a CPU's modalias with a newline */
        {"cpu-offline-online", 4, "MODALIAS="},
    };
    static char data[65536];
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t length = read_file(cases[i].scenario, data, sizeof(data));
        unsigned records = 0;
        for (size_t at = 0; at + 16 <= length;) {
            const unsigned char *head = (const unsigned char *)data + at;
            size_t size = little_endian(head);
            assert_int_equal(little_endian(head + 4), 1);
            assert_true(at + 16 + size <= length);
            check_record(data + at + 16, size, cases[i].odd);
            at += 16 + size;
            records++;
        }
        assert_int_equal(records, cases[i].records);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serialising_leaves_the_seqnum_to_the_kernel),
        cmocka_unit_test(properties_are_dropped_in_a_fixed_order),
        cmocka_unit_test(every_length_up_to_2100_is_injected_well_formed),
        cmocka_unit_test(the_structural_fields_fit_or_the_event_is_refused),
        cmocka_unit_test(nothing_is_written_behind_the_given_size),
        cmocka_unit_test(captured_events_come_back_byte_for_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
