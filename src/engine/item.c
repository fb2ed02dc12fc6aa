/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel door holds of one grant: made, taken over from a predecessor, left, forgotten. */
#include <errno.h>

#include "engine/place.h"
#include "kernel/sysfs.h"

struct door_item *item_new(void *userdata, struct door_place *place, void (*on_lost)(void *),
                           void *on_lost_userdata)
{
    (void)userdata;
    struct door_item *item = calloc(1, sizeof(*item));
    if (item)
        *item = (struct door_item){.place = place,
                                   .id = node_store_reserve(place->door->store),
                                   .lock_fd = -1,
                                   .on_lost = on_lost,
                                   .on_lost_userdata = on_lost_userdata};
    return item;
}

void item_leave(void *userdata, struct door_item *item)
{
    (void)userdata;
    if (!item)
        return;
    moved_interface_free(item->interface);
    node_release(item->node);
    json_decref(item->note);
    json_decref(item->home);
    fd_close(item->lock_fd);
    while (item->links)
        made_path_remove(&item->links, item->links->path);
    free(item);
}

void item_free(void *userdata, struct door_item *item)
{
    if (!item)
        return;
    node_destroy(TAKE_PTR(item->node));
    item_forget(item);
    item_leave(userdata, item);
}

int item_make_node(struct door_item *item, const struct grant *grant, const struct step_ids *ids,
                   struct refusal *why)
{
    struct device device = {
        .devpath = grant->devpath, .inode = grant->inode, .number = grant->number};
    if (item->lock_fd < 0)
        item->lock_fd = sysfs_lock_incarnation(&device);
    if (item->lock_fd < 0)
        return refuse(why, ENODEV, "the device is gone already");
    int r = node_make(item->place->door->store, item->id, &grant->number, ids->uid, ids->gid,
                      grant->mode, &item->node, why);
    if (r == 0 && !sysfs_incarnation_alive(item->lock_fd)) {
        node_destroy(TAKE_PTR(item->node));
        return refuse(why, ENODEV, "the device went while its node was made");
    }
    return r;
}

/* What may have been made of the grant, if nobody knows how far the work came. */
static int suppose_all(struct door_item *item, const struct grant *grant)
{
    int r = 0;
    item->attached = item->placeholder = item->node != NULL;
    for (size_t i = 0; r == 0 && i < grant->symlink_count; i++)
        r = made_path_add(&item->links, grant->symlinks[i]);
    return r;
}

/* The incarnation is held again; where it is gone, that is found by whoever compares. */
static void hold_incarnation(struct door_item *item, const struct grant *grant)
{
    struct device device = {
        .devpath = grant->devpath, .inode = grant->inode, .number = grant->number};
    item->lock_fd = sysfs_lock_incarnation(&device);
}

static int load(struct door_item *item, const json_t *saved, const struct grant *grant, int ifindex,
                bool certain)
{
    struct node_store *store = item->place->door->store;
    int r = grant->node ? node_adopt(store, item->id, &grant->number, &item->node) : 0;
    if (r < 0 && (certain || r != -ENOENT))
        return r; /* without its node it is not what it was */
    r = item_load(item, saved);
    if (r == 0 && item->counted && grant->node)
        place_enter_directories(item->place, grant->node, 0);
    if (r == 0 && !certain)
        r = suppose_all(item, grant);
    if (r == 0 && item->node)
        hold_incarnation(item, grant);
    if (r == 0 && item->home && grant->interface)
        r = moved_interface_resume(item->home, ifindex, item->place->namespaces.net_fd,
                                   &item->interface);
    return r;
}

int item_resume(void *userdata, struct door_place *place, uint64_t id, const json_t *saved,
                const struct grant *grant, int ifindex, bool certain, void (*on_lost)(void *),
                void *on_lost_userdata, struct door_item **ret)
{
    struct door_item *item = item_new(userdata, place, on_lost, on_lost_userdata);
    if (!item)
        return -ENOMEM;
    item->id = id;
    item->note = json_true(); /* there is one */
    node_store_skip(place->door->store, id);
    int r = load(item, saved, grant, ifindex, certain);
    if (r < 0) {
        item_free(userdata, item);
        return r;
    }
    *ret = item;
    return item->node && node_is_revoked(item->node);
}
