/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>

#include "fake_world.h"

static void free_device(struct fake_device *device)
{
    free(device->devpath);
    free(device->subsystem);
    free(device->driver);
    free(device->uevent);
    property_list_done(&device->attributes);
    property_list_done(&device->notes);
    free(device);
}

void fake_world_done(struct fake_world *fake)
{
    for (size_t i = 0; i < fake->count; i++)
        free_device(fake->devices[i]);
    free(fake->devices);
    *fake = (struct fake_world){.count = 0};
}

struct fake_device *fake_find(const struct fake_world *fake, const char *devpath)
{
    for (size_t i = 0; i < fake->count; i++)
        if (streq(fake->devices[i]->devpath, devpath))
            return fake->devices[i];
    return NULL;
}

void fake_set_text(char **text, const char *value)
{
    char *copy = value ? strdup(value) : NULL;
    free(*text);
    *text = copy;
}

void fake_set_attribute(struct fake_device *device, const char *name, const char *value)
{
    assert_int_equal(property_set(&device->attributes, name, value), 0);
}

void fake_set_note(struct fake_device *device, const char *key, const char *value)
{
    assert_int_equal(property_set(&device->notes, key, value), 0);
}

/* What follows `devpath` where `path` is it or below it, else NULL. */
static const char *within(const char *path, const char *devpath)
{
    const char *rest = after_prefix(path, devpath);
    return rest && (!*rest || *rest == '/') ? rest : NULL;
}

static void take_out(struct fake_world *fake, size_t at)
{
    free_device(fake->devices[at]);
    fake->devices[at] = fake->devices[--fake->count];
}

void fake_unplug(struct fake_world *fake, const char *devpath)
{
    for (size_t i = fake->count; i > 0; i--)
        if (within(fake->devices[i - 1]->devpath, devpath))
            take_out(fake, i - 1);
}

struct fake_device *fake_plug(struct fake_world *fake, const char *devpath, const char *subsystem,
                              const char *uevent)
{
    for (size_t i = fake->count; i > 0; i--)
        if (streq(fake->devices[i - 1]->devpath, devpath))
            take_out(fake, i - 1);
    struct fake_device *device = calloc(1, sizeof(*device));
    assert_non_null(device);
    device->inode = ++fake->last_inode;
    fake_set_text(&device->devpath, devpath);
    fake_set_text(&device->subsystem, subsystem);
    fake_set_text(&device->uevent, uevent);

    fake->devices = reallocarray(fake->devices, fake->count + 1, sizeof(struct fake_device *));
    assert_non_null(fake->devices);
    fake->devices[fake->count++] = device;
    return device;
}

void fake_move(struct fake_world *fake, const char *devpath, const char *to)
{
    for (size_t i = 0; i < fake->count; i++) {
        const char *rest = within(fake->devices[i]->devpath, devpath);
        char *moved;
        if (!rest)
            continue;
        assert_true(asprintf(&moved, "%s%s", to, rest) > 0);
        free(fake->devices[i]->devpath);
        fake->devices[i]->devpath = moved;
    }
}

static int fake_read(void *userdata, const char *devpath, const struct device_source *source,
                     struct device **ret)
{
    struct fake_world *fake = userdata;
    struct fake_device *found = fake_find(fake, devpath);
    if (!found)
        return 0;
    if (found->read_error && found->good_reads == 0)
        return found->read_error;
    found->good_reads -= found->good_reads > 0;
    int r = device_new(devpath, found->subsystem, found->driver, found->uevent, found->inode,
                       source, ret);
    return r < 0 ? r : 1;
}

static int fake_enumerate(void *userdata, int (*on_devpath)(void *, const char *),
                          void *on_userdata)
{
    struct fake_world *fake = userdata;
    size_t end = fake->enumerate_error ? fake->count / 2 : fake->count;
    for (size_t i = 0; i < end; i++)
        if (!fake->devices[i]->hidden) {
            int r = on_devpath(on_userdata, fake->devices[i]->devpath);
            if (r < 0)
                return r;
        }
    return fake->enumerate_error;
}

static int fake_read_udev(void *userdata, const struct device *device, struct udev_view *ret)
{
    const struct fake_world *fake = userdata;
    const struct fake_device *found = fake_find(fake, device->devpath);
    if (fake->udevd == FAKE_UDEVD_NONE)
        return 0;
    if (fake->udevd == FAKE_UDEVD_BUSY)
        return -EAGAIN;
    int r = found ? property_merge(&ret->properties, &found->notes) : 0;
    return r < 0 ? r : 1;
}

static uint64_t fake_read_seqnum(void *userdata)
{
    const struct fake_world *fake = userdata;
    return fake->seqnum;
}

static bool fake_has_udev(void *userdata)
{
    const struct fake_world *fake = userdata;
    return fake->udevd != FAKE_UDEVD_NONE;
}

static int fake_read_attribute(void *userdata, const struct device *device, const char *name,
                               char **ret)
{
    const struct fake_device *found = fake_find(userdata, device->devpath);
    const char *value = found ? property_get(&found->attributes, name) : NULL;
    if (!value)
        return 0;
    *ret = strdup(value);
    return *ret ? 1 : 0;
}

struct world_source fake_world_source(struct fake_world *fake)
{
    return (struct world_source){.read = fake_read,
                                 .enumerate = fake_enumerate,
                                 .read_attribute = fake_read_attribute,
                                 .read_udev = fake_read_udev,
                                 .read_seqnum = fake_read_seqnum,
                                 .has_udev = fake_has_udev,
                                 .userdata = fake};
}

void fake_event(const struct fake_world *fake, const char *action, const char *devpath,
                const char *extra, struct uevent *ret)
{
    char text[4096];
    const struct fake_device *device = fake_find(fake, devpath);
    int size = snprintf(
        text, sizeof(text), "%s@%s|ACTION=%s|DEVPATH=%s|SUBSYSTEM=%s%s%s%s%s%s", action, devpath,
        action, devpath, device && device->subsystem ? device->subsystem : "none",
        device && *device->uevent ? "|" : "", device ? device->uevent : "", extra ? "|" : "",
        extra ? extra : "", extra && strstr(extra, "SEQNUM=") ? "" : "|SEQNUM=1");
    assert_in_range(size, 1, sizeof(text) - 1);
    for (char *p = text; *p; p++)
        if (*p == '\n' && p[1] == '|')
            memmove(p, p + 1, strlen(p));
    size = (int)strlen(text);
    for (char *p = text; p < text + size; p++)
        if (*p == '|' || *p == '\n')
            *p = '\0';
    assert_int_equal(uevent_parse(ret, text, (size_t)size + 1, NULL), 0);
}
