/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/text.h"
#include "daemon/control_json.h"
#include "daemon/methods.h"

struct device_query {
    struct service *service;
    bool all;
    json_t *devices;
};

static bool is_granted(const struct service *service, const struct device *device)
{
    for (struct container *c = delegation_containers(service->delegation); c; c = c->next)
        if (container_find_delivery(c, device->devpath))
            return true;
    return false;
}

static void add_device(void *userdata, struct device *device)
{
    struct device_query *query = userdata;
    if (!device->subsystem[0]) /* only a parent of devices */
        return;
    if (query->all || device->devname || is_granted(query->service, device))
        json_array_append_new(query->devices, json_device(device));
}

void method_list_devices(struct control_call *call)
{
    static const char *const known[] = {"all", NULL};
    struct device_query query = {.service = call->service};
    if (call_only(call, known) < 0 || call_bool(call, "all", &query.all) < 0)
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

/* What Attach asks for, in a rule's terms. Strings are copied. Returns 0 or -EINVAL with the
 * reason. */
static int unpack_symlinks(struct control_call *call, struct share *share, struct refusal *why)
{
    json_t *links = json_object_get(call->parameters, "symlinks"), *link;
    size_t index;
    if (!links || json_is_null(links))
        return 0;
    if (!json_is_array(links) || json_array_size(links) > SHARE_SYMLINKS_MAX)
        return refuse(why, EINVAL, "symlinks is an array of at most %d paths", SHARE_SYMLINKS_MAX);
    json_array_foreach(links, index, link)
    {
        const char *path = json_string_value(link);
        if (!path || strlen(path) != json_string_length(link))
            return refuse(why, EINVAL, "symlinks is an array of paths");
        share->symlinks[share->symlink_count] = strdup(path);
        share->symlink_count += share->symlinks[share->symlink_count] != NULL;
    }
    return 0;
}

static int set_mode(struct share *share, const char *mode, struct refusal *why)
{
    uint64_t value;
    if (!mode)
        return 0;
    if (text_to_octal(mode, 07777, &value) < 0)
        return refuse(why, EINVAL, "a mode is octal, 0 to 7777: %s", mode);
    share->mode = (int)value;
    return 0;
}

static int set_access(struct share *share, const char *access, struct refusal *why)
{
    for (; access && *access; access++) {
        unsigned bit = *access == 'r'   ? ACCESS_READ
                       : *access == 'w' ? ACCESS_WRITE
                       : *access == 'm' ? ACCESS_MKNOD
                                        : 0;
        if (!bit)
            return refuse(why, EINVAL, "an access is made of r, w and m: '%c'", *access);
        share->access |= bit;
    }
    return 0;
}

static char *copy(const char *text)
{
    return text ? strdup(text) : NULL;
}

static int unpack_share(struct control_call *call, struct share *share, struct refusal *why)
{
    const char *node, *owner, *group, *mode, *access;
    if (call_string(call, "node", false, &node) < 0 ||
        call_string(call, "owner", false, &owner) < 0 ||
        call_string(call, "group", false, &group) < 0 ||
        call_string(call, "mode", false, &mode) < 0 ||
        call_string(call, "access", false, &access) < 0)
        return -ECANCELED; /* answered already */
    *share = (struct share){.given = true,
                            .mode = -1,
                            .node = copy(node),
                            .owner = copy(owner),
                            .group = copy(group),
                            .rule_file = copy("attach")};
    int r = set_mode(share, mode, why);
    if (r == 0)
        r = set_access(share, access, why);
    return r < 0 ? r : unpack_symlinks(call, share, why);
}

static void on_attached(void *userdata, enum container_end end)
{
    struct control_call *call = userdata;
    struct container *container =
        end == CONTAINER_GONE ? NULL : delegation_find(call->service->delegation, call->container);
    struct delivery *delivery =
        container ? container_find_delivery(container, call->devpath) : NULL;
    struct refusal why;

    if (delivery && delivery->state == DELIVERY_DELIVERED) {
        control_reply(
            call, json_pack("{s:o}", "grant", json_grant(container, delivery->grant, delivery)));
        return;
    }
    if (delivery && delivery->state == DELIVERY_REFUSED) {
        why = delivery->why; /* what was refused is not tried again behind the caller's back */
        (void)delegation_detach(call->service->delegation, container, call->devpath, NULL);
    } else if (end == CONTAINER_STALLED)
        refuse(&why, ETIMEDOUT, "container %s does not answer; it gets %s when it does",
               call->container, call->devpath);
    else
        refuse(&why, ENODEV, "the container or the device went meanwhile");
    call_refuse(call, &why);
}

void method_attach(struct control_call *call)
{
    static const char *const known[] = {"container", "device", "node",     "owner", "group",
                                        "mode",      "access", "symlinks", NULL};
    const char *name, *device_name;
    struct container *container;
    struct device *device;
    struct refusal why = {.error = 0};
    _cleanup_(share_done) struct share share = {.given = false};

    if (call_only(call, known) < 0 || call_string(call, "container", true, &name) < 0 ||
        call_string(call, "device", true, &device_name) < 0 ||
        call_container(call, name, &container) < 0 || call_device(call, device_name, &device) < 0)
        return;
    int r = unpack_share(call, &share, &why);
    if (r == -ECANCELED)
        return;
    call->container = strdup(name);
    call->devpath = strdup(device->devpath);
    if (r == 0 && (!call->container || !call->devpath))
        r = refuse(&why, ENOMEM, "no memory");
    if (r == 0)
        r = delegation_attach(call->service->delegation, container, device, &share, &why);
    if (r == 0 && delegation_wait(call->service->delegation, container, on_attached, call) < 0)
        r = refuse(&why, ENOMEM, "no memory");
    if (r < 0)
        call_refuse(call, &why);
}

static void on_detached(void *userdata, enum container_end end)
{
    (void)end;
    control_reply(userdata, NULL);
}

void method_detach(struct control_call *call)
{
    static const char *const known[] = {"container", "device", NULL};
    const char *name, *device_name;
    struct container *container;
    struct device *device;
    struct refusal why = {.error = 0};

    if (call_only(call, known) < 0 || call_string(call, "container", true, &name) < 0 ||
        call_string(call, "device", true, &device_name) < 0 ||
        call_container(call, name, &container) < 0 || call_device(call, device_name, &device) < 0)
        return;
    int r = delegation_detach(call->service->delegation, container, device->devpath, &why);
    if (r == 0 && delegation_wait(call->service->delegation, container, on_detached, call) < 0)
        r = refuse(&why, ENOMEM, "no memory");
    if (r < 0)
        call_refuse(call, &why);
}
