/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <limits.h>

#include "daemon/control_json.h"
#include "daemon/methods.h"
#include "model/label.h"

static int unpack_labels(struct control_call *call, struct property_list *ret)
{
    int r = labels_parse(json_object_get(call->parameters, "labels"), ret);
    if (r < 0)
        control_error(call, "org.varlink.service.InvalidParameter",
                      json_pack("{s:s}", "parameter", "labels"));
    return r;
}

/* The container has everything that the rules give it, or was refused, or stalls, or died. */
static void on_registered(void *userdata, enum container_end end)
{
    struct control_call *call = userdata;
    const struct container *container =
        end == CONTAINER_GONE ? NULL : delegation_find(call->service->delegation, call->container);
    struct refusal why;
    if (container) {
        control_reply(
            call, json_pack("{s:o}", "container",
                            json_container(kernel_door_interface(call->service->door), container)));
        return;
    }
    refuse(&why, ESRCH, "container %s went while it was registered", call->container);
    call_refuse(call, &why);
}

static void refuse_registration(struct control_call *call, const char *name, int error,
                                const struct refusal *why)
{
    const struct container *holder = delegation_find(call->service->delegation, name);
    if (error == -EEXIST && holder)
        control_error(call, "io.devolve.ContainerExists",
                      json_pack("{s:o, s:i}", "name", json_text(name), "pid", (int)holder->pid));
    else
        call_refuse(call, why);
}

void method_register(struct control_call *call)
{
    static const char *const known[] = {"name", "pid", "start_time", "root", "labels", NULL};
    const char *name, *root;
    int64_t pid = 0, start_time = 0;
    struct container *container;
    struct refusal why = {.error = 0};
    _cleanup_(property_list_done) struct property_list labels = {.count = 0};

    if (call_only(call, known) < 0 || call_string(call, "name", true, &name) < 0 ||
        call_integer(call, "pid", true, &pid) < 0 ||
        call_integer(call, "start_time", false, &start_time) < 0 ||
        call_string(call, "root", false, &root) < 0 || unpack_labels(call, &labels) < 0)
        return;
    if (pid <= 0 || pid > INT_MAX || start_time < 0) {
        control_error(call, "org.varlink.service.InvalidParameter",
                      json_pack("{s:s}", "parameter", start_time < 0 ? "start_time" : "pid"));
        return;
    }
    if (call->service->stopping) {
        control_error(call, "io.devolve.Stopping", NULL);
        return;
    }
    const struct saved_place who = {
        .name = name, .pid = (pid_t)pid, .root = root, .start_time = (uint64_t)start_time};
    int r = delegation_register_process(call->service->delegation, &who, &labels, &container, &why);
    if (r < 0) {
        refuse_registration(call, name, r, &why);
        return;
    }
    call->container = strdup(name);
    if (!call->container ||
        delegation_wait(call->service->delegation, container, on_registered, call) < 0) {
        refuse(&why, ENOMEM, "no memory");
        call_refuse(call, &why);
    }
}

static void on_unregistered(void *userdata, enum container_end end)
{
    struct control_call *call = userdata;
    const struct container *container =
        end == CONTAINER_HELD ? delegation_find(call->service->delegation, call->container) : NULL;
    const struct delivery *uncut = container ? container_find_uncut(container) : NULL;
    struct refusal why;
    if (!container) {
        control_reply(call, NULL);
        return;
    }
    refuse(&why, EBUSY, "container %s is still leaving: %s", call->container,
           uncut && uncut->why.error ? uncut->why.text : "a device cannot be taken back yet");
    call_refuse(call, &why);
}

static bool has_labels(const struct container *container, const struct property_list *labels)
{
    for (size_t i = 0; i < labels->count; i++)
        if (!streq_null(property_get(&container->labels, labels->items[i].key),
                        labels->items[i].value))
            return false;
    return true;
}

void method_unregister(struct control_call *call)
{
    static const char *const known[] = {"name", "labels", NULL};
    struct container *container;
    struct refusal why;
    const char *name;
    _cleanup_(property_list_done) struct property_list labels = {.count = 0};

    if (call_only(call, known) < 0 || call_string(call, "name", true, &name) < 0 ||
        unpack_labels(call, &labels) < 0 || call_container(call, name, &container) < 0)
        return;
    if (!has_labels(container, &labels)) { /* it has the name of the one that was meant */
        control_error(call, "io.devolve.ContainerNotFound",
                      json_pack("{s:o}", "name", json_text(name)));
        return;
    }
    call->container = strdup(name);
    if (!call->container ||
        delegation_unregister(call->service->delegation, name, on_unregistered, call) < 0) {
        refuse(&why, ENOMEM, "no memory");
        call_refuse(call, &why);
    }
}

void method_list_containers(struct control_call *call)
{
    static const char *const known[] = {"name", NULL};
    const struct door *door = kernel_door_interface(call->service->door);
    struct container *only = NULL;
    const char *name;

    if (call_only(call, known) < 0 || call_string(call, "name", false, &name) < 0 ||
        (name && call_container(call, name, &only) < 0))
        return;
    json_t *containers = json_array();
    for (struct container *c = delegation_containers(call->service->delegation); c; c = c->next)
        if (!only || c == only)
            json_array_append_new(containers, json_container(door, c));
    control_reply(call, json_pack("{s:o}", "containers", containers));
}
