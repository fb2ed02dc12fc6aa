/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The gates between a program in a container and a device that the container was given, and which
 * of them refuses. What is at a path inside (a sight) comes from the courier, which asks and never
 * opens: an open would reset an Arduino or arm a watchdog.
 */

#include <sys/types.h>

#include "base/refusal.h"
#include "model/idmap.h"
#include "model/plan.h"

/* In the order in which they are met. */
enum gate {
    GATE_NONE,      /* nothing refuses */
    GATE_CONTAINER, /* not registered, dead, or its file system hangs */
    GATE_RULES,     /* no rule gives it, or somebody else has it */
    GATE_UDEV,      /* the host's udevd has not told what a rule asks for */
    GATE_NETNS,     /* events do not come in order, or not at all */
    GATE_DEV,       /* /dev inside cannot be written to */
    GATE_NODE,      /* the node is not there */
    GATE_SHADOWED,  /* something else lies over it */
    GATE_NODEV,     /* its mount has nodev */
    GATE_IDS,       /* an owner that is not mapped */
    GATE_MODE,      /* owner and mode */
    GATE_CGROUP,    /* a device cgroup */
    GATE_INTERFACE, /* a network interface cannot be moved */
    GATE_MARKER,    /* libudev inside takes it that there is no udev */
    GATE_RECORD,    /* libudev inside knows nothing of the device */
};

/* "cgroup" and the like; NULL for GATE_NONE. */
const char *gate_name(enum gate gate);

/* The gate at which a step of a plan failed with this errno. */
enum gate gate_of_step(enum step_kind kind, int error);

enum sight_flag {
    SIGHT_DIRECTORY = 1 << 0, /* the directory is there */
    SIGHT_HOST = 1 << 1,      /* and is the host's own; nothing else is known then */
    SIGHT_FOUND = 1 << 2,     /* something lies at the path */
    SIGHT_MOUNT = 1 << 3,     /* and is mounted there */
    SIGHT_NODEV = 1 << 4,     /* without the right to open devices: mount(8) */
};

/* What a courier saw at a path, without capabilities but as root inside. */
struct sight {
    unsigned flags;       /* of enum sight_flag */
    int directory_access; /* making something in the directory: 0, or a negative errno */
    int access;           /* what was asked for: 0, or a negative errno */
    dev_t device;         /* st_dev, st_ino, st_rdev and st_mode */
    ino_t inode;
    dev_t number;
    uint32_t mode;
};

/* A node of ours, as it should be there. */
struct gate_node {
    const char *path; /* inside */
    dev_t device;     /* of our inode */
    ino_t inode;
    uint32_t uid, gid, mode; /* the host's ids that the inode has */
    const struct idmap *uids, *gids;
    bool overrides; /* root inside has DAC_OVERRIDE: modes do not stop it, where the ids are mapped
                     */
};

/*
 * The first gate that refuses to open the node, and the reason; GATE_NONE: none of those that can
 * be seen at the path (the device cgroup is asked elsewhere).
 */
enum gate gate_of_node(const struct gate_node *node, const struct sight *sight,
                       struct refusal *why);

/* The same for making nodes: `sight` is of any name directly below /dev. */
enum gate gate_of_dev(const struct sight *sight, struct refusal *why);

/* The same for what libudev looks for: `gate` is GATE_MARKER or GATE_RECORD. */
enum gate gate_of_udev(enum gate gate, const char *path, const struct sight *sight,
                       struct refusal *why);
