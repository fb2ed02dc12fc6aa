/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the rules (or an `attach` by hand) say one container gets of one device, in the rules' own
 * terms: names and ids as seen inside. grant.h has the same with all questions answered.
 */

#include <sys/types.h>

#include "model/property.h"

#define SHARE_SYMLINKS_MAX 32
#define SHARE_LINK_PRIORITY_MAX 1000000 /* and as much below 0 */

#define SHARE_FROM_UDEV "udev" /* rule_file where udev's rules gave it: devolve_properties.h */

enum share_access { ACCESS_READ = 1, ACCESS_WRITE = 2, ACCESS_MKNOD = 4 };

enum share_option {
    OPTION_SUBTREE = 1 << 0,
    OPTION_EXCLUSIVE = 1 << 1,
    OPTION_NO_NODE = 1 << 2,
    OPTION_NO_EVENT = 1 << 3,
    OPTION_DANGEROUS = 1 << 4,
};

struct share {
    bool given;      /* whether the container gets the device at all */
    bool waits;      /* udev has not told of the device yet, and what it tells may change this */
    char *node;      /* absolute, below /dev; NULL: the kernel's DEVNAME */
    char *name;      /* of a net device inside; NULL: its own */
    char *owner;     /* decimal number or name in the container's passwd; NULL: 0 */
    char *group;     /* decimal number or name in the container's group file; NULL: 0 */
    int mode;        /* 0..07777, or -1: the default of grant.h */
    unsigned access; /* of enum share_access; 0: the default, rw */
    unsigned options;
    char *symlinks[SHARE_SYMLINKS_MAX]; /* absolute, below /dev */
    size_t symlink_count;
    int link_priority;        /* of several devices that want one link, the highest has it */
    struct property_list env; /* ENV{}: properties added to the events inside */
    char *rule_file;          /* where the line is that gave it: base name, "attach", "udev" */
    unsigned rule_line;
};

/* Frees the content; the share is empty then: nothing given, mode -1. */
void share_done(struct share *share);

/* Fills `to`, which holds nothing yet, with copies of all there is. Returns 0 or -ENOMEM (untouched
 * then). */
int share_copy(struct share *to, const struct share *from);

/*
 * These take a path below /dev, written with /dev/ or without; what lies elsewhere is kept as it
 * is, for grant.h to refuse by name. They return 0 or -ENOMEM (as before).
 */
int share_set_node(struct share *share, const char *path);

/* One that is there already moves to the end; one too many is left out. */
int share_add_symlink(struct share *share, const char *path, size_t length);

int share_drop_symlink(struct share *share, const char *path, size_t length);

void share_clear_symlinks(struct share *share);
