/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/cgroup_device_v1.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "kernel/cgroup_additions.h"
#include "kernel/cgroup_group.h"
#include "model/device_list.h"

#define LIST_MAX (64 * 1024) /* of devices.list; a longer one is refused */
#define NESTING_MAX 32

struct cgroup_device_v1 {
    const struct cgroup_paths *paths;
    pid_t init_pid;
    int pid_fd;
    struct cgroup_additions additions; /* a parent's before its children's */
    void (*on_change)(void *userdata); /* may be NULL */
    void *userdata;
};

int cgroup_device_v1_open(const struct cgroup_paths *paths, pid_t init_pid, int pid_fd,
                          struct cgroup_device_v1 **ret)
{
    struct cgroup_device_v1 *gate = calloc(1, sizeof(*gate));
    if (!gate)
        return -ENOMEM;
    *gate = (struct cgroup_device_v1){.paths = paths, .init_pid = init_pid, .pid_fd = pid_fd};
    *ret = gate;
    return 0;
}

static const char *below_mount(const struct cgroup_device_v1 *gate, const char *group)
{
    const char *rest = after_prefix(group, gate->paths->v1_mount);
    return rest && *rest ? rest : "/";
}

const char *cgroup_device_v1_describe(const struct cgroup_device_v1 *gate)
{
    return below_mount(gate, gate->paths->v1_devices);
}

/* ---- one group ---- */

static int read_list(int group_fd, char **ret)
{
    _cleanup_free_ char *text = malloc(LIST_MAX);
    if (!text)
        return -ENOMEM;
    ssize_t length = file_read_at(group_fd, "devices.list", text, LIST_MAX);
    if (length < 0)
        return (int)length;
    *ret = TAKE_PTR(text);
    return 0;
}

static int write_entry(int group_fd, const char *file, const struct devnum *number, unsigned access)
{
    char entry[DEVICE_LIST_ENTRY_MAX];
    device_list_entry(number, access, entry);
    _cleanup_close_ int fd = openat(group_fd, file, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    return write(fd, entry, strlen(entry)) < 0 ? -errno : 0;
}

void cgroup_device_v1_watch(struct cgroup_device_v1 *gate, void (*on_change)(void *userdata),
                            void *userdata)
{
    gate->on_change = on_change;
    gate->userdata = userdata;
}

/*
 * Denies in one group. One that allows all by now (its runtime changed its mind) is left alone: a
 * denial there would be an exception that its list does not even show.
 */
static int deny_in(int group_fd, const struct devnum *number, unsigned bits)
{
    _cleanup_free_ char *list = NULL;
    int r = read_list(group_fd, &list);
    if (r < 0 || device_list_judge(list, number, bits).allows_all)
        return r;
    return write_entry(group_fd, "devices.deny", number, bits);
}

/* Takes `bits` of an addition back. A group that is gone, or is another by now, has nothing of
 * ours. */
static int take_back(struct cgroup_addition *addition, unsigned bits)
{
    bits &= addition->access;
    if (!bits)
        return 0;
    _cleanup_close_ int fd = cgroup_group_open(addition->group, addition->group_id);
    int r = fd < 0 ? fd : deny_in(fd, &addition->number, bits);
    if (r == -ENOENT || r == -ENODEV)
        r = 0;
    if (r == 0)
        addition->access &= ~bits;
    return r;
}

/*
 * Gives one group what it lacks. Returns 1 when something was added (*ret_before: the list as it
 * was), 0 when nothing was missing.
 */
static int give(struct cgroup_device_v1 *gate, const char *group, int fd,
                const struct devnum *number, unsigned access, char **ret_before, bool *ret_unsure)
{
    _cleanup_free_ char *before = NULL;
    int r = read_list(fd, &before);
    if (r < 0)
        return r;
    struct device_list_verdict verdict = device_list_judge(before, number, access);
    *ret_unsure |= verdict.allows_all;
    if (!verdict.missing)
        return 0;

    struct cgroup_addition *addition;
    r = cgroup_additions_add(&gate->additions, number, group, cgroup_group_id(fd), &addition);
    if (r < 0)
        return r;
    /* recorded first: nothing is ever added that would not be taken back, whatever ends us */
    unsigned had = addition->access;
    addition->access |= verdict.missing;
    if (gate->on_change)
        gate->on_change(gate->userdata);
    r = write_entry(fd, "devices.allow", number, verdict.missing);
    if (r < 0) {
        addition->access = had;
        return r;
    }
    *ret_before = TAKE_PTR(before);
    return 1;
}

/* ---- the groups of the container ---- */

/*
 * The groups inside that had the list of their parent get the same; one with a list of its own has
 * it for a reason. Best effort: the promise is about the container's own group.
 */
static void give_to_heirs(struct cgroup_device_v1 *gate, const char *parent, int parent_fd,
                          const struct devnum *number, unsigned access, const char *list, int depth)
{
    int copy = openat(parent_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = copy < 0 ? NULL : fdopendir(copy);
    if (!directory) {
        fd_close(copy);
        return;
    }
    for (struct dirent *entry; (entry = readdir(directory));) {
        _cleanup_free_ char *group = NULL, *own = NULL, *before = NULL;
        bool unsure = false;
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
            asprintf(&group, "%s/%s", parent, entry->d_name) < 0)
            continue;
        _cleanup_close_ int fd =
            openat(parent_fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || read_list(fd, &own) < 0 || !streq(own, list))
            continue;
        if (give(gate, group, fd, number, access, &before, &unsure) > 0 && depth > 0)
            give_to_heirs(gate, group, fd, number, access, before, depth - 1);
    }
    closedir(directory);
}

static int refuse_group(const struct cgroup_device_v1 *gate, const char *group,
                        const struct devnum *number, int error, struct refusal *why)
{
    char entry[DEVICE_LIST_ENTRY_MAX];
    device_list_entry(number, 0, entry);
    if (error != EPERM && error != EUSERS)
        return refuse(why, error, "device cgroup v1 %s: %s", below_mount(gate, group),
                      strerror(error));
    return refuse(why, error, "device cgroup v1 %s, which others share, does not allow %s",
                  below_mount(gate, group), entry);
}

/* A group that is not the container's alone: looked at, never written to. */
static int look(const struct cgroup_device_v1 *gate, const char *group, const struct devnum *number,
                unsigned access, bool *ret_unsure, struct refusal *why)
{
    _cleanup_free_ char *list = NULL;
    _cleanup_close_ int fd = cgroup_group_open(group, 0);
    int r = fd < 0 ? fd : read_list(fd, &list);
    if (r < 0)
        return refuse_group(gate, group, number, -r, why);
    struct device_list_verdict verdict = device_list_judge(list, number, access);
    bool is_root = streq(group, gate->paths->v1_mount);
    if (verdict.missing)
        return refuse_group(gate, group, number, is_root ? EPERM : EUSERS, why);
    /* what is denied in the root is denied to the whole host: its own business, and ours fails too
     */
    *ret_unsure |= verdict.allows_all && !is_root;
    return 0;
}

static int give_group(struct cgroup_device_v1 *gate, const char *group, const struct devnum *number,
                      unsigned access, bool *ret_unsure, struct refusal *why)
{
    _cleanup_free_ char *before = NULL, *parent = NULL;
    _cleanup_close_ int fd = cgroup_group_open(group, 0);
    int r = fd < 0 ? fd : give(gate, group, fd, number, access, &before, ret_unsure);
    if (r > 0)
        give_to_heirs(gate, group, fd, number, access, before, NESTING_MAX);
    if (r >= 0)
        return 0;
    /* EPERM is the parent's answer: a child cannot have more */
    parent = r == -EPERM ? cgroup_group_parent(group) : NULL;
    return refuse_group(gate, parent ? parent : group, number, -r, why);
}

/* From the top down, because a child can have only what its parent has. */
static int give_groups(struct cgroup_device_v1 *gate, const struct devnum *number, unsigned access,
                       bool *ret_unsure, struct refusal *why)
{
    const struct cgroup_paths *paths = gate->paths;
    _cleanup_(cgroup_groups_done) struct cgroup_groups groups = {0};
    int r = cgroup_groups_find(&groups, paths->v1_devices, paths->v1_mount, gate->init_pid,
                               gate->pid_fd);
    if (r < 0)
        return refuse_group(gate, paths->v1_devices, number, r == -EPERM ? EACCES : -r, why);
    if (groups.count == 0)
        return look(gate, paths->v1_devices, number, access, ret_unsure, why);
    for (size_t i = groups.count; i-- > 0 && r >= 0;)
        r = give_group(gate, groups.paths[i], number, access, ret_unsure, why);
    return r;
}

/* Sets what each addition for `number` may be at most; the children first. */
static int limit(struct cgroup_device_v1 *gate, const struct devnum *number, unsigned access)
{
    int result = 0;
    for (size_t i = gate->additions.count; i-- > 0;) {
        struct cgroup_addition *addition = &gate->additions.items[i];
        int r = devnum_equal(&addition->number, number) ? take_back(addition, ~access) : 0;
        if (r < 0 && result == 0)
            result = r;
    }
    cgroup_additions_drop_empty(&gate->additions);
    return result;
}

int cgroup_device_v1_allow(struct cgroup_device_v1 *gate, const struct devnum *number,
                           unsigned access, bool *ret_unsure, struct refusal *why)
{
    unsigned before = cgroup_additions_access(&gate->additions, number);
    bool unsure = false;
    int r = give_groups(gate, number, access, &unsure, why);
    if (r < 0) {
        (void)limit(gate, number, before);
        return r;
    }
    r = limit(gate, number, access);
    if (r < 0)
        return refuse_group(gate, gate->paths->v1_devices, number, -r, why);
    *ret_unsure = unsure;
    return 0;
}

int cgroup_device_v1_deny(struct cgroup_device_v1 *gate, const struct devnum *number,
                          struct refusal *why)
{
    int r = limit(gate, number, 0);
    return r < 0 ? refuse_group(gate, gate->paths->v1_devices, number, -r, why) : 0;
}

/* Parents come first in the array, so that their children may have it again. */
int cgroup_device_v1_repair(struct cgroup_device_v1 *gate, struct refusal *why)
{
    int repairs = 0;
    for (size_t i = 0; i < gate->additions.count; i++) {
        struct cgroup_addition *addition = &gate->additions.items[i];
        _cleanup_free_ char *list = NULL;
        _cleanup_close_ int fd = cgroup_group_open(addition->group, addition->group_id);
        if (fd == -ENOENT || (fd >= 0 && read_list(fd, &list) == -ENODEV))
            continue;
        if (fd < 0 || !list)
            return refuse_group(gate, addition->group, &addition->number, fd < 0 ? -fd : EIO, why);
        struct device_list_verdict verdict =
            device_list_judge(list, &addition->number, addition->access);
        if (!verdict.missing || verdict.allows_all)
            continue;
        int r = write_entry(fd, "devices.allow", &addition->number, verdict.missing);
        if (r < 0)
            return refuse_group(gate, addition->group, &addition->number, -r, why);
        repairs++;
    }
    return repairs;
}

static bool is_among(const struct devnum *number, const struct devnum *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (devnum_equal(number, &numbers[i]))
            return true;
    return false;
}

int cgroup_device_v1_prune(struct cgroup_device_v1 *gate, const struct devnum *numbers,
                           size_t count)
{
    int first = 0;
    for (size_t i = gate->additions.count; i-- > 0;) { /* children before their parents */
        struct cgroup_addition *addition = &gate->additions.items[i];
        int r = is_among(&addition->number, numbers, count) ? 0 : take_back(addition, ~0u);
        if (r < 0 && first == 0)
            first = r;
    }
    cgroup_additions_drop_empty(&gate->additions);
    return first;
}

void cgroup_device_v1_leave(struct cgroup_device_v1 *gate)
{
    if (!gate)
        return;
    cgroup_additions_done(&gate->additions);
    free(gate);
}

void cgroup_device_v1_close(struct cgroup_device_v1 *gate)
{
    if (gate)
        (void)cgroup_device_v1_prune(gate, NULL, 0);
    cgroup_device_v1_leave(gate);
}

json_t *cgroup_device_v1_save(const struct cgroup_device_v1 *gate)
{
    return cgroup_additions_save(&gate->additions);
}

int cgroup_device_v1_load(struct cgroup_device_v1 *gate, const json_t *saved)
{
    return cgroup_additions_load(&gate->additions, saved);
}
