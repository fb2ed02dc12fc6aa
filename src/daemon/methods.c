/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/methods.h"

#include <errno.h>

#include "daemon/control_json.h"
#include "kernel/sysfs.h"

static const struct method methods[] = {
    {"Register", method_register},
    {"Unregister", method_unregister},
    {"ListContainers", method_list_containers},
    {"ListDevices", method_list_devices},
    {"ListGrants", method_list_grants},
    {"Attach", method_attach},
    {"Detach", method_detach},
    {"Explain", method_explain},
    {"Check", method_check},
    {"Reload", method_reload},
    {"Monitor", method_monitor},
    {"Doctor", method_doctor},
    {"GetMetrics", method_get_metrics},
};

const struct method *method_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
        if (streq(methods[i].name, name))
            return &methods[i];
    return NULL;
}

static int invalid(struct control_call *call, const char *parameter)
{
    control_error(call, "org.varlink.service.InvalidParameter",
                  json_pack("{s:o}", "parameter", json_text(parameter)));
    return -EINVAL;
}

/* The member, or NULL where it is missing or null. */
static json_t *member(const struct control_call *call, const char *name)
{
    json_t *value = json_object_get(call->parameters, name);
    return json_is_null(value) ? NULL : value;
}

int call_string(struct control_call *call, const char *name, bool required, const char **ret)
{
    json_t *value = member(call, name);
    if (!value && !required) {
        *ret = NULL;
        return 0;
    }
    /* a NUL in the middle would end our strings early */
    if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
        return invalid(call, name);
    *ret = json_string_value(value);
    return 0;
}

int call_integer(struct control_call *call, const char *name, bool required, int64_t *ret)
{
    json_t *value = member(call, name);
    if (!value && !required)
        return 0;
    if (!json_is_integer(value))
        return invalid(call, name);
    *ret = json_integer_value(value);
    return 0;
}

int call_bool(struct control_call *call, const char *name, bool *ret)
{
    json_t *value = member(call, name);
    if (value && !json_is_boolean(value))
        return invalid(call, name);
    *ret = json_is_true(value);
    return 0;
}

int call_only(struct control_call *call, const char *const *known)
{
    const char *key;
    json_t *value;
    json_object_foreach(call->parameters, key, value)
    {
        const char *const *name = known;
        while (*name && !streq(*name, key))
            name++;
        if (!*name)
            return invalid(call, key);
    }
    return 0;
}

int call_container(struct control_call *call, const char *name, struct container **ret)
{
    struct container *container = delegation_find(call->service->delegation, name);
    if (!container) {
        control_error(call, "io.devolve.ContainerNotFound",
                      json_pack("{s:o}", "name", json_text(name)));
        return -ENOENT;
    }
    *ret = container;
    return 0;
}

int call_device(struct control_call *call, const char *name, struct device **ret)
{
    struct refusal why = {.error = 0};
    _cleanup_free_ char *devpath = NULL;
    struct world *world = delegation_world(call->service->delegation);
    int r = sysfs_find_device(name, &devpath, &why);
    struct device *device = r < 0 ? world_find_away(world, name) : world_find(world, devpath);
    if (r >= 0 && !device)
        refuse(&why, ENODEV, "%s was plugged or unplugged this moment; try again", name);
    if (r == -ENOTUNIQ) {
        call_refuse(call, &why);
        return r;
    }
    if (!device) {
        control_error(
            call, "io.devolve.DeviceNotFound",
            json_pack("{s:o, s:o}", "device", json_text(name), "reason", json_text(why.text)));
        return -ENODEV;
    }
    *ret = device;
    return 0;
}

void call_refuse(struct control_call *call, const struct refusal *why)
{
    control_error(call, "io.devolve.Refused", json_pack("{s:o}", "text", json_text(why->text)));
}
