/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <endian.h>
#include <errno.h>
#include <stdio.h>

#include "model/udev_message.h"

/* The least that libudev takes, and its bytes behind the header. */
#define LEAST "ACTION=add\nDEVPATH=/devices/x\nSUBSYSTEM=tty\nSEQNUM=7\n"
#define LEAST_BYTES "ACTION=add\0DEVPATH=/devices/x\0SUBSYSTEM=tty\0SEQNUM=7"

/* "KEY=VALUE\n" lines. */
static struct property_list list_of(const char *lines)
{
    struct property_list list = {0};
    while (*lines) {
        size_t length = strcspn(lines, "\n"), key_length = strcspn(lines, "=");
        char *key = strndup(lines, key_length);
        char *value = strndup(lines + key_length + 1, length - key_length - 1);
        assert_int_equal(property_set(&list, key, value), 0);
        free(key);
        free(value);
        lines += length + 1;
    }
    return list;
}

static int encode(const char *lines, char *out, size_t size)
{
    struct property_list list = list_of(lines);
    int length = udev_message_encode(&list, out, size);
    property_list_done(&list);
    return length;
}

static uint32_t word_at(const char *message, size_t offset)
{
    uint32_t word;
    memcpy(&word, message + offset, sizeof(word));
    return word;
}

static void the_header_says_where_the_properties_are_and_what_they_are(void **state)
{
    char message[256];
    (void)state;
    int length = encode(LEAST, message, sizeof(message));

    assert_int_equal(length, UDEV_MESSAGE_HEADER_SIZE + sizeof(LEAST_BYTES));
    assert_memory_equal(message, "libudev", 8);
    assert_memory_equal(message + 8, "\xfe\xed\xca\xfe", 4);
    assert_int_equal(word_at(message, 12), UDEV_MESSAGE_HEADER_SIZE);
    assert_int_equal(word_at(message, 16), UDEV_MESSAGE_HEADER_SIZE);
    assert_int_equal(word_at(message, 20), sizeof(LEAST_BYTES));
    assert_int_equal(be32toh(word_at(message, 24)), udev_message_hash("tty"));
    assert_int_equal(word_at(message, 28), 0); /* no DEVTYPE */
    assert_int_equal(word_at(message, 32), 0); /* no TAGS */
    assert_int_equal(word_at(message, 36), 0);
    assert_memory_equal(message + 40, LEAST_BYTES, sizeof(LEAST_BYTES));
}

static void devtype_and_tags_are_in_the_header(void **state)
{
    static const char *const cases[] = {":one:two:", "one:two", ":one::two:"};
    uint64_t bits = udev_message_tag_bits("one") | udev_message_tag_bits("two");
    char message[256], text[128];
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        snprintf(text, sizeof(text), LEAST "DEVTYPE=disk\nTAGS=%s\n", cases[i]);
        assert_true(encode(text, message, sizeof(message)) > 0);
        assert_int_equal(be32toh(word_at(message, 28)), udev_message_hash("disk"));
        assert_int_equal(be32toh(word_at(message, 32)), (uint32_t)(bits >> 32));
        assert_int_equal(be32toh(word_at(message, 36)), (uint32_t)bits);
    }
    assert_true(encode(LEAST "TAGS=::\nCURRENT_TAGS=:one:\n", message, sizeof(message)) > 0);
    assert_int_equal(word_at(message, 32), 0);
    assert_int_equal(word_at(message, 36), 0);
}

static void what_libudev_would_throw_away_or_misread_is_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "DEVPATH=/devices/x\nSUBSYSTEM=tty\nSEQNUM=7\n",
        "ACTION=add\nSUBSYSTEM=tty\nSEQNUM=7\n",
        "ACTION=add\nDEVPATH=/devices/x\nSEQNUM=7\n",
        "ACTION=add\nDEVPATH=/devices/x\nSUBSYSTEM=tty\n",
        "ACTION=add\nDEVPATH=/devices/x\nSUBSYSTEM=\nSEQNUM=7\n",
        "ACTION=add\nDEVPATH=/devices/x\nSUBSYSTEM=tty\nSEQNUM=0\n",
        "ACTION=add\nDEVPATH=/devices/x\nSUBSYSTEM=tty\nSEQNUM=seven\n",
        "ACTION=jump\nDEVPATH=/devices/x\nSUBSYSTEM=tty\nSEQNUM=7\n",
        "ACTION=add\nDEVPATH=devices/x\nSUBSYSTEM=tty\nSEQNUM=7\n",
        "ACTION=add\nDEVPATH=/devices/../x\nSUBSYSTEM=tty\nSEQNUM=7\n",
        LEAST "A B=1\n",
        LEAST "=1\n",
        LEAST "A=one\ttwo\n",
        LEAST "A=\xff\n",
    };
    char message[256];
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(encode(cases[i], message, sizeof(message)), -EINVAL);

    struct property_list list = list_of(LEAST);
    assert_int_equal(property_set(&list, "A", "x\nB=y"), 0);
    assert_int_equal(udev_message_encode(&list, message, sizeof(message)), -EINVAL);
    property_list_done(&list);
}

static void what_does_not_fit_is_refused_and_nothing_is_written_behind_the_end(void **state)
{
    const size_t needed = UDEV_MESSAGE_HEADER_SIZE + sizeof(LEAST_BYTES);
    char message[256];
    (void)state;
    for (size_t size = 0; size < needed; size++) {
        memset(message, '!', sizeof(message));
        assert_int_equal(encode(LEAST, message, size), -EMSGSIZE);
        for (size_t i = size; i < sizeof(message); i++)
            assert_int_equal(message[i], '!');
    }
    assert_int_equal(encode(LEAST, message, needed), needed);
    assert_int_equal(message[needed], '!');
}

static void what_was_written_is_read_back(void **state)
{
    char message[512];
    struct property_list written = list_of(LEAST "EMPTY=\nEQUALS=a=b\nUTF8=Gr\xc3\xb6\xc3\x9f"
                                                 "e\nTAGS=:a:\nDEVTYPE=disk\n"),
                         read = {0};
    (void)state;
    int length = udev_message_encode(&written, message, sizeof(message));
    assert_true(length > 0);
    assert_int_equal(udev_message_decode(message, (size_t)length, &read, NULL), 0);
    assert_true(property_list_equal(&written, &read));
    property_list_done(&written);
    property_list_done(&read);
}

/* A sound message with some of its bytes replaced. */
static void what_is_no_message_is_refused_by_name(void **state)
{
    static const struct {
        size_t offset;
        const char *bytes;
        size_t length;
        const char *reason;
    } cases[] = {
        {0, "LIBUDEV", 8, "of another format"},
        {8, "\xfe\xed\xca\xff", 4, "of another format"},
        {12, "\0\0\0\0", 4, "has properties at 40"},      /* a header of no size */
        {12, "\xff\xff\xff\xff", 4, "has properties at"}, /* longer than the message */
        {16, "\0\0\0\0", 4, "has properties at 0"},
        {16, "\xff\xff\xff\xff", 4, "has properties at"},
        {20, "\0\0\0\0", 4, "length 0"},
        {20, "\xff\xff\xff\xff", 4, "length"},
        {40 + sizeof(LEAST_BYTES) - 1, "x", 1, "does not end in NUL"},
        {40 + 6, "_", 1, "impossible property: ACTION_add"},
        {40 + 7, "\n", 1, "impossible property: ACTION="},
        {40, "DEVPATH=xy", 10, "DEVPATH twice"},
        {40, "B", 1, "lacks ACTION"},
        {40 + sizeof(LEAST_BYTES) - 2, "0", 1, "lacks ACTION"}, /* SEQNUM=0 */
    };
    char message[256];
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct property_list untouched = {.count = 77};
        struct refusal why = {0};
        int length = encode(LEAST, message, sizeof(message));
        memcpy(message + cases[i].offset, cases[i].bytes, cases[i].length);
        assert_int_equal(udev_message_decode(message, (size_t)length, &untouched, &why), -EBADMSG);
        if (!strstr(why.text, cases[i].reason))
            fail_msg("case %zu: %s", i, why.text);
        assert_int_equal(untouched.count, 77);
    }
}

static void no_part_of_a_message_is_one(void **state)
{
    char message[256];
    struct property_list list = {0};
    (void)state;
    int length = encode(LEAST, message, sizeof(message));
    for (int part = 0; part < length; part++) {
        char *exact = malloc((size_t)part + 1); /* so that reading on would be noticed */
        memcpy(exact, message, (size_t)part);
        assert_int_equal(udev_message_decode(exact, (size_t)part, &list, NULL), -EBADMSG);
        free(exact);
    }
}

static void a_longer_header_of_a_later_udev_is_read(void **state)
{
    const uint32_t longer = UDEV_MESSAGE_HEADER_SIZE + 8;
    char message[256], later[256] = {0};
    struct property_list list = {0};
    (void)state;
    int length = encode(LEAST, message, sizeof(message));
    memcpy(later, message, UDEV_MESSAGE_HEADER_SIZE);
    memcpy(later + 12, &longer, sizeof(longer));
    memcpy(later + 16, &longer, sizeof(longer));
    memcpy(later + longer, LEAST_BYTES, sizeof(LEAST_BYTES));
    assert_int_equal(udev_message_decode(later, (size_t)length + 8, &list, NULL), 0);
    assert_string_equal(property_get(&list, "SEQNUM"), "7");
    property_list_done(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_says_where_the_properties_are_and_what_they_are),
        cmocka_unit_test(devtype_and_tags_are_in_the_header),
        cmocka_unit_test(what_libudev_would_throw_away_or_misread_is_refused),
        cmocka_unit_test(what_does_not_fit_is_refused_and_nothing_is_written_behind_the_end),
        cmocka_unit_test(what_was_written_is_read_back),
        cmocka_unit_test(what_is_no_message_is_refused_by_name),
        cmocka_unit_test(no_part_of_a_message_is_one),
        cmocka_unit_test(a_longer_header_of_a_later_udev_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
