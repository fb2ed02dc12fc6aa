/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <endian.h>
#include <errno.h>
#include <stdio.h>

#include "capture.h"

static FILE *open_data(const char *name, const char *mode)
{
    const char *source = getenv("srcdir"); /* automake's, where the build is elsewhere */
    char path[4096];
    snprintf(path, sizeof(path), "%s/tests/data/%s", source ? source : ".", name);
    FILE *file = fopen(path, mode);
    if (!file)
        fail_msg("%s: %s", path, strerror(errno));
    return file;
}

void capture_load(struct capture *ret, const char *name)
{
    FILE *file = open_data(name, "re");
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    assert_true(size >= 0);
    rewind(file);
    ret->size = (size_t)size;
    ret->bytes = calloc(1, ret->size + 1);
    assert_non_null(ret->bytes);
    assert_int_equal(fread(ret->bytes, 1, ret->size, file), ret->size);
    fclose(file);
}

void capture_done(struct capture *capture)
{
    free(capture->bytes);
    *capture = (struct capture){0};
}

bool capture_next(const struct capture *capture, size_t *position, struct capture_record *ret)
{
    struct {
        uint32_t size, group;
        uint64_t time;
    } head;

    if (*position == capture->size)
        return false;
    assert_true(capture->size - *position >= sizeof(head));
    memcpy(&head, capture->bytes + *position, sizeof(head));
    *ret = (struct capture_record){.group = le32toh(head.group),
                                   .time = le64toh(head.time),
                                   .bytes = capture->bytes + *position + sizeof(head),
                                   .size = le32toh(head.size)};
    assert_true(ret->size <= capture->size - *position - sizeof(head));
    *position += sizeof(head) + ret->size;
    return true;
}

size_t capture_find(const struct capture *capture, const char *scenario)
{
    struct capture_record record;
    size_t position = 0, length = strlen(scenario);
    while (capture_next(capture, &position, &record))
        if (record.group == CAPTURE_SCENARIO && record.size == length &&
            memcmp(record.bytes, scenario, length) == 0)
            return position;
    fail_msg("no scenario %s was captured", scenario);
    return 0;
}

/* A device's uevent file has what its events have, but for what is of the event alone. */
static void uevent_file_of(const struct uevent *event, char *out, size_t size)
{
    static const char *const of_the_event[] = {
        "ACTION=",  "DEVPATH=", "DEVPATH_OLD=", "SUBSYSTEM=", "SEQNUM=",           "SYNTH_",
        "TRIGGER=", "HOTPLUG=", "CONNECTOR=",   "SDEV_UA=",   "DISK_MEDIA_CHANGE="};
    size_t used = 0;
    *out = '\0';
    for (size_t i = 0; i < event->property_count; i++) {
        const char *property = event->text + event->properties[i];
        bool left_out = false;
        for (size_t k = 0; k < ARRAY_SIZE(of_the_event); k++)
            left_out |= after_prefix(property, of_the_event[k]) != NULL;
        if (!left_out)
            used += (size_t)snprintf(out + used, size - used, "%s\n", property);
        assert_true(used < size);
    }
}

/* Attributes are in no event, but those of a USB device's descriptor that PRODUCT has too. */
static void set_usb_ids(struct fake_device *device, const struct uevent *event)
{
    const char *devtype = uevent_get(event, "DEVTYPE"), *product = uevent_get(event, "PRODUCT");
    unsigned vendor, model;
    char text[8];
    if (!devtype || !streq(devtype, "usb_device") || !product ||
        sscanf(product, "%x/%x/", &vendor, &model) != 2)
        return;
    snprintf(text, sizeof(text), "%04x", vendor & 0xffff);
    fake_set_attribute(device, "idVendor", text);
    snprintf(text, sizeof(text), "%04x", model & 0xffff);
    fake_set_attribute(device, "idProduct", text);
}

void capture_follow(struct fake_world *fake, const struct uevent *event)
{
    const char *devpath = uevent_get(event, "DEVPATH");
    char text[UEVENT_TEXT_MAX];
    if (event->action == UEVENT_REMOVE) {
        fake_unplug(fake, devpath);
        return;
    }
    if (event->action == UEVENT_MOVE)
        fake_move(fake, uevent_get(event, "DEVPATH_OLD"), devpath);
    uevent_file_of(event, text, sizeof(text));
    struct fake_device *device = fake_find(fake, devpath);
    if (event->action == UEVENT_ADD || !device)
        device = fake_plug(fake, devpath, uevent_get(event, "SUBSYSTEM"), text);
    else
        fake_set_text(&device->uevent, text);
    fake_set_text(&device->driver, uevent_get(event, "DRIVER"));
    set_usb_ids(device, event);
}

void capture_expect_golden(const char *name, const char *got)
{
    struct capture golden;
    char path[256];
    snprintf(path, sizeof(path), "golden/%s", name);
    if (getenv("DEVOLVE_WRITE_GOLDEN")) {
        FILE *file = open_data(path, "we");
        fputs(got, file);
        fclose(file);
    }
    capture_load(&golden, path);
    assert_string_equal(got, golden.bytes);
    capture_done(&golden);
}
