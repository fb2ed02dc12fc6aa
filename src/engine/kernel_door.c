/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Step → mechanism. What needs the container's inside goes as an errand and ends later. */
#include "engine/kernel_door.h"

#include <errno.h>
#include <stdio.h>

#include "engine/place.h"
#include "kernel/bpf_mount.h"
#include "kernel/note_directory.h"

#define COURIERS_LAST_US 200000u /* of a predecessor: how long an end may take */

static void set_path(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
}

/* Whether the thing that the step is about is counted in its directories; NULL: no such thing. */
static bool *find_counted(struct door_place *place)
{
    if (place->kind == STEP_NODE_ATTACH || place->kind == STEP_NODE_DETACH)
        return &place->item->counted;
    struct made_path *link = made_path_find(place->item->links, place->path);
    return link ? &link->counted : NULL;
}

static void note_made(struct door_place *place, unsigned made_dirs)
{
    bool *counted = find_counted(place);
    if (!counted || *counted)
        return;
    place_enter_directories(place, place->path, made_dirs);
    *counted = true;
}

static void note_gone(struct door_place *place)
{
    bool *counted = find_counted(place);
    if (!counted || !*counted)
        return;
    place_leave_directories(place, place->path);
    *counted = false;
}

/* What the courier's answer says of what is inside now. */
static void note_reply(struct door_place *place, const struct courier_reply *reply,
                       struct step_result *result)
{
    struct door_item *item = place->item;
    switch (place->kind) {
    case STEP_NODE_ATTACH:
        item->placeholder = reply->placeholder;
        item->mount = reply->mount;
        note_made(place, reply->made_dirs);
        break;
    case STEP_NODE_DETACH:
        item->attached = false;
        note_gone(place);
        result->shadowed = reply->shadowed;
        break;
    case STEP_LINK_MAKE:
        note_made(place, reply->made_dirs);
        break;
    case STEP_LINK_REMOVE:
        note_gone(place);
        made_path_remove(&item->links, place->path);
        break;
    case STEP_RECORD_WRITE:
    case STEP_RECORD_REMOVE:
        place_note_record(place, place->kind, reply);
        break;
    default: /* STEP_IDENTIFY; the others are no errands */
        result->uid = reply->uid;
        result->gid = reply->gid;
        break;
    }
}

/* A refusal says that nothing was made; a courier that died or hangs says nothing at all. */
static void note_failure(struct door_place *place, const struct courier_reply *reply)
{
    bool unknown = !reply || reply->error == -EPIPE;
    if (place->kind == STEP_NODE_ATTACH && !unknown)
        place->item->attached = false;
    if (place->kind == STEP_LINK_MAKE && !unknown)
        made_path_remove(&place->item->links, place->path);
}

static void on_errand(void *userdata, const struct courier_reply *reply)
{
    struct door_place *place = userdata;
    struct step_result result = {.why.error = 0};
    door_done_fn done = place->done;
    place->done = NULL;

    if (reply && !reply->error) {
        note_reply(place, reply, &result);
    } else {
        note_failure(place, reply);
        place_refused(reply, &result);
    }
    place_note_changes(place);
    done(place->done_userdata, &result);
}

/* Fills the request. Returns 0; 1 when there is nothing to ask; -ENOMEM with the reason. */
static int prepare_errand(struct door_place *place, struct door_item *item, const struct step *step,
                          struct courier_request *request, struct refusal *why)
{
    const struct grant *grant = step->grant;
    const struct made_path *link;
    set_path(request->path, sizeof(request->path), step->link ? step->link : grant->node);
    if (item->node)
        node_identity(item->node, &request->device, &request->inode);

    switch (step->kind) {
    case STEP_NODE_ATTACH:
        request->verb = COURIER_ATTACH;
        request->block = grant->number.kind == NODE_BLOCK;
        item->attached = item->placeholder = true; /* until we hear otherwise */
        return 0;
    case STEP_NODE_DETACH:
        request->verb = COURIER_DETACH;
        request->placeholder = item->placeholder;
        request->mount = item->mount;
        request->made_dirs = place_count_directories(place, request->path, item->counted);
        return item->attached ? 0 : 1;
    case STEP_LINK_MAKE:
        request->verb = COURIER_LINK;
        set_path(request->target, sizeof(request->target), grant->node);
        return made_path_add(&item->links, step->link) < 0
                   ? refuse(why, ENOMEM, "no memory for a link")
                   : 0;
    case STEP_LINK_REMOVE:
        request->verb = COURIER_UNLINK;
        set_path(request->target, sizeof(request->target), grant->node);
        link = made_path_find(item->links, step->link);
        request->made_dirs = place_count_directories(place, request->path, link && link->counted);
        return link ? 0 : 1;
    case STEP_RECORD_WRITE:
    case STEP_RECORD_REMOVE:
        place_ask_record(place, step, request);
        return 0;
    default: /* STEP_IDENTIFY; the others are no errands */
        request->verb = COURIER_IDENTIFY;
        set_path(request->owner, sizeof(request->owner), grant->owner);
        set_path(request->group, sizeof(request->group), grant->group);
        return 0;
    }
}

static int send_errand(struct door_place *place, struct door_item *item, const struct step *step,
                       door_done_fn done, void *done_userdata, struct step_result *result)
{
    struct courier_request request = {.verb = COURIER_IDENTIFY};
    _cleanup_close_ int tree_fd = -1;

    if (prepare_errand(place, item, step, &request, &result->why) != 0)
        return 1;
    place->kind = step->kind;
    place->item = item;
    set_path(place->path, sizeof(place->path), request.path);
    int r = 0;
    if (step->kind == STEP_NODE_ATTACH) {
        tree_fd = node_clone_mount(item->node);
        if (tree_fd < 0)
            r = refuse(&result->why, -tree_fd, "cannot clone the node's mount: %s",
                       strerror(-tree_fd));
    }
    if (r == 0)
        r = errands_send(place->errands, &request, tree_fd, on_errand, place, &result->why);
    if (r < 0) {
        struct courier_reply refused = {.error = -ECANCELED}; /* nothing was asked for */
        result->stalled = r == -EAGAIN;
        note_failure(place, &refused);
        return 1;
    }
    place->done = done;
    place->done_userdata = done_userdata;
    return 0;
}

static int run(void *userdata, struct door_place *place, struct door_item *item,
               const struct step *step, const struct step_ids *ids, door_done_fn done,
               void *done_userdata, struct step_result *result)
{
    const struct grant *grant = step->grant;
    struct refusal *why = &result->why;
    (void)userdata;

    switch (step->kind) {
    case STEP_IDENTIFY:
    case STEP_NODE_ATTACH:
    case STEP_NODE_DETACH:
    case STEP_LINK_MAKE:
    case STEP_LINK_REMOVE:
    case STEP_RECORD_WRITE:
    case STEP_RECORD_REMOVE:
        return send_errand(place, item, step, done, done_userdata, result);
    case STEP_NODE_MAKE:
        (void)item_make_node(item, grant, ids, why);
        break;
    case STEP_NODE_CHANGE:
        (void)node_change(item->node, ids->uid, ids->gid, grant->mode, why);
        break;
    case STEP_ACCESS_ALLOW:
        (void)cgroup_device_allow(place->gates, &grant->number, grant->access, why);
        break;
    case STEP_ACCESS_DENY:
        (void)cgroup_device_deny(place->gates, &grant->number, why);
        break;
    case STEP_INTERFACE_MOVE:
        (void)moved_interface_new(place->door->event, grant, place->namespaces.net_fd, item,
                                  &item->interface, result);
        break;
    case STEP_INTERFACE_RETURN:
        moved_interface_return(&item->interface, result);
        break;
    case STEP_EVENT:
        (void)place_tell(place, grant->inode, step->event, why);
        break;
    case STEP_UDEV_EVENT:
        (void)place_tell_udev(place, grant->inode, step->word, why);
        break;
    case STEP_NODE_REVOKE:
        if (item->node)
            (void)node_revoke(item->node, why);
        break;
    case STEP_NODE_DESTROY:
        node_destroy(TAKE_PTR(item->node));
        item->lock_fd = fd_close(item->lock_fd);
        break;
    }
    return 1;
}

struct timer {
    sd_event_source *source;
    void (*fn)(void *);
    void *userdata;
};

static void timer_cancel(void *userdata, void *timer)
{
    struct timer *t = timer;
    (void)userdata;
    sd_event_source_disable_unref(t->source);
    free(t);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct timer fired = *(struct timer *)userdata;
    (void)source;
    (void)usec;
    timer_cancel(NULL, userdata);
    fired.fn(fired.userdata);
    return 0;
}

static int timer_start(void *userdata, uint64_t delay_us, void (*fn)(void *), void *fn_userdata,
                       void **ret)
{
    struct kernel_door *door = userdata;
    struct timer *timer = calloc(1, sizeof(*timer));
    if (!timer)
        return -ENOMEM;
    timer->fn = fn;
    timer->userdata = fn_userdata;
    int r = sd_event_add_time_relative(door->event, &timer->source, CLOCK_MONOTONIC, delay_us, 1000,
                                       on_timer, timer);
    if (r < 0) {
        free(timer);
        return r;
    }
    *ret = timer;
    return 0;
}

int kernel_door_open(sd_event *event, const char *directory, struct kernel_door **ret,
                     struct refusal *why)
{
    _cleanup_free_ char *nodes = NULL, *bpf = NULL;
    struct kernel_door *door = calloc(1, sizeof(*door));
    if (!door || asprintf(&nodes, "%s/nodes", directory) < 0 ||
        asprintf(&bpf, "%s/bpf", directory) < 0) {
        free(door);
        return refuse(why, ENOMEM, "no memory");
    }
    door->event = event;
    door->notes_fd = -1;
    (void)process_boot_id(door->boot_id);
    door->couriers_until_us = now_us() + COURIERS_LAST_US;
    door->interface = (struct door){.place_open = place_open,
                                    .place_admit = place_admit,
                                    .place_prune = place_prune,
                                    .place_note = place_note,
                                    .place_leave = place_leave,
                                    .place_alive = place_alive,
                                    .place_close = place_close,
                                    .place_describe_access = place_describe_access,
                                    .place_repair = place_repair,
                                    .place_has_udevd = place_has_udevd,
                                    .place_resume_told = place_resume_told,
                                    .place_look_at_readers = place_look_at_readers,
                                    .place_is_behind = place_is_behind,
                                    .place_catch_up = place_catch_up,
                                    .place_mark = place_mark,
                                    .place_look = place_look,
                                    .item_new = item_new,
                                    .item_resume = item_resume,
                                    .item_drop = item_drop,
                                    .item_note = item_note,
                                    .item_leave = item_leave,
                                    .item_free = item_free,
                                    .run = run,
                                    .timer_start = timer_start,
                                    .timer_cancel = timer_cancel,
                                    .userdata = door};
    int r = node_store_open(nodes, &door->store, why);
    if (r == 0)
        r = door->notes_fd = note_directory_open(directory, "containers", why);
    if (r >= 0 && bpf_mount(bpf, NULL) == 0)
        door->bpf = strdup(bpf);
    if (door->bpf)
        (void)cgroup_device_clean(door->bpf); /* a pin that stays does no harm */
    if (r < 0) {
        kernel_door_close(door, true);
        return r;
    }
    *ret = door;
    return 0;
}

void kernel_door_close(struct kernel_door *door, bool leave)
{
    if (!door)
        return;
    node_store_close(door->store, leave);
    if (door->bpf && !leave)
        bpf_unmount(door->bpf);
    fd_close(door->notes_fd);
    free(door->bpf);
    free(door);
}

const struct door *kernel_door_interface(struct kernel_door *door)
{
    return &door->interface;
}

size_t kernel_door_node_count(const struct kernel_door *door)
{
    return node_store_count(door->store);
}
