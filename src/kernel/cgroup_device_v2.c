/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/cgroup_device_v2.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>

#include "kernel/cgroup_group.h"
#include "kernel/device_map.h"
#include "kernel/device_places.h"
#include "model/json_field.h"

#define ROUNDS_MAX 8 /* of looking again, where programs change while we edit */

struct cgroup_device_v2 {
    const struct cgroup_paths *paths;
    pid_t init_pid;
    int pid_fd;
    struct cgroup_groups groups; /* as they were when last looked for */
    bool resumes; /* what a predecessor allowed stays until cgroup_device_v2_prune() */
    struct device_map map;
    struct device_places places;
};

static const char *below_mount(const struct cgroup_device_v2 *gate, const char *group)
{
    const char *rest = after_prefix(group, gate->paths->v2_mount);
    return rest && *rest ? rest : "/";
}

static int refuse_group(const struct cgroup_device_v2 *gate, const char *group, int error,
                        struct refusal *why)
{
    return refuse(why, error, "device cgroup v2 %s: %s", below_mount(gate, group), strerror(error));
}

/* ---- taking places ---- */

/* Returns 1, or a negative errno and the reason. */
static int take_place(struct cgroup_device_v2 *gate, const char *group, int group_fd, uint32_t id,
                      int map_fd, struct refusal *why)
{
    int r = device_places_take(&gate->places, group, group_fd, id, map_fd, why);
    return r == -ENOMEM ? refuse_group(gate, group, ENOMEM, why) : r < 0 ? r : 1;
}

/*
 * Takes the place of each program on one group that is not ours. A program that goes while we work
 * on it makes us look again. Returns how many were taken.
 */
static int take_group(struct cgroup_device_v2 *gate, const char *group, int map_fd,
                      struct refusal *why)
{
    _cleanup_close_ int fd = cgroup_group_open(group, 0);
    if (fd < 0)
        return fd == -ENOENT ? 0 : refuse_group(gate, group, -fd, why);
    uint64_t group_id = cgroup_group_id(fd);
    int taken = 0;
    for (int round = 0; round < ROUNDS_MAX; round++) {
        struct device_attachments now;
        int r = device_attachments_query(fd, false, &now);
        if (r < 0)
            return refuse_group(gate, group, -r, why);
        device_places_forget_lost(&gate->places, group_id, &now);
        size_t i = 0;
        while (i < now.count && device_places_find(&gate->places, group_id, now.ids[i]))
            i++;
        if (i == now.count)
            return taken;
        for (; i < now.count; i++) {
            if (device_places_find(&gate->places, group_id, now.ids[i]))
                continue;
            r = take_place(gate, group, fd, now.ids[i], map_fd, why);
            if (r < 0 && r != -ENOENT)
                return r;
            taken += r > 0;
        }
    }
    return refuse(why, EAGAIN, "device cgroup v2 %s: its programs change all the time",
                  below_mount(gate, group));
}

static int find_groups(struct cgroup_device_v2 *gate, struct refusal *why)
{
    const struct cgroup_paths *paths = gate->paths;
    struct cgroup_groups groups = {0};
    int r = cgroup_groups_find(&groups, paths->v2, paths->v2_mount, gate->init_pid, gate->pid_fd);
    if (r < 0)
        return refuse_group(gate, paths->v2, -r, why);
    cgroup_groups_done(&gate->groups);
    gate->groups = groups;
    return 0;
}

/* Who is alone in a group is asked anew before anything is put there. Returns how many were taken.
 */
static int take_groups(struct cgroup_device_v2 *gate, struct refusal *why)
{
    int r = find_groups(gate, why);
    if (r < 0 || gate->groups.count == 0)
        return r;
    _cleanup_close_ int map_fd = device_map_open(&gate->map);
    if (map_fd == -ENOENT)
        map_fd = device_map_new(&gate->map);
    if (map_fd < 0)
        return refuse_group(gate, gate->paths->v2, -map_fd, why);
    int taken = 0;
    for (size_t i = 0; i < gate->groups.count; i++) {
        r = take_group(gate, gate->groups.paths[i], map_fd, why);
        if (r < 0)
            return r;
        taken += r;
    }
    return taken;
}

/* Whether a program that is not ours judges the container's processes: 1, 0 or a negative errno. */
static int has_strangers(const struct cgroup_device_v2 *gate)
{
    struct device_attachments now;
    _cleanup_close_ int fd = cgroup_group_open(gate->paths->v2, 0);
    int r = fd < 0 ? fd : device_attachments_query(fd, true, &now);
    if (r < 0)
        return r;
    for (size_t i = 0; i < now.count; i++)
        if (!device_places_find(&gate->places, 0, now.ids[i]))
            return 1;
    return 0;
}

static bool places_are_ours(const struct cgroup_device_v2 *gate, size_t which)
{
    struct device_attachments now;
    _cleanup_close_ int fd = cgroup_group_open(gate->groups.paths[which], 0);
    if (fd < 0 || device_attachments_query(fd, false, &now) < 0)
        return fd == -ENOENT;
    uint64_t group_id = cgroup_group_id(fd);
    for (size_t i = 0; i < now.count; i++)
        if (!device_places_find(&gate->places, group_id, now.ids[i]))
            return false;
    return true;
}

/* Cheap: a query for each group. */
static bool all_is_in_place(const struct cgroup_device_v2 *gate)
{
    for (size_t i = 0; i < gate->groups.count; i++)
        if (!places_are_ours(gate, i))
            return false;
    return true;
}

/* ---- the interface ---- */

static int apply(struct cgroup_device_v2 *gate, const struct device_filter_key *key,
                 bool *ret_unsure, struct refusal *why)
{
    int strangers = has_strangers(gate);
    if (strangers > 0) {
        int taken = take_groups(gate, why);
        if (taken < 0)
            return taken;
        strangers = has_strangers(gate);
    }
    int r = strangers < 0 ? strangers : device_map_write(&gate->map, key);
    if (r == -E2BIG)
        return refuse(why, ENOSPC, "the container has %d devices already, which is the limit",
                      DEVICE_MAP_MAX);
    if (r < 0)
        return refuse_group(gate, gate->paths->v2, -r, why);
    *ret_unsure = strangers > 0;
    return 0;
}

int cgroup_device_v2_allow(struct cgroup_device_v2 *gate, const struct devnum *number,
                           unsigned access, bool *ret_unsure, struct refusal *why)
{
    struct device_filter_key key = device_filter_key(number);
    uint32_t before = device_map_bits(&gate->map, &key);
    int r = device_map_set(&gate->map, &key, device_filter_access(access));
    if (r < 0)
        return refuse_group(gate, gate->paths->v2, -r, why);
    r = apply(gate, &key, ret_unsure, why);
    if (r >= 0)
        return 0;
    (void)device_map_set(&gate->map, &key, before);
    (void)device_map_write(&gate->map, &key);
    if (gate->map.count == 0)
        device_places_restore(&gate->places);
    return r;
}

int cgroup_device_v2_deny(struct cgroup_device_v2 *gate, const struct devnum *number,
                          struct refusal *why)
{
    struct device_filter_key key = device_filter_key(number);
    uint32_t before = device_map_bits(&gate->map, &key);
    if (!before)
        return 0;
    (void)device_map_set(&gate->map, &key, 0);
    int r = device_map_write(&gate->map, &key);
    if (r < 0) {
        (void)device_map_set(&gate->map, &key, before);
        return refuse_group(gate, gate->paths->v2, -r, why);
    }
    return 0;
}

int cgroup_device_v2_repair(struct cgroup_device_v2 *gate, struct refusal *why)
{
    /* in no group alone: others may have left meanwhile */
    if (gate->map.count == 0 || (gate->groups.count > 0 && all_is_in_place(gate)))
        return 0;
    return take_groups(gate, why);
}

/* A program of ours that a predecessor put there. Its map is ours if we have none yet, and is
 * emptied unless we go on with what was allowed. */
static int adopt(struct cgroup_device_v2 *gate, const char *group, int group_fd, uint32_t id)
{
    struct device_program program;
    uint32_t map_id;
    if (device_places_find(&gate->places, cgroup_group_id(group_fd), id))
        return 0;
    int r = device_program_find(id, &program, NULL);
    if (r < 0 || !program.ours || !device_program_map(&program, DEVICE_MAP_NAME, &map_id))
        return r == -ENOENT ? 0 : r;
    _cleanup_close_ int map_fd = bpf_map_get_fd_by_id(map_id);
    bool known = gate->map.id == map_id, first = gate->map.id == 0;
    r = map_fd;
    if (r >= 0 && !known)
        r = gate->resumes && first ? device_map_load(&gate->map, map_fd) : device_map_empty(map_fd);
    if (r < 0)
        return r;
    if (first)
        gate->map.id = map_id;
    if (!known && !first) /* will be taken like a stranger's */
        return 0;
    return device_places_adopt(&gate->places, group, group_fd, &program);
}

static int adopt_group(struct cgroup_device_v2 *gate, const char *group, struct refusal *why)
{
    struct device_attachments now;
    _cleanup_close_ int fd = cgroup_group_open(group, 0);
    int r = fd < 0 ? fd : device_attachments_query(fd, false, &now);
    for (size_t i = 0; r >= 0 && i < now.count; i++)
        r = adopt(gate, group, fd, now.ids[i]);
    return r < 0 ? refuse_group(gate, group, -r, why) : 0;
}

json_t *cgroup_device_v2_save(const struct cgroup_device_v2 *gate)
{
    return device_places_save(&gate->places);
}

unsigned cgroup_device_v2_changes(const struct cgroup_device_v2 *gate)
{
    return gate->places.changes;
}

/* A group that was noted, if it is still the same. Whether it is: *ret_group is to be freed. */
static bool read_saved(const json_t *saved, char **ret_group)
{
    struct json_reader reader = json_reader_of(saved);
    _cleanup_free_ char *group = json_read_text(&reader, "group");
    uint64_t group_id = json_read_number(&reader, "group_id", INT64_MAX);
    _cleanup_close_ int fd = group && group_id ? cgroup_group_open(group, group_id) : -1;
    if (reader.error || fd < 0)
        return false;
    *ret_group = TAKE_PTR(group);
    return true;
}

static int adopt_saved(struct cgroup_device_v2 *gate, const json_t *saved, struct refusal *why)
{
    int r = 0;
    for (size_t i = 0; r >= 0 && i < json_array_size(saved); i++) {
        _cleanup_free_ char *group = NULL;
        if (read_saved(json_array_get(saved, i), &group))
            r = adopt_group(gate, group, why);
    }
    return r;
}

void cgroup_device_v2_take_back(const json_t *saved, const char *directory)
{
    static char nothing[] = "";
    const struct cgroup_paths nowhere = {.v2 = nothing, .v2_mount = nothing};
    struct cgroup_device_v2 *gate = calloc(1, sizeof(*gate));
    if (!gate)
        return;
    gate->paths = &nowhere;
    gate->pid_fd = -1;
    if (device_places_init(&gate->places, directory) == 0)
        (void)adopt_saved(gate, saved, NULL);
    cgroup_device_v2_close(gate);
}

int cgroup_device_v2_open(const struct cgroup_paths *paths, pid_t init_pid, int pid_fd,
                          const char *directory, bool resume, const json_t *saved,
                          struct cgroup_device_v2 **ret, struct refusal *why)
{
    struct cgroup_device_v2 *gate = calloc(1, sizeof(*gate));
    if (!gate)
        return refuse(why, ENOMEM, "device cgroup v2: %s", strerror(ENOMEM));
    gate->paths = paths;
    gate->init_pid = init_pid;
    gate->pid_fd = pid_fd;
    gate->resumes = resume;
    int r = device_places_init(&gate->places, directory);
    r = r < 0 ? refuse_group(gate, paths->v2, -r, why) : find_groups(gate, why);
    if (r >= 0)
        r = adopt_saved(gate, saved, why);
    for (size_t i = 0; r >= 0 && i < gate->groups.count; i++)
        r = adopt_group(gate, gate->groups.paths[i], why);
    if (r < 0) {
        cgroup_device_v2_close(gate);
        return r;
    }
    *ret = gate;
    return 0;
}

static bool is_among(const struct device_filter_key *key, const struct devnum *numbers,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct device_filter_key kept = device_filter_key(&numbers[i]);
        if (memcmp(&kept, key, sizeof(kept)) == 0)
            return true;
    }
    return false;
}

int cgroup_device_v2_prune(struct cgroup_device_v2 *gate, const struct devnum *numbers,
                           size_t count)
{
    for (size_t i = gate->map.count; i-- > 0;) { /* the last one fills a gap */
        struct device_filter_key key = gate->map.entries[i].key;
        if (is_among(&key, numbers, count))
            continue;
        (void)device_map_set(&gate->map, &key, 0);
        int r = device_map_write(&gate->map, &key);
        if (r < 0)
            return r;
    }
    return 0;
}

/* The programs stay, and what they need is pinned; one that is not is not known to a successor. */
void cgroup_device_v2_leave(struct cgroup_device_v2 *gate)
{
    if (!gate)
        return;
    device_places_leave(&gate->places);
    gate->map.id = 0;
    cgroup_device_v2_close(gate);
}

void cgroup_device_v2_close(struct cgroup_device_v2 *gate)
{
    if (!gate)
        return;
    _cleanup_close_ int map_fd = device_map_open(&gate->map);
    if (map_fd >= 0)
        (void)device_map_empty(map_fd);
    device_places_restore(&gate->places);
    device_places_done(&gate->places);
    device_map_done(&gate->map);
    cgroup_groups_done(&gate->groups);
    free(gate);
}

/* ---- for people ---- */

static bool group_has_strangers(const struct cgroup_device_v2 *gate, const char *group)
{
    struct device_attachments now;
    _cleanup_close_ int fd = cgroup_group_open(group, 0);
    if (fd < 0 || device_attachments_query(fd, false, &now) < 0)
        return false;
    for (size_t i = 0; i < now.count; i++)
        if (!device_places_find(&gate->places, 0, now.ids[i]))
            return true;
    return false;
}

bool cgroup_device_v2_is_shared(const struct cgroup_device_v2 *gate)
{
    return gate->groups.count == 0 && !streq(gate->paths->v2, gate->paths->v2_mount);
}

const char *cgroup_device_v2_strangers(const struct cgroup_device_v2 *gate, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    _cleanup_free_ char *group = strdup(gate->paths->v2);
    while (group && after_prefix(group, gate->paths->v2_mount)) {
        if (group_has_strangers(gate, group) && used < size) {
            int n = snprintf(out + used, size - used, "%s%s", used ? ", " : "",
                             below_mount(gate, group));
            used += n > 0 ? (size_t)n : 0;
        }
        char *parent = cgroup_group_parent(group);
        free(group);
        group = parent;
    }
    return out;
}

const char *cgroup_device_v2_describe(const struct cgroup_device_v2 *gate, char *out, size_t size)
{
    size_t spliced = 0, called = 0;
    for (size_t i = 0; i < gate->places.count; i++)
        if (gate->places.items[i].tail_call)
            called++;
        else
            spliced++;
    snprintf(out, size, "%s%s%s", below_mount(gate, gate->paths->v2), spliced ? " spliced" : "",
             called ? " tail-called" : "");
    return out;
}
