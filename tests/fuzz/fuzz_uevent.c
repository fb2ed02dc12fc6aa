/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as a message of the kernel: what is accepted keeps its promises, comes back the same
 * after it was written and read again, and can be cut to what the kernel takes for injection.
 */

#include <errno.h>

#include "model/uevent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_same(const struct uevent *a, const struct uevent *b)
{
    check(a->action == b->action && a->synthetic == b->synthetic);
    check(a->property_count == b->property_count && a->length == b->length);
    check(memcmp(a->text, b->text, a->length) == 0);
    check(memcmp(a->properties, b->properties, a->property_count * sizeof(a->properties[0])) == 0);
}

static void check_promises(const struct uevent *event)
{
    const char *devname = uevent_get(event, "DEVNAME");

    check(streq(uevent_get(event, "ACTION"), uevent_action_name(event->action)));
    check(uevent_get(event, "DEVPATH")[0] == '/');
    check(!strchr(uevent_get(event, "SUBSYSTEM"), '/'));
    check(!devname || (devname[0] != '/' && !after_prefix(devname, "../") &&
                       !strstr(devname, "/../") && !strchr(devname, '\n')));
    for (int i = 0; i < event->property_count; i++)
        check(strchr(event->text + event->properties[i], '=') != NULL);
}

/* Setting each property to what it is, and taking one away and giving it back. */
static void check_editing(const struct uevent *event)
{
    struct uevent edited = *event;

    for (int i = 0; i < event->property_count; i++) {
        const char *property = event->text + event->properties[i];
        const char *value = strchr(property, '=') + 1;
        char *key = strndup(property, (size_t)(value - property) - 1);
        check(key != NULL);
        check(uevent_set(&edited, key, value) == 0);
        check_same(&edited, event);
        if (!streq(key, "ACTION") && !streq(key, "DEVPATH")) {
            struct uevent less = *event;
            uevent_unset(&less, key);
            check(!uevent_get(&less, key) && less.property_count == event->property_count - 1);
            check(uevent_set(&less, key, value) == 0 && less.length == event->length);
        }
        free(key);
    }
}

static void check_injection(const struct uevent *event)
{
    static const char *const kept[] = {"ACTION",  "DEVPATH", "SUBSYSTEM", "MAJOR",    "MINOR",
                                       "DEVNAME", "DEVTYPE", "IFINDEX",   "INTERFACE"};
    struct uevent read;
    char message[UEVENT_INJECT_MAX];
    unsigned dropped;

    int length = uevent_serialise(event, message, sizeof(message), &dropped);
    if (length < 0) {
        check(length == -E2BIG);
        return;
    }
    check(uevent_parse(&read, message, (size_t)length, NULL) == 0);
    check(read.malformed == 0 && read.property_count + dropped == event->property_count);
    for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
        check(streq_null(uevent_get(&read, kept[i]), uevent_get(event, kept[i])));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct uevent event, again;
    static char message[UEVENT_TEXT_MAX];

    if (uevent_parse(&event, data, size, NULL) < 0)
        return 0;
    check_promises(&event);

    /* never longer than what was read, and without the SEQNUM that a second reading cannot see */
    uevent_unset(&event, "SEQNUM");
    unsigned dropped = 0;
    int length = uevent_serialise(&event, message, sizeof(message), &dropped);
    check(length > 0 && (size_t)length <= size && dropped == 0);
    check(uevent_parse(&again, message, (size_t)length, NULL) == 0);
    check_same(&event, &again);

    check_editing(&event);
    check_injection(&event);
    return 0;
}
