/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the tests of uevents share. Include it behind cmocka.h. */

#include "model/uevent.h"

/* Messages are written with '|' for NUL; the last one is the literal's own. */
static inline size_t message_of(const char *text, char *out)
{
    size_t size = strlen(text) + 1;
    memcpy(out, text, size);
    for (size_t i = 0; i < size; i++)
        if (out[i] == '|')
            out[i] = '\0';
    return size;
}

static inline int parse(struct uevent *event, const char *text, struct refusal *why)
{
    char message[UEVENT_TEXT_MAX];
    return uevent_parse(event, message, message_of(text, message), why);
}

static inline void assert_same_properties(const struct uevent *a, const struct uevent *b)
{
    assert_int_equal(a->action, b->action);
    assert_int_equal(a->synthetic, b->synthetic);
    assert_int_equal(a->property_count, b->property_count);
    for (int i = 0; i < a->property_count; i++)
        assert_string_equal(a->text + a->properties[i], b->text + b->properties[i]);
}

#define ZRAM "ACTION=add|DEVPATH=/devices/virtual/block/zram1|SUBSYSTEM=block"
#define ZRAM_HEADER "add@/devices/virtual/block/zram1|"
