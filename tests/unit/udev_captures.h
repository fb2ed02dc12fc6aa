/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a real udevd 252 said and wrote on two kernels: tests/data/captures-udev/KERNEL.cap has its
 * messages and KERNEL.records its records, with sysfs as it was then.
 *
 * A .cap is {u32 size, u32 group, u64 time} in little endian, then as many bytes. Group 2 is a
 * message of udev's; group 0 names the scenario whose messages follow. A .records is text: under
 * "== SCENARIO record ID" a record, under "== SCENARIO sysfs DEVPATH" a uevent file of sysfs.
 */

#include "base/util.h"

#define UDEV_CAPTURES_SCENARIO_MAX 64

struct udev_captures {
    const char *kernel; /* "6.1" */
    char *messages;     /* the .cap */
    size_t messages_size;
    char *texts; /* the .records, NUL-terminated */
};

/* The kernels there are captures of. */
extern const char *const udev_captures_kernels[2];

/* These fail the test where something is wrong with the files. */
void udev_captures_load(const char *kernel, struct udev_captures *ret);
void udev_captures_done(struct udev_captures *captures);

struct udev_captures_message {
    char scenario[UDEV_CAPTURES_SCENARIO_MAX];
    const void *bytes;
    size_t size;
};

/* The message behind *position (0 to begin with), which moves on; false behind the last. */
bool udev_captures_next_message(const struct udev_captures *captures, size_t *position,
                                struct udev_captures_message *message);

struct udev_captures_text {
    char scenario[UDEV_CAPTURES_SCENARIO_MAX];
    char name[256]; /* the record's ID, or the devpath */
    const char *text;
    size_t size;
};

/* The next text of a kind ("record", "sysfs") likewise. */
bool udev_captures_next_text(const struct udev_captures *captures, const char *kind,
                             size_t *position, struct udev_captures_text *ret);
