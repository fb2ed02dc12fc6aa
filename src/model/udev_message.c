/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/udev_message.h"

#include <endian.h>
#include <errno.h>

#include "base/text.h"
#include "model/path.h"
#include "model/uevent.h"

#define MAGIC 0xfeedcafeu

struct header {
    char prefix[8];
    uint32_t magic;
    uint32_t header_size;
    uint32_t properties_offset;
    uint32_t properties_length;
    uint32_t subsystem_hash;
    uint32_t devtype_hash;
    uint32_t tags_high;
    uint32_t tags_low;
};
_Static_assert(sizeof(struct header) == UDEV_MESSAGE_HEADER_SIZE, "libudev's header has 40 bytes");

static const char prefix[8] = "libudev";

static uint32_t murmur2(const unsigned char *bytes, size_t length)
{
    const uint32_t factor = 0x5bd1e995u;
    uint32_t hash = (uint32_t)length, word;

    for (; length >= sizeof(word); bytes += sizeof(word), length -= sizeof(word)) {
        memcpy(&word, bytes, sizeof(word));
        word *= factor;
        word ^= word >> 24;
        hash = (hash * factor) ^ (word * factor);
    }
    if (length > 0) {
        while (length-- > 0)
            hash ^= (uint32_t)bytes[length] << (8 * length);
        hash *= factor;
    }
    hash ^= hash >> 13;
    hash *= factor;
    return hash ^ hash >> 15;
}

static uint64_t tag_bits(const char *tag, size_t length)
{
    uint32_t hash = murmur2((const unsigned char *)tag, length);
    uint64_t bits = 0;
    for (unsigned shift = 0; shift < 24; shift += 6)
        bits |= UINT64_C(1) << (hash >> shift & 63);
    return bits;
}

uint32_t udev_message_hash(const char *text)
{
    return murmur2((const unsigned char *)text, strlen(text));
}

uint64_t udev_message_tag_bits(const char *tag)
{
    return tag_bits(tag, strlen(tag));
}

/* The bloom filter of ":one:two:". */
static uint64_t bloom_of_tags(const char *tags)
{
    uint64_t bits = 0;
    while (*tags) {
        size_t length = strcspn(tags, ":");
        if (length > 0)
            bits |= tag_bits(tags, length);
        tags += length + (tags[length] != '\0');
    }
    return bits;
}

/* Whether libudev would make a device of these: it insists on four of them. */
static bool is_complete(const struct property_list *properties)
{
    const char *action = property_get(properties, "ACTION");
    const char *devpath = property_get(properties, "DEVPATH");
    const char *subsystem = property_get(properties, "SUBSYSTEM");
    const char *seqnum = property_get(properties, "SEQNUM");
    enum uevent_action known;
    uint64_t number;

    return action && uevent_action_parse(action, &known) > 0 && devpath &&
           path_is_devpath(devpath) && subsystem && *subsystem && seqnum &&
           text_to_number(seqnum, UINT64_MAX, &number) > 0 && number > 0;
}

static bool is_sound(const char *key, size_t key_length, const char *value)
{
    return property_key_is_valid(key, key_length) && text_is_clean(value, strlen(value));
}

static struct header make_header(const struct property_list *properties, size_t length)
{
    const char *devtype = property_get(properties, "DEVTYPE");
    const char *tags = property_get(properties, "TAGS");
    uint64_t bloom = tags ? bloom_of_tags(tags) : 0;
    struct header header = {
        .magic = htobe32(MAGIC),
        .header_size = sizeof(header),
        .properties_offset = sizeof(header),
        .properties_length = (uint32_t)length,
        .subsystem_hash = htobe32(udev_message_hash(property_get(properties, "SUBSYSTEM"))),
        .devtype_hash = devtype ? htobe32(udev_message_hash(devtype)) : 0,
        .tags_high = htobe32((uint32_t)(bloom >> 32)),
        .tags_low = htobe32((uint32_t)bloom),
    };
    memcpy(header.prefix, prefix, sizeof(header.prefix));
    return header;
}

int udev_message_encode(const struct property_list *properties, void *out, size_t size)
{
    size_t used = sizeof(struct header);
    char *text = out;

    if (!is_complete(properties))
        return -EINVAL;
    for (size_t i = 0; i < properties->count; i++) {
        const struct property *property = &properties->items[i];
        size_t key_length = strlen(property->key), value_size = strlen(property->value) + 1;
        if (!is_sound(property->key, key_length, property->value))
            return -EINVAL;
        if (used > size || key_length + 1 + value_size > size - used)
            return -EMSGSIZE;
        memcpy(text + used, property->key, key_length);
        text[used + key_length] = '=';
        memcpy(text + used + key_length + 1, property->value, value_size);
        used += key_length + 1 + value_size;
    }

    struct header header = make_header(properties, used - sizeof(header));
    memcpy(out, &header, sizeof(header));
    return (int)used;
}

/* Takes one "KEY=VALUE"; its NUL is there. */
static int take_property(struct property_list *list, const char *text, struct refusal *why)
{
    const char *equals = strchr(text, '=');
    if (!equals || !is_sound(text, (size_t)(equals - text), equals + 1))
        return refuse(why, EBADMSG, "udev's message has an impossible property: %s", text);

    _cleanup_free_ char *key = strndup(text, (size_t)(equals - text));
    if (!key)
        return -ENOMEM;
    if (property_get(list, key))
        return refuse(why, EBADMSG, "udev's message has %s twice", key);
    return property_set(list, key, equals + 1);
}

/* Returns the header of a message whose properties are all there and end in NUL. */
static int take_header(const void *message, size_t size, struct header *ret, struct refusal *why)
{
    const char *text = message;

    if (size < sizeof(*ret) || size > UDEV_MESSAGE_MAX)
        return refuse(why, EBADMSG, "message of udev with %zu bytes", size);
    memcpy(ret, message, sizeof(*ret));
    if (memcmp(ret->prefix, prefix, sizeof(prefix)) != 0 || be32toh(ret->magic) != MAGIC)
        return refuse(why, EBADMSG, "message of another format than udev's");
    if (ret->header_size < sizeof(*ret) || ret->properties_offset < ret->header_size ||
        ret->properties_offset >= size || ret->properties_length != size - ret->properties_offset)
        return refuse(why, EBADMSG, "udev's message has properties at %u, length %u, of %zu bytes",
                      ret->properties_offset, ret->properties_length, size);
    if (text[size - 1] != '\0')
        return refuse(why, EBADMSG, "udev's message does not end in NUL");
    return 0;
}

int udev_message_decode(const void *message, size_t size, struct property_list *ret,
                        struct refusal *why)
{
    _cleanup_(property_list_done) struct property_list list = {0};
    const char *text = message;
    struct header header;

    int r = take_header(message, size, &header, why);
    if (r < 0)
        return r;
    for (size_t at = header.properties_offset; at < size; at += strlen(text + at) + 1) {
        r = take_property(&list, text + at, why);
        if (r < 0)
            return r;
    }
    if (!is_complete(&list))
        return refuse(why, EBADMSG, "udev's message lacks ACTION, DEVPATH, SUBSYSTEM or SEQNUM");
    *ret = list;
    list = (struct property_list){0};
    return 0;
}
