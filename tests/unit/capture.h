/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a real kernel and a real udevd said (tests/data/captures, tests/data/captures-udev), and the
 * files that say what comes of it. Include it behind cmocka.h. All of these fail the test where
 * they cannot.
 *
 * A capture is records of {u32 size, u32 group, u64 time} in little endian, then the message. The
 * group is that of netlink: 1 the kernel, 2 udev; 0 is the name of the scenario that follows. The
 * time is CLOCK_MONOTONIC when the message was heard, in ns.
 */

#include "fake_world.h"

enum capture_group { CAPTURE_SCENARIO = 0, CAPTURE_KERNEL = 1, CAPTURE_UDEV = 2 };

/* A whole file of tests/data; with a NUL behind its end. */
struct capture {
    char *bytes;
    size_t size;
};

struct capture_record {
    enum capture_group group;
    uint64_t time;
    const char *bytes; /* in the capture */
    size_t size;
};

/* `name` is below tests/data. */
void capture_load(struct capture *ret, const char *name);
void capture_done(struct capture *capture);

/* The record at *position (0 to begin with), which moves on; false behind the last. */
bool capture_next(const struct capture *capture, size_t *position, struct capture_record *ret);

/* Where the records of a scenario begin in a capture of several. */
size_t capture_find(const struct capture *capture, const char *scenario);

/* Makes the fake sysfs agree with what the kernel says. */
void capture_follow(struct fake_world *fake, const struct uevent *event);

/*
 * Compares `got` with tests/data/golden/NAME. With DEVOLVE_WRITE_GOLDEN=1 in the environment it is
 * written there instead, for a look by eye.
 */
void capture_expect_golden(const char *name, const char *got);
