/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the rules (or an `attach` by hand) say one container gets of one device, in the rules' own
 * terms: names and ids as seen inside. grant.h has the same with all questions answered.
 */

#include <sys/types.h>

#include "model/property.h"

#define SHARE_SYMLINKS_MAX 32

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
    char *node;      /* absolute, below /dev; NULL: the kernel's DEVNAME */
    char *owner;     /* decimal number or name in the container's passwd; NULL: 0 */
    char *group;     /* decimal number or name in the container's group file; NULL: 0 */
    int mode;        /* 0..07777, or -1: the default of grant.h */
    unsigned access; /* of enum share_access; 0: the default, rw */
    unsigned options;
    char *symlinks[SHARE_SYMLINKS_MAX]; /* absolute, below /dev */
    size_t symlink_count;
    struct property_list env; /* ENV{}: properties added to the events inside */
    char *rule_file;          /* where the line is that gave it: base name, or "attach" */
    unsigned rule_line;
};

/* Frees the content; the share is empty then: nothing given, mode -1. */
void share_done(struct share *share);
