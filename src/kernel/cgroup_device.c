/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/cgroup_device.h"

#include <errno.h>
#include <stdio.h>

#include "kernel/cgroup.h"
#include "kernel/cgroup_device_v1.h"
#include "kernel/cgroup_device_v2.h"
#include "kernel/cgroup_probe.h"
#include "kernel/device_place.h"
#include "model/json_field.h"

/*
 * On a hybrid host both hierarchies judge each open, so both are asked for every grant. A gate that
 * cannot see all that judges says "unsure", and then a probe in the container's own groups decides.
 */

struct grant_record {
    struct devnum number;
    unsigned access;
};

struct cgroup_device {
    char *name;
    struct cgroup_paths paths;
    struct cgroup_device_v1 *v1; /* NULL: not mounted here */
    struct cgroup_device_v2 *v2;
    struct grant_record *grants;
    size_t count;
    void (*on_change)(void *userdata); /* may be NULL */
    void *userdata;
};

int cgroup_device_clean(const char *bpf_directory)
{
    return device_place_clean(bpf_directory);
}

static void release(struct cgroup_device *gates)
{
    cgroup_paths_done(&gates->paths);
    free(gates->grants);
    free(gates->name);
    free(gates);
}

void cgroup_device_leave(struct cgroup_device *gates)
{
    if (!gates)
        return;
    cgroup_device_v2_leave(gates->v2);
    cgroup_device_v1_leave(gates->v1);
    release(gates);
}

static void destroy(struct cgroup_device *gates)
{
    cgroup_device_v2_close(gates->v2);
    cgroup_device_v1_close(gates->v1);
    release(gates);
}
DEFINE_CLEANUP(struct cgroup_device *, destroy)

int cgroup_device_open(const char *name, const struct namespaces *namespaces,
                       const char *bpf_directory, const json_t *saved, struct cgroup_device **ret,
                       struct refusal *why)
{
    _cleanup_(destroyp) struct cgroup_device *gates = calloc(1, sizeof(*gates));
    if (!gates || !(gates->name = strdup(name)))
        return refuse(why, ENOMEM, "container %s: %s", name, strerror(ENOMEM));
    int r = cgroup_paths_find(namespaces->pid, &gates->paths, why);
    if (r >= 0 && !namespaces_alive(namespaces))
        r = refuse(why, ESRCH, "its process is dead");
    if (r >= 0 && gates->paths.v1_devices)
        r = cgroup_device_v1_open(&gates->paths, namespaces->pid, namespaces->pid_fd, &gates->v1);
    if (r == -ENOMEM && !gates->v1)
        r = refuse(why, ENOMEM, "device cgroup v1: %s", strerror(ENOMEM));
    if (r >= 0 && gates->v1 && saved &&
        cgroup_device_v1_load(gates->v1, json_object_get(saved, "v1")) == -ENOMEM)
        r = refuse(why, ENOMEM, "device cgroup v1: %s", strerror(ENOMEM));
    if (r >= 0 && gates->paths.v2)
        r = cgroup_device_v2_open(&gates->paths, namespaces->pid, namespaces->pid_fd, bpf_directory,
                                  saved != NULL, json_object_get(saved, "v2"), &gates->v2, why);
    if (r < 0) {
        (void)refusal_prefix(why, "container %s", name);
        return r;
    }
    *ret = TAKE_PTR(gates);
    return 0;
}

void cgroup_device_close(struct cgroup_device *gates)
{
    if (gates)
        destroy(gates);
}

json_t *cgroup_device_save(const struct cgroup_device *gates)
{
    struct json_writer writer = json_writer_new();
    if (gates->v1)
        json_write_take(&writer, "v1", cgroup_device_v1_save(gates->v1));
    if (gates->v2)
        json_write_take(&writer, "v2", cgroup_device_v2_save(gates->v2));
    return json_writer_take(&writer);
}

void cgroup_device_take_back(const json_t *saved, const char *bpf_directory)
{
    static const struct cgroup_paths nowhere;
    struct cgroup_device_v1 *v1;
    if (cgroup_device_v1_open(&nowhere, 0, -1, &v1) == 0) {
        (void)cgroup_device_v1_load(v1, json_object_get(saved, "v1"));
        cgroup_device_v1_close(v1);
    }
    cgroup_device_v2_take_back(json_object_get(saved, "v2"), bpf_directory);
}

void cgroup_device_watch(struct cgroup_device *gates, void (*on_change)(void *userdata),
                         void *userdata)
{
    gates->on_change = on_change;
    gates->userdata = userdata;
    if (gates->v1)
        cgroup_device_v1_watch(gates->v1, on_change, userdata);
}

int cgroup_device_prune(struct cgroup_device *gates)
{
    _cleanup_free_ struct devnum *numbers = calloc(gates->count + 1, sizeof(*numbers));
    if (!numbers)
        return -ENOMEM;
    for (size_t i = 0; i < gates->count; i++)
        numbers[i] = gates->grants[i].number;
    int v2 = gates->v2 ? cgroup_device_v2_prune(gates->v2, numbers, gates->count) : 0;
    int v1 = gates->v1 ? cgroup_device_v1_prune(gates->v1, numbers, gates->count) : 0;
    return v2 < 0 ? v2 : v1;
}

static struct grant_record *find_grant(const struct cgroup_device *gates,
                                       const struct devnum *number)
{
    for (size_t i = 0; i < gates->count; i++)
        if (devnum_equal(&gates->grants[i].number, number))
            return &gates->grants[i];
    return NULL;
}

static int record_grant(struct cgroup_device *gates, const struct devnum *number, unsigned access)
{
    struct grant_record *record = find_grant(gates, number);
    if (!record)
        record = array_add(&gates->grants, &gates->count, sizeof(*record));
    if (!record)
        return -ENOMEM;
    *record = (struct grant_record){.number = *number, .access = access};
    return 0;
}

struct doubt {
    bool v1, v2;
};

/* Tries it out, and names the gates that can have refused. */
static int try_out(const struct cgroup_device *gates, struct doubt doubt,
                   const struct devnum *number, unsigned access, struct refusal *why)
{
    if (!doubt.v1 && !doubt.v2)
        return 0;
    int r = cgroup_probe(doubt.v2 ? gates->paths.v2 : NULL,
                         doubt.v1 ? gates->paths.v1_devices : NULL, number, access);
    if (r > 0)
        return 0;
    char strangers[REFUSAL_MAX / 2] = "";
    if (doubt.v2)
        cgroup_device_v2_strangers(gates->v2, strangers, sizeof(strangers));
    char all[REFUSAL_MAX];
    snprintf(all, sizeof(all), "%s%s%s%s%s", doubt.v2 ? "v2 " : "", strangers,
             doubt.v1 && doubt.v2 ? " or " : "", doubt.v1 ? "v1 " : "",
             doubt.v1 ? cgroup_device_v1_describe(gates->v1) : "");
    if (r == 0)
        return refuse(why, doubt.v2 && cgroup_device_v2_is_shared(gates->v2) ? EUSERS : EPERM,
                      "denied by a device cgroup that is not ours to edit: %s", all);
    return refuse(why, -r, "cannot be verified behind the device cgroup %s: %s", all, strerror(-r));
}

/* Where our programs are now is noted when they are there: until then they are found as those of
 * groups that hold the container alone. */
static void tell_changes(const struct cgroup_device *gates, unsigned before)
{
    if (gates->v2 && gates->on_change && cgroup_device_v2_changes(gates->v2) != before)
        gates->on_change(gates->userdata);
}

static int allow(struct cgroup_device *gates, const struct devnum *number, unsigned access,
                 struct refusal *why)
{
    unsigned changes = gates->v2 ? cgroup_device_v2_changes(gates->v2) : 0;
    struct doubt doubt = {0};
    int r = 0;
    if (gates->v1)
        r = cgroup_device_v1_allow(gates->v1, number, access, &doubt.v1, why);
    if (r >= 0 && gates->v2)
        r = cgroup_device_v2_allow(gates->v2, number, access, &doubt.v2, why);
    tell_changes(gates, changes);
    return r < 0 ? r : try_out(gates, doubt, number, access, why);
}

static int deny(struct cgroup_device *gates, const struct devnum *number, struct refusal *why)
{
    int v2 = gates->v2 ? cgroup_device_v2_deny(gates->v2, number, why) : 0;
    int v1 = gates->v1 ? cgroup_device_v1_deny(gates->v1, number, v2 < 0 ? NULL : why) : 0;
    return v2 < 0 ? v2 : v1;
}

/* Back to what was allowed before; what is refused now was not refused then. */
static void undo(struct cgroup_device *gates, const struct devnum *number, unsigned before)
{
    bool unsure;
    if (!before) {
        (void)deny(gates, number, NULL);
        return;
    }
    if (gates->v1)
        (void)cgroup_device_v1_allow(gates->v1, number, before, &unsure, NULL);
    if (gates->v2)
        (void)cgroup_device_v2_allow(gates->v2, number, before, &unsure, NULL);
}

int cgroup_device_allow(struct cgroup_device *gates, const struct devnum *number, unsigned access,
                        struct refusal *why)
{
    const struct grant_record *known = find_grant(gates, number);
    unsigned before = known ? known->access : 0;
    if (number->kind == NODE_NONE || access == 0)
        return refuse(why, EINVAL, "container %s: no device number or no access is asked for",
                      gates->name);
    /* recorded first, so that a grant that is made is never unknown */
    int r = record_grant(gates, number, access);
    if (r < 0)
        return refuse(why, -r, "container %s: %s", gates->name, strerror(-r));
    r = allow(gates, number, access, why);
    if (r >= 0)
        return 0;
    undo(gates, number, before);
    struct grant_record *record = find_grant(gates, number);
    if (before)
        record->access = before;
    else
        *record = gates->grants[--gates->count];
    (void)refusal_prefix(why, "container %s: %c %u:%u", gates->name,
                         number->kind == NODE_BLOCK ? 'b' : 'c', number->major, number->minor);
    return r;
}

int cgroup_device_deny(struct cgroup_device *gates, const struct devnum *number,
                       struct refusal *why)
{
    struct grant_record *record = find_grant(gates, number);
    if (!record)
        return 0;
    int r = deny(gates, number, why);
    if (r < 0) {
        (void)refusal_prefix(why, "container %s", gates->name);
        return r;
    }
    *record = gates->grants[--gates->count];
    return 0;
}

int cgroup_device_ask(const struct cgroup_device *gates, const struct devnum *number,
                      unsigned access, struct refusal *why)
{
    char groups[REFUSAL_MAX / 2];
    if (!gates->v1 && !gates->v2)
        return 0;
    int r = cgroup_probe(gates->paths.v2, gates->paths.v1_devices, number, access);
    if (r > 0)
        return 0;
    cgroup_device_describe(gates, groups, sizeof(groups));
    if (r == 0)
        return refuse(why, EPERM, "the device cgroup denies %c %u:%u: %s, or a group above it",
                      number->kind == NODE_BLOCK ? 'b' : 'c', number->major, number->minor, groups);
    return refuse(why, -r, "the device cgroup (%s) cannot be asked: %s", groups,
                  r == -ETIMEDOUT ? "it is frozen, or the machine very busy" : strerror(-r));
}

int cgroup_device_repair(struct cgroup_device *gates, struct refusal *why)
{
    unsigned changes = gates->v2 ? cgroup_device_v2_changes(gates->v2) : 0;
    int v1 = gates->v1 ? cgroup_device_v1_repair(gates->v1, why) : 0;
    int v2 = v1 >= 0 && gates->v2 ? cgroup_device_v2_repair(gates->v2, why) : 0;
    tell_changes(gates, changes);
    if (v1 >= 0 && v2 >= 0)
        return v1 + v2;
    (void)refusal_prefix(why, "container %s", gates->name);
    return v1 < 0 ? v1 : v2;
}

const char *cgroup_device_describe(const struct cgroup_device *gates, char *out, size_t size)
{
    char v2[REFUSAL_MAX] = "";
    if (gates->v2)
        cgroup_device_v2_describe(gates->v2, v2, sizeof(v2));
    if (!gates->v1 && !gates->v2)
        snprintf(out, size, "none");
    else
        snprintf(out, size, "%s%s%s%s%s", gates->v1 ? "v1 " : "",
                 gates->v1 ? cgroup_device_v1_describe(gates->v1) : "",
                 gates->v1 && gates->v2 ? ", " : "", gates->v2 ? "v2 " : "", v2);
    return out;
}
