/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the tests of rules judge: a serial adapter below its USB device, from the leaf up, as
 * `udevadm info -a` walks it, and a net device; for the container "web1", labelled tier=front.
 */

#include "model/rule_match.h"

#define HOST "/devices/pci0000:00/0000:00:14.0"
#define STICK HOST "/usb1/1-2"
#define INTERFACE STICK "/1-2:1.0"

#define GIVE ", CONTAINER+=\"web1\"\n"
#define TTY "KERNEL==\"ttyUSB0\", CONTAINER+=\"web1\", "

enum {
    SCENE_LEAF = 0, /* ttyUSB0 */
    SCENE_INTERFACE = 2,
    SCENE_STICK = 3, /* 10c4:ea60 */
    SCENE_NET = 6,   /* veth7, of no parent */
    SCENE_DEVICES,
};

struct scene {
    struct device *devices[SCENE_DEVICES];
    struct device_source source;
};

struct text {
    char bytes[4096];
    size_t length;
};

/* Set-up and tear-down of a group or test, whose state is a struct scene. */
int scene_make(void **state);
int scene_free(void **state);

/* The set of one file "t" without an error, or the test fails. */
struct rule_set *scene_parse(const char *sentence, const char *rules_text);

/* Appends the share as "given t:1 node=/dev/a owner=1 ...": only what was said. */
void scene_describe(struct text *text, const struct share *share);

/* Appends the share of a device; and to `trace`, where it is not NULL, a line for each rule. */
void scene_judge(const struct rule_set *rules, struct device *device, struct text *trace,
                 struct text *ret);
