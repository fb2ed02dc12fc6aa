/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looks at a place's inside for who asks what is wrong with it. The path is the courier's to look
 * at, a courier of its own so that no step waits; the device cgroup is asked from within the
 * container's groups, by a child that is gone when the answer is there: an instant longer and the
 * groups would seem to be shared.
 */
#include <errno.h>
#include <stdio.h>

#include "engine/place.h"

#define MARKER "/run/udev/control"

struct place_look {
    enum look_kind kind;
    char path[GRANT_PATH_MAX];
    struct gate_node node; /* LOOK_NODE; its path is the one above */
    struct devnum number;
    unsigned access;
    door_look_fn done;
    void *userdata;
};

void place_look_free(struct place_look *look)
{
    free(look);
}

static enum gate judge(const struct door_place *place, const struct place_look *look,
                       const struct sight *sight, struct refusal *why)
{
    enum gate gate;
    switch (look->kind) {
    case LOOK_DEV:
        return gate_of_dev(sight, why);
    case LOOK_MARKER:
        return gate_of_udev(GATE_MARKER, look->path, sight, why);
    case LOOK_RECORD:
        return gate_of_udev(GATE_RECORD, look->path, sight, why);
    case LOOK_NODE:
        gate = gate_of_node(&look->node, sight, why);
        if (gate == GATE_NONE &&
            cgroup_device_ask(place->gates, &look->number, look->access, why) < 0)
            gate = GATE_CGROUP;
        return gate;
    }
    return GATE_NONE;
}

static void on_sight(void *userdata, const struct courier_reply *reply)
{
    struct door_place *place = userdata;
    struct step_result failure = {.why.error = 0};
    _cleanup_free_ struct place_look *look = TAKE_PTR(place->look);
    enum gate gate;

    if (!reply || reply->error) {
        place_refused(reply, &failure);
        gate = !reply || reply->error == -EPIPE ? GATE_CONTAINER
               : look->kind == LOOK_DEV         ? GATE_DEV
               : look->kind == LOOK_NODE        ? GATE_NODE
               : look->kind == LOOK_MARKER      ? GATE_MARKER
                                                : GATE_RECORD;
    } else {
        gate = judge(place, look, &reply->sight, &failure.why);
    }
    look->done(look->userdata, gate, &failure.why);
}

/* What the inode should be, and who has it. */
static int expect_node(const struct door_place *place, const struct look *look,
                       struct place_look *ret, struct refusal *why)
{
    struct stat status;
    int override = namespaces_override(&place->namespaces);
    int r = override < 0       ? override
            : look->item->node ? node_status(look->item->node, &status)
                               : -ENOENT;
    if (r < 0)
        return refuse(why, -r, "the node of %s cannot be looked at: %s", look->grant->devpath,
                      strerror(-r));
    ret->node = (struct gate_node){.device = status.st_dev,
                                   .inode = status.st_ino,
                                   .uid = status.st_uid,
                                   .gid = status.st_gid,
                                   .mode = status.st_mode,
                                   .uids = &place->namespaces.uids,
                                   .gids = &place->namespaces.gids,
                                   .overrides = override > 0};
    ret->number = look->grant->number;
    ret->access = look->grant->access;
    return 0;
}

static int prepare(const struct door_place *place, const struct look *look, struct place_look *ret,
                   struct refusal *why)
{
    char record[UDEV_RECORD_PATH_MAX];
    const char *path = "/dev/null"; /* any name will do */
    int r = 0;
    switch (look->kind) {
    case LOOK_DEV:
        break;
    case LOOK_MARKER:
        path = MARKER;
        break;
    case LOOK_NODE:
        path = look->grant->node;
        r = expect_node(place, look, ret, why);
        break;
    case LOOK_RECORD:
        path = record;
        r = udev_record_path(look->id, record);
        if (r < 0)
            r = refuse(why, -r, "%s is no name of a record", look->id);
        break;
    }
    if (r < 0)
        return r;
    if (snprintf(ret->path, sizeof(ret->path), "%s", path) >= (int)sizeof(ret->path))
        return refuse(why, ENAMETOOLONG, "%s is too long to be looked at", path);
    ret->node.path = ret->path;
    return 0;
}

int place_look(void *userdata, struct door_place *place, const struct look *look, door_look_fn done,
               void *done_userdata, struct refusal *why)
{
    struct kernel_door *door = userdata;
    struct courier_request request = {.verb = COURIER_LOOK};
    _cleanup_free_ struct place_look *ours = calloc(1, sizeof(*ours));

    if (!place->scouts)
        place->scouts = errands_new(door->event, &place->namespaces, NULL, NULL);
    if (!ours || !place->scouts)
        return refuse(why, ENOMEM, "no memory to look inside");
    ours->kind = look->kind;
    ours->done = done;
    ours->userdata = done_userdata;
    int r = prepare(place, look, ours, why);
    if (r < 0)
        return r;
    snprintf(request.path, sizeof(request.path), "%s", ours->path);
    request.access = ours->access;
    r = errands_send(place->scouts, &request, -1, on_sight, place, why);
    if (r < 0)
        return r;
    place->look = TAKE_PTR(ours);
    return 0;
}
