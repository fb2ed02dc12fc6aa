/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as a message of udev's and as a record: what is accepted comes back the same after it
 * was written and read again, and what is written is never longer than what there is room for.
 */

#include <errno.h>

#include "model/udev_message.h"
#include "model/udev_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_message(const uint8_t *data, size_t size)
{
    struct property_list first = {0}, second = {0};
    static char message[UDEV_MESSAGE_MAX];

    if (udev_message_decode(data, size, &first, NULL) < 0)
        return;
    int length = udev_message_encode(&first, message, sizeof(message));
    check(length > UDEV_MESSAGE_HEADER_SIZE && (size_t)length <= size);
    check(udev_message_encode(&first, message, (size_t)length) == length);
    check(udev_message_encode(&first, message, (size_t)length - 1) == -EMSGSIZE);
    check(udev_message_encode(&first, message, sizeof(message)) == length);
    check(udev_message_decode(message, (size_t)length, &second, NULL) == 0);
    check(property_list_equal(&first, &second));
    property_list_done(&first);
    property_list_done(&second);
}

static void check_paths(const struct udev_record *record)
{
    char path[UDEV_RECORD_PATH_MAX];
    for (size_t i = 0; i < record->tags.count; i++)
        check(udev_record_tag_path(record->tags.items[i], "c1:3", path) == 0);
    for (size_t i = 0; i < record->links.count; i++)
        check(after_prefix(record->links.items[i], "/dev/") &&
              !strstr(record->links.items[i], "/../"));
}

static void check_record(const uint8_t *data, size_t size)
{
    struct udev_record first = {0}, second = {0};
    static char text[2 * UDEV_RECORD_MAX], again[2 * UDEV_RECORD_MAX];

    check(udev_record_parse((const char *)data, size, &first) == 0);
    check_paths(&first);
    int length = udev_record_print(&first, text, sizeof(text));
    if (length >= 0) {
        check((size_t)length == strlen(text) && (size_t)length <= size + 1); /* a last newline */
        check(udev_record_parse(text, (size_t)length, &second) == 0);
        check(udev_record_print(&second, again, sizeof(again)) == length);
        check(streq(text, again));
    } else {
        check(length == -EMSGSIZE);
    }
    udev_record_done(&first);
    udev_record_done(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_message(data, size);
    check_record(data, size);
    return 0;
}
