/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Network interfaces of the host that we moved into containers. The kernel says `remove` of one
 * that leaves and `add` of one that comes home, and sysfs shows it to its own network namespace
 * only; yet it is one incarnation all the while (the inode number of its directory stays), and what
 * is delivered of it must not end because it was delivered.
 */

#include "model/device.h"

struct away_item {
    char *devpath; /* on the host, when it left */
    uint64_t inode;
    unsigned removals; /* events of its leaving that we have yet to read */
    enum { AWAY_OUT, AWAY_HOME, AWAY_LOST } where;
};

struct away {
    struct away_item *items;
    size_t count;
};

void away_done(struct away *away);

/*
 * What rules commonly ask of an interface is read while sysfs shows it, so that they can be judged
 * when it is out. Anything else is then as if it were not there.
 */
void away_remember_attributes(struct device *device);

/* It was moved out. Returns 0 or -ENOMEM. */
int away_leave(struct away *away, const char *devpath, uint64_t inode);

/* It was brought home, or is lost: it ended inside, or moved on. */
void away_return(struct away *away, uint64_t inode);
void away_lose(struct away *away, uint64_t inode);

/* Whether the device that we know by this devpath is out. What is there now is another. */
bool away_is_out(const struct away *away, const char *devpath);

/* A real `remove` was read: whether it means a leaving, or another device of that name, and ends
 * nothing that we know. */
bool away_take_removal(struct away *away, const char *devpath);

/* A real `add` was read: nothing of what came before is on its way any more. */
void away_take_addition(struct away *away, const char *devpath);

/* One that is lost is forgotten. Returns its devpath (caller frees) and *ret_inode, or NULL. */
char *away_pop_lost(struct away *away, uint64_t *ret_inode);
