/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/courier_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "kernel/mount_api.h"
#include "model/path.h"

/*
 * Whoever exchanges a directory with a link without pause has the directory there half of the time.
 * To give may fail by that, but what was given should be found when it is taken back. Who keeps the
 * link there for longer keeps a dead node, until the next one comes to its path.
 */
#define TRIES 32
#define PAUSE_NS 200000

static bool is_host(const struct courier_world *world, int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || st.st_dev == world->host_device)
        return true;
    for (size_t i = 0; i < COURIER_HOST_RUN; i++)
        if (st.st_dev == world->host_run[i].device && st.st_ino == world->host_run[i].inode)
            return true;
    return false;
}

/* Cuts the path into its directories and its last name. */
static int split(struct courier_place *place, const char *path, struct refusal *why)
{
    if ((!after_prefix(path, "/dev/") && !after_prefix(path, "/run/")) ||
        !path_is_plain(path + 1) || strlen(path) >= sizeof(place->path))
        return refuse(why, EINVAL, "%s is not a path below /dev or /run", path);
    memcpy(place->path, path + 1, strlen(path));
    char *name = place->path;
    for (char *slash = strchr(name, '/'); slash; slash = strchr(name, '/')) {
        if (place->wanted == COURIER_PLACE_DEPTH)
            return refuse(why, ENAMETOOLONG, "%s has more than %d directories", path,
                          COURIER_PLACE_DEPTH);
        *slash = '\0';
        place->names[place->wanted++] = name;
        name = slash + 1;
    }
    place->name = name;
    return 0;
}

static int refuse_directory(const struct courier_place *place, struct refusal *why, int error,
                            const char *what)
{
    char shown[COURIER_PATH_MAX] = "";
    for (size_t i = 0; i <= place->open; i++) {
        strcat(shown, "/");
        strcat(shown, place->names[i]);
    }
    return refuse(why, error, "%s inside %s", shown, what);
}

static int refuse_directory_errno(const struct courier_place *place, struct refusal *why,
                                  const char *what)
{
    char text[128];
    int error = errno;
    snprintf(text, sizeof(text), "cannot be %s: %s", what, strerrordesc_np(error));
    return refuse_directory(place, why, error, text);
}

/* Opens the next directory. Returns 1, or 0 where it is missing. */
static int open_next(struct courier_place *place, int above_fd, struct refusal *why)
{
    int fd = open_beneath(above_fd, place->names[place->open], O_PATH | O_DIRECTORY, 0);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0 && errno == ELOOP)
        return refuse_directory(place, why, ELOOP, "is a symbolic link");
    if (fd < 0 && errno == ENOTDIR)
        return refuse_directory(place, why, ENOTDIR, "is not a directory");
    if (fd < 0)
        return refuse_directory_errno(place, why, "opened");
    place->fds[place->open++] = fd;
    return 1;
}

/* Makes the next directory. One that the container made at the same time is not ours. */
static int make_next(struct courier_place *place, int above_fd, struct refusal *why)
{
    if (place->open == 0)
        return refuse_directory(place, why, ENOENT, "is missing");
    if (is_host(place->world, above_fd))
        return refuse_directory(
            place, why, EPERM,
            "would be made in a directory of the host's own, which is never written to");
    const char *name = place->names[place->open];
    bool made = mkdirat(above_fd, name, 0755) == 0;
    if (!made && errno != EEXIST)
        return refuse_directory_errno(place, why, "made");
    int r = open_next(place, above_fd, why);
    if (r > 0) {
        place->made = made ? place->made + 1 : 0;
        return r;
    }
    if (made)
        (void)unlinkat(above_fd, name, AT_REMOVEDIR);
    return r == 0 ? refuse_directory(place, why, EAGAIN, "was removed at once") : r;
}

static int walk(struct courier_place *place, bool make, struct refusal *why)
{
    while (place->open < place->wanted) {
        int above_fd = place->open ? place->fds[place->open - 1] : place->world->root_fd;
        int r = open_next(place, above_fd, why);
        if (r == 0 && !make)
            return 0;
        if (r == 0)
            r = make_next(place, above_fd, why);
        if (r < 0)
            return r;
    }
    if (make && is_host(place->world, place->fds[place->wanted - 1])) {
        place->open--;
        int r = refuse_directory(place, why, EPERM, "is the host's own, which is never written to");
        place->open++;
        return r;
    }
    return 0;
}

static int open_once(const struct courier_world *world, const char *path, bool make,
                     struct courier_place *ret, struct refusal *why)
{
    *ret = (struct courier_place){.world = world};
    int r = split(ret, path, why);
    if (r >= 0)
        r = walk(ret, make, why);
    if (r < 0) {
        ret->wanted = ret->open; /* what was made is the lowest of those that were reached */
        courier_place_remove_made(ret, ret->made);
        courier_place_close(ret);
    }
    return r;
}

int courier_place_open(const struct courier_world *world, const char *path, bool make,
                       struct courier_place *ret, struct refusal *why)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    int r = open_once(world, path, make, ret, why);
    for (unsigned i = 1; i < TRIES && !make && (r == -ELOOP || r == -ENOTDIR); i++) {
        (void)nanosleep(&pause, NULL);
        r = open_once(world, path, make, ret, why);
    }
    return r;
}

void courier_place_close(struct courier_place *place)
{
    while (place->open > 0)
        (void)fd_close(place->fds[--place->open]);
}

int courier_place_parent(const struct courier_place *place)
{
    if (place->open < place->wanted)
        return -1;
    int fd = place->fds[place->wanted - 1];
    return is_host(place->world, fd) ? -1 : fd;
}

void courier_place_remove_made(const struct courier_place *place, unsigned made)
{
    for (size_t i = place->wanted; i > 1 && made > 0; i--, made--) {
        if (i - 1 > place->open)
            continue; /* the one above it is gone as well */
        int above_fd = place->fds[i - 2];
        if (is_host(place->world, above_fd))
            return;
        if (unlinkat(above_fd, place->names[i - 1], AT_REMOVEDIR) < 0 && errno != ENOENT)
            return;
    }
}
