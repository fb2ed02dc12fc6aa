/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What devolved and a courier say to each other over a SOCK_SEQPACKET socketpair: fixed-size
 * structs of the same binary, one request and one reply at a time. A request to attach carries a
 * detached mount as SCM_RIGHTS.
 */

#include <sys/types.h>

#include "base/refusal.h"
#include "model/grant.h"

#define COURIER_NAME_MAX 64 /* of a user or group name, with the NUL */

enum courier_verb {
    COURIER_ATTACH,   /* bind the mount over path */
    COURIER_DETACH,   /* take it away again */
    COURIER_LINK,     /* symbolic link `path` to `target` */
    COURIER_UNLINK,   /* remove it, if it still points to `target` */
    COURIER_IDENTIFY, /* ids of `owner` and `group` ("" for: not asked) in the container's files */
};

struct courier_request {
    enum courier_verb verb;
    char path[GRANT_PATH_MAX];   /* absolute inside, below /dev */
    char target[GRANT_PATH_MAX]; /* LINK, UNLINK: absolute; the link itself is made relative */
    char owner[COURIER_NAME_MAX];
    char group[COURIER_NAME_MAX];
    dev_t device; /* ATTACH, DETACH: st_dev and st_ino of our inode, to verify */
    ino_t inode;
    bool block;         /* ATTACH: a block device (for the placeholder) */
    bool placeholder;   /* DETACH: what lies below the mount was made by us: remove it */
    unsigned made_dirs; /* DETACH, UNLINK: how many directories above path were made by us */
};

struct courier_reply {
    int error;              /* 0 or a negative errno */
    char text[REFUSAL_MAX]; /* the reason where error is not 0 */
    bool placeholder;       /* ATTACH: made by us */
    bool shadowed;          /* DETACH: something else is mounted over it; it stays, dead */
    unsigned made_dirs;     /* ATTACH, LINK */
    uint32_t uid, gid;      /* IDENTIFY */
};
