/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/ended.h"

#define ENDED_US 100000u /* how long a directory may take to go; microseconds in practice */

/* FNV-1a, 64 bits. */
static uint64_t hash_of(const char *text)
{
    uint64_t hash = 14695981039346656037u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    return hash ? hash : 1;
}

void ended_remember(struct ended *ended, const char *devpath, uint64_t inode)
{
    ended->items[ended->next].devpath_hash = hash_of(devpath);
    ended->items[ended->next].inode = inode;
    ended->items[ended->next].time_us = now_us();
    ended->next = (ended->next + 1) % ENDED_MAX;
}

void ended_forget(struct ended *ended, const char *devpath)
{
    uint64_t hash = hash_of(devpath);
    for (size_t i = 0; i < ENDED_MAX; i++)
        if (ended->items[i].devpath_hash == hash)
            ended->items[i].devpath_hash = 0;
}

bool ended_has(const struct ended *ended, const struct device *device)
{
    uint64_t now = now_us(), hash = hash_of(device->devpath);
    for (size_t i = 0; i < ENDED_MAX; i++)
        if (ended->items[i].devpath_hash == hash &&
            (!ended->items[i].inode || ended->items[i].inode == device->inode) &&
            now - ended->items[i].time_us < ENDED_US)
            return true;
    return false;
}
