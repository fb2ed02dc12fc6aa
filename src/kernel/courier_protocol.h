/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What devolved and a courier say to each other over a SOCK_SEQPACKET socketpair: fixed-size
 * structs of the same binary, one request and one reply at a time. A request to attach carries a
 * detached mount as SCM_RIGHTS.
 */

#include <sys/types.h>

#include "base/refusal.h"
#include "model/gate.h"
#include "model/grant.h"
#include "model/udev_record.h"

#define COURIER_NAME_MAX 64 /* of a user or group name, with the NUL */

static_assert(UDEV_RECORD_ID_MAX <= GRANT_PATH_MAX, "a record's ID is sent as a path");

enum courier_verb {
    COURIER_ATTACH,   /* bind the mount over path */
    COURIER_DETACH,   /* take it away again */
    COURIER_LINK,     /* symbolic link `path` to `target` */
    COURIER_UNLINK,   /* remove it, if it still points to `target` */
    COURIER_IDENTIFY, /* ids of `owner` and `group` ("" for: not asked) in the container's files */
    COURIER_RECORD_WRITE,  /* the record `path` (its ID) of udev's database becomes `text` */
    COURIER_RECORD_REMOVE, /* it goes, if it is ours */
    COURIER_MARKER_MAKE,   /* /run/udev/control, where nothing is in its place */
    COURIER_MARKER_REMOVE,
    COURIER_DIRECTORIES_MAKE, /* those above path, as for a node */
    COURIER_DIRECTORIES_REMOVE,
    COURIER_LOOK, /* what lies at `path`, and whether root inside might use it: nothing is opened */
};

struct courier_request {
    enum courier_verb verb;
    char path[GRANT_PATH_MAX];   /* absolute inside, below /dev; RECORD_*: the ID, udev_record.h */
    char target[GRANT_PATH_MAX]; /* LINK, UNLINK: absolute; the link itself is made relative */
    char owner[COURIER_NAME_MAX];
    char group[COURIER_NAME_MAX];
    dev_t device; /* ATTACH, DETACH: st_dev and st_ino of our inode, to verify */
    ino_t inode;
    uint64_t mount;   /* DETACH: that of ATTACH's reply; 0: not known */
    unsigned access;  /* LOOK: which use, of enum share_access */
    bool block;       /* ATTACH: a block device (for the placeholder) */
    bool first;       /* MARKER_MAKE: nothing is given yet. Records and a marker of ours that are
                         there are a predecessor's: those go, and this is taken over */
    bool placeholder; /* DETACH: what lies below the mount was made by us: remove it */
    /* DETACH, UNLINK, DIRECTORIES_REMOVE: how many directories above path are to go, if they are
     * empty. RECORD_REMOVE, MARKER_REMOVE: which were made by us, of enum courier_udev_directory */
    unsigned made_dirs;
    char text[UDEV_RECORD_MAX]; /* RECORD_WRITE */
};

enum courier_udev_directory {
    COURIER_UDEV_TOP = 1 << 0,  /* /run/udev */
    COURIER_UDEV_DATA = 1 << 1, /* /run/udev/data */
    COURIER_UDEV_TAGS = 1 << 2, /* /run/udev/tags */
    COURIER_UDEV_ALL = COURIER_UDEV_TOP | COURIER_UDEV_DATA | COURIER_UDEV_TAGS,
};

struct courier_reply {
    int error;              /* 0 or a negative errno */
    char text[REFUSAL_MAX]; /* the reason where error is not 0 */
    bool placeholder;       /* ATTACH: made by us */
    bool shadowed;          /* DETACH: something else is mounted over it; it stays, dead */
    uint64_t mount;         /* ATTACH: id of the mount that the node's directory is on */
    /* ATTACH, LINK, DIRECTORIES_MAKE: how many were made; RECORD_WRITE, MARKER_MAKE: which were
     * made, or taken over; RECORD_REMOVE, MARKER_REMOVE: which of ours are still there */
    unsigned made_dirs;
    uint32_t uid, gid;  /* IDENTIFY */
    struct sight sight; /* LOOK */
};
