/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <endian.h>
#include <errno.h>
#include <stdio.h>

#include "engine_bench.h"

/*
 * What a real kernel said (tests/data/captures), for a container that is given everything. A record
 * of a capture is {u32 size, u32 group, u64 time} in little endian, then the message. The steps are
 * in tests/data/golden; DEVOLVE_WRITE_GOLDEN=1 writes them anew, for a look by eye.
 */

#define EVERYTHING                                                                                 \
    "SUBSYSTEM==\"?*\", CONTAINER+=\"c1\", OPTIONS+=\"dangerous\"\n"                               \
    "SUBSYSTEM==\"net\", OPTIONS+=\"no_node\"\n"
#define DATA_MAX 131072

/* Whole captures: what came has gone in the end. */
static const char *const scenarios[] = {"usb-serial", "usb-storage-partitioned",
                                        "usb-kbd",    "net-rename",
                                        "net-veth",   "cpu-offline-online"};

static FILE *open_data(const char *directory, const char *scenario, const char *suffix,
                       const char *mode)
{
    const char *source = getenv("srcdir"); /* automake's, where the build is elsewhere */
    char path[4096];
    snprintf(path, sizeof(path), "%s/tests/data/%s/%s%s", source ? source : ".", directory,
             scenario, suffix);
    FILE *file = fopen(path, mode);
    if (!file)
        fail_msg("%s: %s", path, strerror(errno));
    return file;
}

static size_t read_data(const char *directory, const char *scenario, const char *suffix, char *out)
{
    FILE *file = open_data(directory, scenario, suffix, "re");
    size_t length = fread(out, 1, DATA_MAX - 1, file);
    fclose(file);
    out[length] = '\0';
    return length;
}

/* A device's uevent file has what its events have, but for what is of the event alone. */
static void uevent_file_of(const struct uevent *event, char *out, size_t size)
{
    static const char *const of_the_event[] = {
        "ACTION=", "DEVPATH=", "DEVPATH_OLD=", "SUBSYSTEM=", "SEQNUM=", "SYNTH_"};
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

/* Makes the fake sysfs agree with what the kernel says. */
static void follow(struct fake_world *fake, const struct uevent *event)
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
}

/* Replays a capture; *heard gets a line for each event, as the recording door would write it. */
static void replay(struct bench *bench, const char *scenario, char *heard)
{
    static char data[DATA_MAX];
    size_t length = read_data("captures", scenario, "/kernel.cap", data), used = 0;
    struct uevent event;
    uint32_t size;

    *heard = '\0';
    for (size_t at = 0; at + 16 <= length; at += 16 + size) {
        memcpy(&size, data + at, sizeof(size));
        size = le32toh(size);
        assert_true(at + 16 + size <= length);
        assert_int_equal(uevent_parse(&event, data + at + 16, size, NULL), 0);
        follow(&bench->fake, &event);
        assert_int_equal(world_apply(delegation_world(bench->delegation), &event), 0);
        used += (size_t)snprintf(heard + used, DATA_MAX - used, "c1 event %s %s\n",
                                 uevent_action_name(event.action), uevent_get(&event, "DEVPATH"));
        assert_true(used < DATA_MAX);
    }
}

static void a_capture_becomes_the_same_steps_as_ever(void **state)
{
    static char heard[DATA_MAX], golden[DATA_MAX];
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
        void *fresh;
        bench_setup(&fresh);
        struct bench *bench = fresh;
        bench_rules(bench, EVERYTHING);
        bench_register(bench, "c1", 1);
        replay(bench, scenarios[i], heard);
        if (getenv("DEVOLVE_WRITE_GOLDEN")) {
            FILE *file = open_data("golden", scenarios[i], ".steps", "we");
            fputs(bench->door.log, file);
            fclose(file);
        }
        read_data("golden", scenarios[i], ".steps", golden);
        assert_string_equal(bench->door.log, golden);
        bench_teardown(&fresh);
    }
}

/* Leaves of a log the lines about events. */
static void keep_events(char *log)
{
    char *to = log;
    for (char *line = log, *end; *line; line = end) {
        end = strchr(line, '\n') + 1;
        if (!after_prefix(line, "c1 event "))
            continue;
        memmove(to, line, (size_t)(end - line));
        to += end - line;
    }
    *to = '\0';
}

static void all_that_the_kernel_says_is_told_once_and_in_order(void **state)
{
    static char heard[DATA_MAX];
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
        void *fresh;
        if (streq(scenarios[i], "cpu-offline-online"))
            continue; /* its devices were there before, unknown to us: they are added first */
        bench_setup(&fresh);
        struct bench *bench = fresh;
        bench_rules(bench, EVERYTHING);
        bench_register(bench, "c1", 1);
        replay(bench, scenarios[i], heard);
        keep_events(bench->door.log);
        assert_string_equal(bench->door.log, heard);
        bench_expect_nothing(bench);
        bench_teardown(&fresh);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_capture_becomes_the_same_steps_as_ever),
        cmocka_unit_test(all_that_the_kernel_says_is_told_once_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
