/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/courier_verbs.h"

/* Directories without anything in them, for programs that look for a directory when they start. */

#include <errno.h>

int courier_directories_make(const struct courier_world *world,
                             const struct courier_request *request, struct courier_reply *reply,
                             struct refusal *why)
{
    _cleanup_(courier_place_close) struct courier_place place = {0};
    int r = courier_place_open(world, request->path, true, &place, why);
    if (r < 0)
        return r;
    reply->made_dirs = place.made;
    return 0;
}

int courier_directories_remove(const struct courier_world *world,
                               const struct courier_request *request, struct refusal *why)
{
    _cleanup_(courier_place_close) struct courier_place place = {0};
    int r = courier_place_open(world, request->path, false, &place, why);
    if (r == -ELOOP || r == -ENOTDIR)
        return 0; /* the container has put something else in their place */
    if (r < 0)
        return r;
    courier_place_remove_made(&place, request->made_dirs);
    return 0;
}
