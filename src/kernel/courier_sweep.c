/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/courier_verbs.h"

/*
 * Records that nobody will come back for: a daemon left them whose notes were lost. What has
 * neither our mode nor our owner stays; root inside may pass its own files off as ours, which is
 * its own loss.
 */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#include "kernel/mount_api.h"

#define ENTRIES_MAX 16384 /* more than a machine has devices */
#define ANY_ID "n1"       /* for the directory above it */

static void remove_record(const struct courier_world *world, const char *id)
{
    char path[UDEV_RECORD_PATH_MAX];
    struct courier_request request = {.verb = COURIER_RECORD_REMOVE};
    struct courier_reply reply = {0};
    if (udev_record_path(id, path) < 0)
        return;
    snprintf(request.path, sizeof(request.path), "%s", id);
    (void)courier_record_remove(world, &request, &reply, NULL);
}

static int open_data(const struct courier_world *world)
{
    char path[UDEV_RECORD_PATH_MAX];
    _cleanup_(courier_place_close) struct courier_place place = {0};
    if (udev_record_path(ANY_ID, path) < 0 ||
        courier_place_open(world, path, false, &place, NULL) < 0)
        return -1;
    int parent_fd = courier_place_parent(&place);
    return parent_fd < 0 ? -1 : open_beneath(parent_fd, ".", O_RDONLY | O_DIRECTORY, 0);
}

void courier_records_sweep(const struct courier_world *world)
{
    _Alignas(struct dirent64) char buffer[4096];
    size_t count = 0;
    ssize_t size;
    _cleanup_close_ int fd = open_data(world);
    if (fd < 0)
        return;
    while (count < ENTRIES_MAX && (size = getdents64(fd, buffer, sizeof(buffer))) > 0)
        for (ssize_t at = 0; at < size; count++) {
            const struct dirent64 *entry = (const struct dirent64 *)(const void *)(buffer + at);
            remove_record(world, entry->d_name);
            at += entry->d_reclen;
        }
}
