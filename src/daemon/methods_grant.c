/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/control_json.h"
#include "daemon/methods.h"

struct device_query {
    struct service *service;
    bool all, parents;
    json_t *devices;
};

static bool is_granted(const struct service *service, const struct device *device)
{
    for (struct container *c = delegation_containers(service->delegation); c; c = c->next)
        if (container_find_delivery(c, device->devpath))
            return true;
    return false;
}

/* Whether it is listed for its own sake. */
static bool is_wanted(const struct device_query *query, const struct device *device)
{
    return device->subsystem[0] && /* without: only a parent of devices */
           (query->all || device->devname || is_granted(query->service, device));
}

struct search_below {
    const struct device_query *query;
    bool found;
};

static void look_below(void *userdata, struct device *device)
{
    struct search_below *search = userdata;
    search->found = search->found || is_wanted(search->query, device);
}

static bool is_wanted_as_parent(const struct device_query *query, const struct device *device)
{
    struct search_below search = {query, false};
    if (query->parents && device->subsystem[0])
        world_each_below(delegation_world(query->service->delegation), device->devpath, look_below,
                         &search);
    return search.found;
}

static void add_device(void *userdata, struct device *device)
{
    struct device_query *query = userdata;
    if (is_wanted(query, device) || is_wanted_as_parent(query, device))
        json_array_append_new(query->devices, json_device(device));
}

void method_list_devices(struct control_call *call)
{
    static const char *const known[] = {"all", "parents", NULL};
    struct device_query query = {.service = call->service};
    if (call_only(call, known) < 0 || call_bool(call, "all", &query.all) < 0 ||
        call_bool(call, "parents", &query.parents) < 0)
        return;
    query.devices = json_array();
    world_each(delegation_world(call->service->delegation), add_device, &query);
    control_reply(call, json_pack("{s:o}", "devices", query.devices));
}

void method_list_grants(struct control_call *call)
{
    static const char *const known[] = {"container", NULL};
    struct container *only = NULL;
    const char *name;

    if (call_only(call, known) < 0 || call_string(call, "container", false, &name) < 0 ||
        (name && call_container(call, name, &only) < 0))
        return;
    json_t *grants = json_array();
    for (struct container *c = delegation_containers(call->service->delegation); c; c = c->next)
        for (struct delivery *d = only && c != only ? NULL : c->deliveries; d; d = d->next)
            json_array_append_new(grants, json_grant(c, d->grant, d));
    control_reply(call, json_pack("{s:o}", "grants", grants));
}
