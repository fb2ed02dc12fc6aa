/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/saved.h"

#include <errno.h>
#include <limits.h>

#include "engine/delegation_state.h"
#include "model/json_field.h"
#include "model/path.h"
#include "model/saved_grant.h"

static void report(struct container *container, const struct refusal *why)
{
    delegation_note(container, "cannot be noted for a restart of devolved", why);
}

/* --- the container --- */

static json_t *format_attachment(const struct attachment *attachment)
{
    struct json_writer writer = json_writer_new();
    json_write_text(&writer, "devpath", attachment->devpath);
    json_write_number(&writer, "inode", attachment->inode);
    json_write_take(&writer, "share", saved_share_format(&attachment->share));
    return json_writer_take(&writer);
}

static json_t *format_attachments(const struct container *container)
{
    json_t *array = json_array();
    for (const struct attachment *a = container->attachments; a; a = a->next)
        json_append_take(&array, format_attachment(a));
    return array;
}

static json_t *format_container(const struct container *container)
{
    struct json_writer writer = json_writer_new();
    json_write_properties(&writer, "labels", &container->labels);
    json_write_take(&writer, "attachments", format_attachments(container));
    json_write_flag(&writer, "has_udevd", container->has_udevd);
    json_write_flag(&writer, "marked_udev", container->marked[PLACE_MARK_UDEV]);
    json_write_flag(&writer, "marked_usb", container->marked[PLACE_MARK_USB]);
    return json_writer_take(&writer);
}

void saved_note_container(struct container *container)
{
    const struct door *door = container->delegation->door;
    struct refusal why = {.error = 0};
    if (door->place_note(door->userdata, container->place, format_container(container), &why) < 0)
        report(container, &why);
}

static int read_attachment(struct container *container, const json_t *json)
{
    struct json_reader reader = json_reader_of(json);
    _cleanup_free_ char *devpath = json_read_text(&reader, "devpath");
    uint64_t inode = json_read_number(&reader, "inode", INT64_MAX);
    const json_t *share = json_read_object(&reader, "share");
    if (reader.error)
        return reader.error;
    if (!devpath || !path_is_devpath(devpath) || inode == 0 || !share)
        return -EBADMSG;
    _cleanup_free_ struct attachment *attachment = calloc(1, sizeof(*attachment));
    int r = attachment ? saved_share_parse(share, &attachment->share) : -ENOMEM;
    if (r < 0)
        return r;
    attachment->devpath = TAKE_PTR(devpath);
    attachment->inode = inode;
    attachment->next = container->attachments;
    container->attachments = TAKE_PTR(attachment);
    return 0;
}

int saved_read_container(struct container *container, const json_t *json)
{
    struct json_reader reader = json_reader_of(json);
    json_read_properties(&reader, "labels", &container->labels);
    const json_t *attachments = json_read_array(&reader, "attachments");
    container->has_udevd = json_read_flag(&reader, "has_udevd");
    container->marked[PLACE_MARK_UDEV] = json_read_flag(&reader, "marked_udev");
    container->marked[PLACE_MARK_USB] = json_read_flag(&reader, "marked_usb");
    int r = reader.error;
    for (size_t i = json_array_size(attachments); r == 0 && i-- > 0;)
        r = read_attachment(container, json_array_get(attachments, i));
    return r;
}

/* --- a delivery --- */

/* What is told of a device that is being given is told in the end, or may have been. */
static void write_announcement(struct json_writer *writer, const struct delivery *delivery,
                               const struct job *job)
{
    char message[UEVENT_INJECT_MAX];
    bool giving = job && job->kind == JOB_GIVE && job->event;
    int size = giving ? uevent_serialise(job->event, message, sizeof(message), NULL) : 0;
    if (size > 0)
        json_write_bytes(writer, "announcement", message, (size_t)size);
    else
        json_write_bytes(writer, "announcement", delivery->announcement,
                         delivery->announcement_size);
}

/* Of a record that is being written only where it is is certain. */
static void write_word(struct json_writer *writer, const struct delivery *delivery,
                       const struct job *job)
{
    bool describing = job && job->kind == JOB_DESCRIBE;
    const struct udev_word *word = describing ? job->word : delivery->word;
    if (!word)
        return;
    json_write_take(writer, "word", saved_word_format(word));
    json_write_flag(writer, "recorded", delivery->recorded && !describing);
    json_write_flag(writer, "udev_told", delivery->udev_told);
}

/* Whether a successor can go on with it: what a job only tells, or describes, can be done again. */
static bool is_certain(const struct delivery *delivery, const struct job *job)
{
    return delivery->state == DELIVERY_DELIVERED &&
           (!job || job->kind == JOB_DESCRIBE || job->kind == JOB_HAND_OVER);
}

static json_t *format_delivery(const struct delivery *delivery, const struct job *job)
{
    struct json_writer writer = json_writer_new();
    json_write_flag(&writer, "certain", is_certain(delivery, job));
    json_write_take(&writer, "grant", saved_grant_format(delivery->grant));
    json_write_flag(&writer, "identified", delivery->identified);
    json_write_number(&writer, "uid", delivery->uid);
    json_write_number(&writer, "gid", delivery->gid);
    json_write_number(&writer, "ifindex", (uint64_t)delivery->ifindex);
    write_announcement(&writer, delivery, job);
    write_word(&writer, delivery, job);
    json_write_number(&writer, "described_us", delivery->described_us);
    json_write_flag(&writer, "handed_over", delivery->handed_over);
    return json_writer_take(&writer);
}

void saved_note_delivery(struct delivery *delivery, const struct job *job)
{
    struct container *container = delivery->container;
    const struct door *door = container->delegation->door;
    struct refusal why = {.error = 0};
    if (!delivery->item)
        return;
    if (door->item_note(door->userdata, container->place, delivery->item,
                        format_delivery(delivery, job), &why) < 0)
        report(container, &why);
}

int saved_read_grant(const json_t *json, struct grant **ret)
{
    return saved_grant_parse(json_object_get(json, "grant"), ret);
}

int saved_read_delivery(struct delivery *delivery, const json_t *json, bool *ret_certain)
{
    struct json_reader reader = json_reader_of(json);
    *ret_certain = json_read_flag(&reader, "certain");
    delivery->identified = json_read_flag(&reader, "identified");
    delivery->uid = (uint32_t)json_read_number(&reader, "uid", UINT32_MAX);
    delivery->gid = (uint32_t)json_read_number(&reader, "gid", UINT32_MAX);
    delivery->ifindex = (int)json_read_number(&reader, "ifindex", INT_MAX);
    delivery->announcement = json_read_bytes(&reader, "announcement", &delivery->announcement_size);
    delivery->recorded = json_read_flag(&reader, "recorded");
    delivery->udev_told = json_read_flag(&reader, "udev_told");
    delivery->described_us = json_read_number(&reader, "described_us", INT64_MAX);
    delivery->handed_over = json_read_flag(&reader, "handed_over");
    const json_t *word = json_read_object(&reader, "word");
    if (reader.error)
        return reader.error;
    int r = word ? saved_word_parse(word, &delivery->word) : 0;
    if (r == 0 && word && !delivery->recorded && delivery->word->record)
        delivery->word->record[0] = '\0'; /* so that any other is another, and is written */
    return r;
}
