/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/away.h"

#include <errno.h>

static void forget(struct away *away, struct away_item *item)
{
    free(item->devpath);
    *item = away->items[--away->count];
}

void away_done(struct away *away)
{
    while (away->count > 0)
        forget(away, &away->items[away->count - 1]);
    free(away->items);
    away->items = NULL;
}

void away_remember_attributes(struct device *device)
{
    static const char *const names[] = {
        "addr_assign_type", "address",      "dev_id",         "dev_port",
        "ifalias",          "ifindex",      "iflink",         "mtu",
        "netdev_group",     "phys_port_id", "phys_port_name", "phys_switch_id",
        "name_assign_type", "speed",        "type",           "uevent"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        (void)device_attribute(device, names[i]);
}

static struct away_item *find_inode(struct away *away, uint64_t inode)
{
    for (size_t i = 0; i < away->count; i++)
        if (away->items[i].inode == inode)
            return &away->items[i];
    return NULL;
}

static struct away_item *find_devpath(const struct away *away, const char *devpath)
{
    for (size_t i = 0; i < away->count; i++)
        if (streq(away->items[i].devpath, devpath))
            return &away->items[i];
    return NULL;
}

int away_leave(struct away *away, const char *devpath, uint64_t inode)
{
    char *copy = strdup(devpath);
    struct away_item *item = copy ? find_inode(away, inode) : NULL;
    if (!item && copy)
        item = array_add(&away->items, &away->count, sizeof(*item));
    if (!item) {
        free(copy);
        return -ENOMEM;
    }
    free(item->devpath);
    item->devpath = copy;
    item->inode = inode;
    item->removals++;
    item->where = AWAY_OUT;
    return 0;
}

void away_return(struct away *away, uint64_t inode)
{
    struct away_item *item = find_inode(away, inode);
    if (item)
        item->where = AWAY_HOME;
    if (item && item->removals == 0)
        forget(away, item);
}

void away_lose(struct away *away, uint64_t inode)
{
    struct away_item *item = find_inode(away, inode);
    if (item)
        item->where = AWAY_LOST;
}

bool away_is_out(const struct away *away, const char *devpath)
{
    const struct away_item *item = find_devpath(away, devpath);
    return item && item->where == AWAY_OUT;
}

bool away_take_removal(struct away *away, const char *devpath)
{
    struct away_item *item = find_devpath(away, devpath);
    if (!item)
        return false;
    item->removals -= item->removals > 0;
    if (item->where == AWAY_HOME && item->removals == 0)
        forget(away, item);
    return true;
}

void away_take_addition(struct away *away, const char *devpath)
{
    struct away_item *item = find_devpath(away, devpath);
    if (item && item->where == AWAY_HOME)
        forget(away, item);
}

char *away_pop_lost(struct away *away, uint64_t *ret_inode)
{
    for (size_t i = 0; i < away->count; i++)
        if (away->items[i].where == AWAY_LOST) {
            char *devpath = TAKE_PTR(away->items[i].devpath);
            *ret_inode = away->items[i].inode;
            forget(away, &away->items[i]);
            return devpath;
        }
    return NULL;
}
