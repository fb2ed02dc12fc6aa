/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/udev_word.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "model/udev_message.h"

void udev_word_free(struct udev_word *word)
{
    if (!word)
        return;
    free(word->devpath);
    free(word->id);
    free(word->record);
    free(word->message);
    free(word->removal);
    free(word);
}

/* The message of these properties on the heap. */
static int encode(const struct property_list *properties, char **ret, size_t *ret_size)
{
    char message[UDEV_MESSAGE_MAX];
    int size = udev_message_encode(properties, message, sizeof(message));
    if (size < 0)
        return size;
    char *copy = malloc((size_t)size);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, message, (size_t)size);
    *ret = copy;
    *ret_size = (size_t)size;
    return 0;
}

static int tell(const struct udev_inside *inside, enum uevent_action action, uint64_t seqnum,
                char **ret, size_t *ret_size)
{
    _cleanup_(property_list_done) struct property_list properties = {0};
    int r = udev_inside_message(inside, action, seqnum, &properties);
    return r < 0 ? r : encode(&properties, ret, ret_size);
}

static int take_record(struct udev_word *word, const struct udev_inside_source *source,
                       const struct udev_inside *inside)
{
    char id[UDEV_RECORD_ID_MAX], text[UDEV_RECORD_MAX];
    struct device seen = *source->device; /* no more than the record's name needs */
    if (source->ifindex)
        seen.ifindex = source->ifindex;
    if (udev_record_id(&seen, id) < 0)
        return 0;
    int r = udev_record_print(&inside->record, text, sizeof(text));
    if (r < 0)
        return r;
    word->id = strdup(id);
    word->record = strdup(text);
    return word->id && word->record ? 0 : -ENOMEM;
}

static int fill(struct udev_word *word, const struct udev_inside_source *source,
                struct udev_inside *inside, uint64_t seqnum)
{
    const char *devpath = property_get(&inside->kernel, "DEVPATH");
    word->devpath = devpath ? strdup(devpath) : NULL;
    if (!word->devpath)
        return -ENOMEM;
    int r = take_record(word, source, inside);
    if (r == 0)
        r = tell(inside, word->action, seqnum, &word->message, &word->message_size);
    property_list_done(&inside->moment);
    if (r == 0)
        r = tell(inside, UEVENT_REMOVE, seqnum, &word->removal, &word->removal_size);
    return r;
}

int udev_word_new(const struct udev_inside_source *source, enum uevent_action action,
                  uint64_t seqnum, struct udev_word **ret, struct refusal *why)
{
    _cleanup_(udev_inside_done) struct udev_inside inside = {0};
    _cleanup_udev_word_ struct udev_word *word = calloc(1, sizeof(*word));
    int r = word ? udev_inside_init(source, &inside) : -ENOMEM;
    if (r < 0)
        return refuse(why, -r, "no memory for what udev says");
    word->action = action;
    r = fill(word, source, &inside, seqnum);
    if (r < 0)
        return refuse(why, -r, "what udev says of %s cannot be told inside: %s",
                      source->device->devpath,
                      r == -EMSGSIZE ? "it is too long for libudev" : strerror(-r));
    *ret = TAKE_PTR(word);
    return 0;
}

/* The removal with one property replaced. */
static int change_removal(const struct udev_word *word, const char *key, const char *value,
                          char **ret, size_t *ret_size)
{
    _cleanup_(property_list_done) struct property_list properties = {0};
    int r = udev_message_decode(word->removal, word->removal_size, &properties, NULL);
    if (r == 0)
        r = property_set(&properties, key, value);
    return r < 0 ? r : encode(&properties, ret, ret_size);
}

int udev_word_end(const struct udev_word *word, uint64_t seqnum, struct udev_word **ret)
{
    _cleanup_udev_word_ struct udev_word *end = calloc(1, sizeof(*end));
    char number[24];

    if (!end)
        return -ENOMEM;
    snprintf(number, sizeof(number), "%" PRIu64, seqnum);
    end->action = UEVENT_REMOVE;
    end->devpath = strdup(word->devpath);
    if (!end->devpath)
        return -ENOMEM;
    int r = change_removal(word, "SEQNUM", number, &end->message, &end->message_size);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(end);
    return 0;
}

void udev_word_move(struct udev_word *word, const char *devpath)
{
    _cleanup_free_ char *copy = strdup(devpath), *removal = NULL;
    size_t size;
    if (!copy || change_removal(word, "DEVPATH", devpath, &removal, &size) < 0)
        return;
    free(word->devpath);
    free(word->removal);
    word->devpath = TAKE_PTR(copy);
    word->removal = TAKE_PTR(removal);
    word->removal_size = size;
}

bool udev_word_same_record(const struct udev_word *a, const struct udev_word *b)
{
    return streq_null(a->id, b->id) && streq_null(a->record, b->record);
}
