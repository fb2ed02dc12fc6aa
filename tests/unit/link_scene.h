/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Three serial ports that want one link, /dev/stick, in the container c1. Include it behind
 * cmocka.h.
 */

#include "engine_bench.h"

/* Their devpaths, from 1. */
extern const char *const ports[];
#define PORTS 3

#define RULE(kernel, priority)                                                                     \
    "KERNEL==\"" kernel                                                                            \
    "\", CONTAINER+=\"c1\", SYMLINK+=\"stick\", OPTIONS+=\"link_priority=" priority "\"\n"
#define RULES(first, second, third) RULE("ttyS1", first) RULE("ttyS2", second) RULE("ttyS3", third)

/* What is seen of port N, whose number is 4:6N. */
#define LINKED(n) "c1 link-make /dev/stick -> /dev/ttyS" n "\n"
#define LINKED_LATER(n) "c1 link-make /dev/stick -> /dev/ttyS" n " ...\n"
#define UNLINKED(n) "c1 link-remove /dev/stick -> /dev/ttyS" n "\n"
#define GIVEN(n, link)                                                                             \
    "c1 node-make /dev/ttyS" n " c 4:6" n " owner 0:0 mode 0600\nc1 node-attach /dev/ttyS" n       \
    "\n" link "c1 access-allow c 4:6" n " rw\nc1 event add /devices/ttyS" n "\n"
#define CUT(n) "c1 access-deny c 4:6" n " rw\nc1 node-revoke /dev/ttyS" n "\n"
#define TAKEN(n, link)                                                                             \
    link "c1 node-detach /dev/ttyS" n "\nc1 node-destroy /dev/ttyS" n                              \
         "\nc1 event remove /devices/ttyS" n "\n"

void plug(struct bench *bench, int n);

/* Puts rules in force and registers c1, which has nothing yet. */
void begin(struct bench *bench, const char *rules);

/* Everything that is there is delivered; this port alone, or none (0), has the link. */
void expect_holder(struct bench *bench, int holder);

/* What `explain` says that a port yields, whatever is under way. */
void expect_explained(struct bench *bench, int n, uint32_t yielded);
