/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "base/text.h"
#include "daemon/control_json.h"
#include "daemon/drop_in.h"
#include "daemon/methods.h"

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
    bool subtree;
    if (call_bool(call, "subtree", &subtree) < 0 || call_string(call, "node", false, &node) < 0 ||
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
                            .options = subtree ? OPTION_SUBTREE : 0,
                            .rule_file = copy("attach")};
    int r = set_mode(share, mode, why);
    if (r == 0)
        r = set_access(share, access, why);
    return r < 0 ? r : unpack_symlinks(call, share, why);
}

/* How long it is to last. Returns 0, or -ECANCELED: answered already. */
static int unpack_life(struct control_call *call, enum drop_in_life *ret)
{
    static const struct {
        const char *word;
        enum drop_in_life life;
    } words[] = {{"runtime", DROP_IN_RUNTIME}, {"always", DROP_IN_ALWAYS}};
    const char *persist;
    *ret = DROP_IN_NONE;
    if (call_string(call, "persist", false, &persist) < 0)
        return -ECANCELED;
    if (!persist)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (streq(words[i].word, persist)) {
            *ret = words[i].life;
            return 0;
        }
    control_error(call, "org.varlink.service.InvalidParameter",
                  json_pack("{s:s}", "parameter", "persist"));
    return -ECANCELED;
}

static void reply_attached(struct control_call *call, const struct container *container,
                           const struct delivery *delivery)
{
    const struct drop_in *drop_in = call->drop_in;
    char file[PATH_MAX] = "";
    if (drop_in)
        snprintf(file, sizeof(file), "%s/%s", drop_in->directory, drop_in->rule.name);
    control_reply(call, json_pack("{s:o, s:o, s:o}", "grant",
                                  json_grant(container, delivery->grant, delivery), "file",
                                  json_text(drop_in ? file : NULL), "told_by",
                                  json_text(drop_in ? drop_in->rule.told_by : NULL)));
}

/* What was refused is not tried again behind the caller's back. */
static void withdraw(struct control_call *call, struct container *container)
{
    if (call->drop_in)
        drop_in_withdraw(call->service, call->drop_in);
    else if (container)
        (void)delegation_detach(call->service->delegation, container, call->devpath, NULL);
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
        reply_attached(call, container, delivery);
        return;
    }
    if (delivery && delivery->state == DELIVERY_REFUSED) {
        why = delivery->why;
        withdraw(call, container);
    } else if (end == CONTAINER_STALLED) {
        refuse(&why, ETIMEDOUT, "container %s does not answer; it gets %s when it does",
               call->container, call->devpath);
    } else {
        refuse(&why, ENODEV, "the container or the device went meanwhile");
        withdraw(call, container);
    }
    call_refuse(call, &why);
}

/* The rule takes over from what may have been attached without one before. */
static int attach_by_rule(struct control_call *call, struct container *container,
                          struct device *device, const struct share *share, enum drop_in_life life,
                          struct refusal *why)
{
    int r = drop_in_draft(call->service, container, device, share, life, &call->drop_in, why);
    if (r == 0)
        r = drop_in_write(call->service, call->drop_in, why);
    if (r == 0)
        (void)delegation_detach(call->service->delegation, container, device->devpath, NULL);
    return r;
}

static int attach(struct control_call *call, struct container *container, struct device *device,
                  const struct share *share, enum drop_in_life life, struct refusal *why)
{
    struct delegation *delegation = call->service->delegation;
    call->container = strdup(container->name);
    call->devpath = strdup(device->devpath);
    if (!call->container || !call->devpath)
        return refuse(why, ENOMEM, "no memory");
    int r = life == DROP_IN_NONE ? delegation_attach(delegation, container, device, share, why)
                                 : attach_by_rule(call, container, device, share, life, why);
    if (r < 0)
        return r;
    if (delegation_wait(delegation, container, on_attached, call) == 0)
        return 0;
    withdraw(call, container);
    return refuse(why, ENOMEM, "no memory");
}

void method_attach(struct control_call *call)
{
    static const char *const known[] = {"container", "device",  "node",   "owner",
                                        "group",     "mode",    "access", "symlinks",
                                        "subtree",   "persist", NULL};
    const char *name, *device_name;
    struct container *container;
    struct device *device;
    struct refusal why = {.error = 0};
    enum drop_in_life life;
    _cleanup_(share_done) struct share share = {.given = false};

    if (call_only(call, known) < 0 || call_string(call, "container", true, &name) < 0 ||
        call_string(call, "device", true, &device_name) < 0 || unpack_life(call, &life) < 0 ||
        call_container(call, name, &container) < 0 || call_device(call, device_name, &device) < 0)
        return;
    int r = unpack_share(call, &share, &why);
    if (r == -ECANCELED)
        return;
    if (r == 0)
        r = attach(call, container, device, &share, life, &why);
    if (r < 0)
        call_refuse(call, &why);
}

static void on_detached(void *userdata, enum container_end end)
{
    (void)end;
    control_reply(userdata, NULL);
}

/* The rule that was made for it, the attachment without one, or both. */
static int detach(struct control_call *call, struct container *container, struct device *device,
                  const char *name, struct refusal *why)
{
    struct refusal second = {.error = 0};
    int removed = drop_in_remove(call->service, container, device, name, why);
    if (removed < 0 || !device)
        return removed;
    int r = delegation_detach(call->service->delegation, container, device->devpath, &second);
    if (r < 0 && removed == 0)
        *why = second;
    return removed > 0 ? 0 : r;
}

void method_detach(struct control_call *call)
{
    static const char *const known[] = {"container", "device", NULL};
    const char *name, *device_name;
    struct container *container;
    struct device *device = NULL;
    struct refusal why = {.error = 0};

    if (call_only(call, known) < 0 || call_string(call, "container", true, &name) < 0 ||
        call_string(call, "device", true, &device_name) < 0 ||
        call_container(call, name, &container) < 0)
        return;
    bool is_file = attach_rule_is_name(device_name, name);
    if (!is_file && call_device(call, device_name, &device) < 0)
        return;
    int r = detach(call, container, device, device_name, &why);
    if (r == 0 && is_file)
        r = refuse(&why, ENOENT, "no rule directory has %s", device_name);
    if (r >= 0 && delegation_wait(call->service->delegation, container, on_detached, call) < 0)
        r = refuse(&why, ENOMEM, "no memory");
    if (r < 0)
        call_refuse(call, &why);
}
