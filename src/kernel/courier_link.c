/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/courier_verbs.h"

/* Symbolic links below /dev, made relative so that they hold wherever the container's root is seen.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "model/path.h"

#define LINK_TEXT_MAX (GRANT_PATH_MAX + 3 * COURIER_PLACE_DEPTH)

/* "/dev/serial/by-id/x" to "/dev/ttyUSB0" is "../../ttyUSB0". Both paths are absolute and plain. */
static void link_text(char out[static LINK_TEXT_MAX], const char *path, const char *target)
{
    size_t common = 0;
    for (size_t i = 0; path[i] && path[i] == target[i]; i++)
        if (path[i] == '/')
            common = i + 1;
    char *end = out;
    for (const char *p = path + common; (p = strchr(p, '/')); p++)
        end = stpcpy(end, "../");
    strcpy(end, target + common);
}

/* Whether the link that lies at the name has this text: 1, 0 something else, -ENOENT nothing. */
static int link_matches(int parent_fd, const char *name, const char *text)
{
    char found[LINK_TEXT_MAX + 1];
    ssize_t length = readlinkat(parent_fd, name, found, sizeof(found));
    if (length < 0)
        return errno == EINVAL ? 0 : -errno;
    return (size_t)length == strlen(text) && memcmp(found, text, (size_t)length) == 0;
}

static int check_target(const struct courier_request *request, struct refusal *why)
{
    if (!after_prefix(request->target, "/dev/") || !path_is_plain(request->target + 1))
        return refuse(why, EINVAL, "%s is not a path below /dev", request->target);
    return 0;
}

static int link_make(const struct courier_place *place, const struct courier_request *request,
                     const char *text, struct refusal *why)
{
    int parent_fd = courier_place_parent(place);
    if (symlinkat(text, parent_fd, place->name) == 0)
        return 0;
    int error = errno;
    if (error != EEXIST)
        return refuse(why, error, "the link %s cannot be made inside: %s", request->path,
                      strerrordesc_np(error));
    if (link_matches(parent_fd, place->name, text) == 1)
        return 0;
    return refuse(why, EEXIST, "something else than our link lies at %s inside", request->path);
}

int courier_link(const struct courier_world *world, const struct courier_request *request,
                 struct courier_reply *reply, struct refusal *why)
{
    char text[LINK_TEXT_MAX];
    _cleanup_(courier_place_close) struct courier_place place = {0};
    int r = check_target(request, why);
    if (r >= 0)
        r = courier_place_open(world, request->path, true, &place, why);
    if (r < 0)
        return r;
    link_text(text, request->path, request->target);
    r = link_make(&place, request, text, why);
    if (r < 0) {
        courier_place_remove_made(&place, place.made);
        return r;
    }
    reply->made_dirs = place.made;
    return 0;
}

int courier_unlink(const struct courier_world *world, const struct courier_request *request,
                   struct refusal *why)
{
    char text[LINK_TEXT_MAX];
    _cleanup_(courier_place_close) struct courier_place place = {0};
    int r = check_target(request, why);
    if (r >= 0)
        r = courier_place_open(world, request->path, false, &place, why);
    if (r == -ELOOP || r == -ENOTDIR)
        return 0; /* the directory that held the link was exchanged by the container */
    if (r < 0)
        return r;
    link_text(text, request->path, request->target);
    int parent_fd = courier_place_parent(&place);
    if (parent_fd >= 0 && link_matches(parent_fd, place.name, text) == 1 &&
        unlinkat(parent_fd, place.name, 0) < 0 && errno != ENOENT)
        return refuse(why, errno, "the link %s cannot be removed inside: %s", request->path,
                      strerrordesc_np(errno));
    courier_place_remove_made(&place, request->made_dirs);
    return 0;
}
