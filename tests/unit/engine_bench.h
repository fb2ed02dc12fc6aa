/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The engine between a fake world and a recording door: what tests of the delegation stand on.
 * Include it behind cmocka.h.
 */

#include "engine/delegation.h"
#include "fake_world.h"
#include "recording_door.h"

struct bench {
    struct fake_world fake;
    struct recording_door door;
    struct observer observer;
    struct delegation *delegation;
    char *heard; /* what the observer heard of containers and outcomes, a line each */
};

/* cmocka's setup and teardown: *state is the bench. */
int bench_setup(void **state);
int bench_teardown(void **state);

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

/* Puts rules in force; what is no rule fails the test. */
void bench_rules(struct bench *bench, const char *text);

struct container *bench_register(struct bench *bench, const char *name, pid_t pid);

/* Plugs a device in, or unplugs it, and lets the kernel say so. */
void bench_plug(struct bench *bench, const char *devpath, const char *subsystem,
                const char *uevent);
void bench_unplug(struct bench *bench, const char *devpath);

/* One event of a device as it is now; `extra` as for fake_event(). */
int bench_event(struct bench *bench, const char *action, const char *devpath, const char *extra);

/* What was done since the last look: one line a step. */
void bench_expect(struct bench *bench, const char *steps);
void bench_forget(struct bench *bench);

struct delivery *bench_delivery(struct bench *bench, const char *container, const char *devpath);

/* Nothing of anybody is there, inside or in the store. */
void bench_expect_nothing(struct bench *bench);

/* One node is there, open and complete. */
void bench_expect_one(struct bench *bench);

/* A serial port on USB, which most tests use. */
#define TTY "/devices/pci0/usb1/1-1/1-1:1.0/ttyUSB0"
#define TTY_UEVENT "MAJOR=188\nMINOR=0\nDEVNAME=ttyUSB0\n"
#define TTY_RULE "SUBSYSTEM==\"tty\", CONTAINER+=\"c*\", GROUP=\"20\", MODE=\"0660\"\n"
#define GIVEN_STEPS(c)                                                                             \
    c " node-make /dev/ttyUSB0 c 188:0 owner 0:20 mode 0660\n" c " node-attach /dev/ttyUSB0\n" c   \
      " access-allow c 188:0 rw\n" c " event add " TTY "\n"
#define CUT_STEPS(c) c " access-deny c 188:0 rw\n" c " node-revoke /dev/ttyUSB0\n"
#define TAKEN_STEPS(c)                                                                             \
    c " node-detach /dev/ttyUSB0\n" c " node-destroy /dev/ttyUSB0\n" c " event remove " TTY "\n"
