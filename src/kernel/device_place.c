/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/device_place.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "base/text.h"
#include "kernel/cgroup_group.h"
#include "kernel/device_attachment.h"

#define PIN_PREFIX "held_" /* a bpffs takes no name with a dot */
#define SYSTEMD_PROGRAM "sd_devices"

static const char *pin_path(const char *directory, uint32_t id, char out[static PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s/" PIN_PREFIX "%u", directory, id);
    return out;
}

static void unpin(const char *directory, uint32_t id)
{
    char path[PATH_MAX];
    if (directory)
        (void)unlink(pin_path(directory, id, path));
}

static int pin(const char *directory, uint32_t id, int fd)
{
    char path[PATH_MAX];
    unpin(directory, id); /* ids come again after four thousand millions */
    return bpf_obj_pin(fd, pin_path(directory, id, path));
}

void device_place_done(struct device_place *place)
{
    free(place->group);
    fd_close(place->original_fd);
    *place = (struct device_place){.original_fd = -1};
}

static int refuse_program(const struct device_program *program, const char *group, int error,
                          const char *reason, struct refusal *why)
{
    return refuse(why, error, "device program %u (%s) on %s cannot stand behind another: %s",
                  program->id, *program->name ? program->name : "without name", group, reason);
}

/* Keeps what ours needs: by pin, or where that is not to be had by descriptor. */
static int keep(struct device_place *place, const char *directory, int *original_fd, int array_fd)
{
    int r = -ENOTSUP;
    if (directory)
        r = pin(directory, place->id, place->tail_call ? array_fd : *original_fd);
    place->pinned = r >= 0;
    if (r >= 0)
        return 0;
    if (place->tail_call)
        return r;
    place->original_fd = TAKE_FD(*original_fd);
    return 0;
}

int device_place_take(const char *group, int group_fd, uint32_t program_id, int map_fd,
                      const char *directory, struct device_place *ret, struct refusal *why)
{
    _cleanup_(device_place_done) struct device_place place = {.original_fd = -1};
    _cleanup_close_ int original_fd = -1, fd = -1, array_fd = -1;
    const char *reason = "it cannot be read";
    struct device_program own;

    int r = device_program_find(program_id, &place.original, &original_fd);
    if (r < 0)
        return r == -ENOENT ? r
                            : refuse(why, -r, "device program %u on %s cannot be read: %s",
                                     program_id, group, strerror(-r));
    r = device_program_wrap(original_fd, map_fd, !directory, &fd, &array_fd, &reason);
    if (r < 0)
        return refuse_program(&place.original, group, -r, reason, why);

    place.group = strdup(group);
    place.group_id = cgroup_group_id(group_fd);
    place.tail_call = array_fd >= 0;
    r = place.group ? device_program_look(fd, &own) : -ENOMEM;
    if (r < 0)
        return refuse_program(&place.original, group, -r, strerror(-r), why);
    place.id = own.id;
    int held_fd = fcntl(original_fd, F_DUPFD_CLOEXEC, 3);
    r = held_fd < 0 ? -errno : keep(&place, directory, &held_fd, array_fd);
    fd_close(held_fd);
    if (r < 0)
        return refuse_program(&place.original, group, -r, "it cannot be kept on the bpffs", why);

    r = device_attachments_exchange(group_fd, original_fd, program_id, fd);
    if (r < 0) {
        unpin(directory, place.id);
        return r == -ENOENT ? r : refuse_program(&place.original, group, -r, strerror(-r), why);
    }
    *ret = place;
    place = (struct device_place){.original_fd = -1};
    return 0;
}

/* A descriptor of the runtime's own program, or a negative errno. */
static int open_original(const struct device_place *place, const char *directory)
{
    if (place->original_fd >= 0)
        return fcntl(place->original_fd, F_DUPFD_CLOEXEC, 3);
    if (!directory)
        return -ENOENT;
    char path[PATH_MAX];
    int fd = bpf_obj_get(pin_path(directory, place->id, path)), program_fd = -ENOENT;
    if (fd < 0 || !place->tail_call)
        return fd;
    uint32_t id;
    int r = device_program_in_array(fd, &id, &program_fd);
    fd_close(fd);
    return r < 0 ? r : program_fd;
}

int device_place_adopt(const char *group, int group_fd, const struct device_program *program,
                       const char *directory, struct device_place *ret)
{
    uint32_t array_id;
    struct device_place place = {.group = strdup(group),
                                 .group_id = cgroup_group_id(group_fd),
                                 .id = program->id,
                                 .tail_call =
                                     device_program_map(program, DEVICE_PROGRAM_ARRAY, &array_id),
                                 .original_fd = -1};
    if (!place.group)
        return -ENOMEM;
    _cleanup_close_ int original_fd = open_original(&place, directory);
    place.pinned = original_fd >= 0;
    if (place.pinned && device_program_look(original_fd, &place.original) < 0)
        place.original = (struct device_program){0};
    *ret = place;
    return 0;
}

/* Whether our program is gone from its group, or the group itself is. */
static bool is_gone(const struct device_place *place, int group_fd)
{
    struct device_attachments now;
    if (group_fd < 0)
        return group_fd == -ENOENT;
    int r = device_attachments_query(group_fd, false, &now);
    return r < 0 ? r == -ENOENT || r == -ENODEV : !device_attachments_have(&now, place->id);
}

void device_place_forget(const struct device_place *place, const char *directory)
{
    if (place->pinned)
        unpin(directory, place->id);
}

void device_place_restore(const struct device_place *place, const char *directory)
{
    _cleanup_close_ int group_fd = cgroup_group_open(place->group, place->group_id);
    _cleanup_close_ int original_fd = open_original(place, directory);
    _cleanup_close_ int own_fd = bpf_prog_get_fd_by_id(place->id);
    if (group_fd >= 0 && original_fd >= 0 && own_fd >= 0)
        (void)device_attachments_exchange(group_fd, own_fd, place->id, original_fd);
    if (is_gone(place, group_fd))
        device_place_forget(place, directory);
}

bool device_place_is_superseded(const struct device_place *place,
                                const struct device_program *program)
{
    const struct device_program *original = &place->original;
    if (original->id == 0)
        return false;
    if (streq(original->name, SYSTEMD_PROGRAM) && streq(program->name, SYSTEMD_PROGRAM))
        return true;
    /* a tag says nothing of what is in the maps */
    return original->map_count == 0 && program->map_count == 0 &&
           streq(original->name, program->name) &&
           memcmp(original->tag, program->tag, sizeof(program->tag)) == 0;
}

int device_place_drop(const struct device_place *place, const struct device_place *other,
                      const char *directory)
{
    _cleanup_close_ int group_fd = cgroup_group_open(place->group, place->group_id);
    if (group_fd < 0)
        return group_fd;
    _cleanup_close_ int own_fd = bpf_prog_get_fd_by_id(place->id);
    if (own_fd < 0)
        return own_fd;
    int r = device_attachments_drop(group_fd, own_fd, place->id, other->id);
    if (r >= 0)
        device_place_forget(place, directory);
    return r;
}

int device_place_clean(const char *directory)
{
    DIR *stream = opendir(directory);
    if (!stream)
        return errno == ENOENT ? 0 : -errno;
    for (struct dirent *entry; (entry = readdir(stream));) {
        struct device_program program;
        uint64_t id;
        const char *number = after_prefix(entry->d_name, PIN_PREFIX);
        if (!number || text_to_number(number, UINT32_MAX, &id) < 0)
            continue;
        int r = device_program_find((uint32_t)id, &program, NULL);
        if (r == -ENOENT || (r >= 0 && !program.ours))
            unpin(directory, (uint32_t)id);
    }
    closedir(stream);
    return 0;
}
