/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/moved_interface.h"

#include <errno.h>

#include "engine/place.h"
#include "kernel/network_link.h"

struct moved_interface {
    struct network_link *link;
    sd_event_source *watch;
    struct door_item *item; /* NULL: resumed, and about to go home */
};

DEFINE_CLEANUP(struct moved_interface *, moved_interface_free)

/* `moved` may be gone when on_lost returns. */
static int on_readable(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct moved_interface *moved = userdata;
    (void)fd;
    (void)events;
    if (!network_link_lost(moved->link))
        return 0;
    sd_event_source_set_enabled(source, SD_EVENT_OFF);
    moved->item->on_lost(moved->item->on_lost_userdata);
    return 0;
}

static int note_home(void *userdata, json_t *home_take, struct refusal *why)
{
    struct door_item *item = userdata;
    if (!home_take)
        return refuse(why, ENOMEM, "no memory for an interface");
    json_decref(item->home);
    item->home = home_take;
    return item_note_changes(item, why);
}

int moved_interface_resume(const json_t *home, int ifindex, int netns_fd,
                           struct moved_interface **ret)
{
    struct moved_interface *moved = calloc(1, sizeof(*moved));
    int r = moved ? network_link_resume(home, ifindex, netns_fd, &moved->link, NULL) : -ENOMEM;
    if (r < 0) {
        moved_interface_free(moved);
        return r;
    }
    *ret = moved;
    return 0;
}

int moved_interface_new(sd_event *event, const struct grant *grant, int netns_fd,
                        struct door_item *item, struct moved_interface **ret,
                        struct step_result *result)
{
    struct refusal *why = &result->why;
    _cleanup_(moved_interface_freep) struct moved_interface *moved = calloc(1, sizeof(*moved));
    if (!moved)
        return refuse(why, ENOMEM, "no memory for an interface");
    moved->item = item;
    int r = network_link_move(grant->ifindex, grant->interface, netns_fd, note_home, item,
                              &moved->link, why);
    if (!moved->link)
        return r;
    if (r == 0) {
        r = sd_event_add_io(event, &moved->watch, network_link_fd(moved->link), EPOLLIN,
                            on_readable, moved);
        if (r < 0)
            refuse(why, -r, "cannot watch an interface: %s", strerror(-r));
    }
    result->ifindex = network_link_ifindex(moved->link);
    *ret = TAKE_PTR(moved);
    return r;
}

void moved_interface_return(struct moved_interface **moved, struct step_result *result)
{
    if (!*moved)
        return;
    enum network_return r = network_link_return((*moved)->link, &result->remark, &result->why);
    if (r == NETWORK_RETURN_FAILED)
        return;
    result->returned = r == NETWORK_RETURN_HOME;
    result->lost = r == NETWORK_RETURN_LOST;
    moved_interface_free(TAKE_PTR(*moved));
}

void moved_interface_free(struct moved_interface *moved)
{
    if (!moved)
        return;
    sd_event_source_disable_unref(moved->watch);
    network_link_free(moved->link);
    free(moved);
}
