/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/control_json.h"

#include <stdio.h>

#include "base/text.h"
#include "engine/conflict.h"
#include "kernel/udev_database.h"
#include "model/attach_rule.h"

json_t *json_text(const char *text)
{
    char escaped[1024];
    json_t *json = text ? json_string(text) : json_null();
    if (json)
        return json;
    text_printable(escaped, sizeof(escaped), text, strlen(text)); /* bytes that are not UTF-8 */
    return json_string(escaped);
}

static json_t *json_integer_of(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *json_idmap(const struct idmap *map)
{
    char text[96];
    if (map->count == 0)
        return json_string("nothing is mapped");
    const struct idmap_extent *first = &map->by_inside[0];
    if (map->count == 1 && first->inside == 0 && first->host == 0 && first->count == UINT32_MAX)
        return json_string("identity");
    int used = snprintf(text, sizeof(text), "%u %u %u", first->inside, first->host, first->count);
    if (map->count > 1)
        snprintf(text + used, sizeof(text) - (size_t)used, " and %zu more", map->count - 1);
    return json_string(text);
}

static json_t *json_labels(const struct property_list *labels)
{
    json_t *json = json_object();
    for (size_t i = 0; i < labels->count; i++)
        json_object_set_new(json, labels->items[i].key, json_text(labels->items[i].value));
    return json;
}

static const char *state_of(const struct container *container)
{
    bool ready = container_settled(container) && !container_find_uncut(container);
    return container->stalled  ? "stalled"
           : container->behind ? "overrun"
           : ready             ? "ready"
                               : "busy";
}

/* Who does in the container what udev does. */
static const char *udev_of(const struct container *container)
{
    if (!container->facts.tells_udev)
        return "host";
    if (container->has_udevd)
        return "inside";
    return udev_database_is_served() ? "devolve" : "kernel";
}

json_t *json_container(const struct door *door, const struct container *container)
{
    char access[256];
    uint64_t grants = 0, refused = 0;
    for (const struct delivery *d = container->deliveries; d; d = d->next) {
        grants += d->state != DELIVERY_REFUSED;
        refused += d->state == DELIVERY_REFUSED;
    }
    return json_pack("{s:o, s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:o}", "name",
                     json_text(container->name), "pid", json_integer(container->pid), "labels",
                     json_labels(&container->labels), "netns",
                     netns_kind_name(container->facts.netns), "udev", udev_of(container), "uid_map",
                     json_idmap(container->facts.uids), "gid_map",
                     json_idmap(container->facts.gids), "cgroup",
                     json_text(door->place_describe_access(door->userdata, container->place, access,
                                                           sizeof(access))),
                     "state", state_of(container), "grants", json_integer_of(grants), "refused",
                     json_integer_of(refused), "note",
                     container->note.error ? json_text(container->note.text) : json_null());
}

static json_t *json_number(const struct devnum *number)
{
    char text[48];
    if (number->kind == NODE_NONE)
        return json_null();
    snprintf(text, sizeof(text), "%c %u:%u", number->kind == NODE_BLOCK ? 'b' : 'c', number->major,
             number->minor);
    return json_string(text);
}

json_t *json_device(const struct device *device)
{
    char devnode[512];
    if (device->devname)
        snprintf(devnode, sizeof(devnode), "/dev/%s", device->devname);
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "devpath", json_text(device->devpath), "subsystem",
        json_text(device->subsystem), "sysname", json_text(device->sysname), "devtype",
        json_text(device->devtype), "driver", json_text(device->driver), "devnode",
        json_text(device->devname ? devnode : NULL), "number", json_number(&device->number));
}

static const char *delivery_state(const struct delivery *delivery)
{
    if (!delivery)
        return "pending";
    switch (delivery->state) {
    case DELIVERY_GIVING:
    case DELIVERY_TAKING:
        return "pending";
    case DELIVERY_DELIVERED:
        return "delivered";
    case DELIVERY_REFUSED:
        return "refused";
    }
    return "pending";
}

/* An id inside: known where it is a number, or was looked up. */
static json_t *json_id(const char *name, uint32_t id, const struct delivery *delivery,
                       uint32_t looked_up)
{
    if (!name)
        return json_integer(id);
    return delivery && delivery->identified ? json_integer(looked_up) : json_null();
}

static json_t *json_symlinks(const struct grant *grant)
{
    json_t *json = json_array();
    for (size_t i = 0; i < grant->symlink_count; i++)
        if (grant_has_link(grant, i))
            json_array_append_new(json, json_text(grant->symlinks[i]));
    return json;
}

/* Links that the grant does not have, with who keeps it from them: by a link, or by its node. */
static json_t *json_yielded(const struct container *container, const struct grant *grant,
                            const struct delivery *delivery)
{
    json_t *json = json_array();
    for (size_t i = 0; i < grant->symlink_count; i++) {
        const struct delivery *rival =
            grant_has_link(grant, i) ? NULL : conflict_find_rival(container, grant, i, delivery);
        if (!rival)
            continue;
        bool node = streq_null(rival->grant->node, grant->symlinks[i]);
        json_array_append_new(
            json, json_pack("{s:o, s:o, s:o}", "symlink", json_text(grant->symlinks[i]), "devpath",
                            json_text(rival->grant->devpath), "link_priority",
                            node ? json_null() : json_integer(rival->grant->link_priority)));
    }
    return json;
}

json_t *json_grant(const struct container *container, const struct grant *grant,
                   const struct delivery *delivery)
{
    char mode[16], access[8];
    snprintf(mode, sizeof(mode), "%04o", (unsigned)grant->mode);
    snprintf(access, sizeof(access), "%s%s%s", grant->access & ACCESS_READ ? "r" : "",
             grant->access & ACCESS_WRITE ? "w" : "", grant->access & ACCESS_MKNOD ? "m" : "");
    bool hindered = delivery && delivery->why.error;
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:s, s:o, s:o, s:i, s:o, s:o, s:b, s:s, s:o}",
        "container", json_text(container->name), "devpath", json_text(grant->devpath), "node",
        json_text(grant->node), "interface", json_text(grant->interface), "number",
        json_number(&grant->number), "uid",
        json_id(grant->owner, grant->uid, delivery, delivery ? delivery->uid : 0), "gid",
        json_id(grant->group, grant->gid, delivery, delivery ? delivery->gid : 0), "mode", mode,
        "access", access, "symlinks", json_symlinks(grant), "yielded",
        json_yielded(container, grant, delivery), "link_priority", grant->link_priority,
        "rule_file", json_text(grant->rule_file ? grant->rule_file : ""), "rule_line",
        json_integer(grant->rule_line), "persistent",
        (int)(grant->rule_file && attach_rule_is_name(grant->rule_file, NULL)), "state",
        delivery_state(delivery), "reason", json_text(hindered ? delivery->why.text : NULL));
}

json_t *json_problems(const struct rule_problems *problems)
{
    json_t *json = json_array();
    for (size_t i = 0; i < problems->count; i++) {
        const struct rule_problem *problem = &problems->items[i];
        json_array_append_new(
            json, json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "severity",
                            problem->severity == PROBLEM_ERROR ? "error" : "warning", "file",
                            json_text(problem->file), "line", json_integer(problem->line), "column",
                            json_integer(problem->column), "text",
                            json_text(problem->text ? problem->text : ""), "source",
                            json_text(problem->source ? problem->source : "")));
    }
    return json;
}

json_t *json_masks(const struct rule_masks *masks)
{
    json_t *json = json_array();
    for (size_t i = 0; i < masks->count; i++)
        json_array_append_new(json, json_pack("{s:o, s:o}", "path", json_text(masks->items[i].path),
                                              "by", json_text(masks->items[i].by)));
    return json;
}

static const char *activity_name(enum activity_kind kind)
{
    switch (kind) {
    case ACTIVITY_EVENT:
        return "event";
    case ACTIVITY_DECISION:
        return "decision";
    case ACTIVITY_STEP:
        return "step";
    case ACTIVITY_OUTCOME:
        return "outcome";
    case ACTIVITY_CONTAINER:
        return "container";
    case ACTIVITY_RULES:
        return "rules";
    case ACTIVITY_RESYNC:
        return "resync";
    }
    return "event";
}

json_t *json_activity(const struct activity *activity)
{
    bool timed = activity->kind == ACTIVITY_STEP || activity->kind == ACTIVITY_OUTCOME;
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "kind",
                     activity_name(activity->kind), "time_us", json_integer_of(activity->time_us),
                     "container", json_text(activity->container), "devpath",
                     json_text(activity->devpath), "action", json_text(activity->action), "seqnum",
                     activity->seqnum ? json_integer_of(activity->seqnum) : json_null(),
                     "rule_file", json_text(activity->rule_file), "rule_line",
                     activity->rule_file ? json_integer(activity->rule_line) : json_null(), "text",
                     json_text(activity->text), "duration_us",
                     timed ? json_integer_of(activity->duration_us) : json_null(), "error",
                     json_text(activity->error));
}
