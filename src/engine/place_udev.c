/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a place has of udev: the records and the marker inside, and its events. */
#include "engine/place.h"

#include <errno.h>
#include <stdio.h>

#include "kernel/udevd_probe.h"

int place_has_udevd(void *userdata, const struct door_place *place)
{
    (void)userdata;
    return udevd_probe(&place->namespaces);
}

int place_tell_udev(struct door_place *place, uint64_t inode, const struct udev_word *word,
                    struct refusal *why)
{
    return place->injector ? injector_tell_udev(place->injector, place, inode, word, why) : 0;
}

void place_ask_record(const struct door_place *place, const struct step *step,
                      struct courier_request *request)
{
    bool write = step->kind == STEP_RECORD_WRITE;
    request->verb = write ? COURIER_RECORD_WRITE : COURIER_RECORD_REMOVE;
    request->made_dirs = place->udev_directories;
    snprintf(request->path, sizeof(request->path), "%s", step->word->id);
    if (write)
        snprintf(request->text, sizeof(request->text), "%s", step->word->record);
}

void place_note_record(struct door_place *place, enum step_kind kind,
                       const struct courier_reply *reply)
{
    if (kind == STEP_RECORD_WRITE)
        place->udev_directories |= reply->made_dirs;
    else
        place->udev_directories &= reply->made_dirs;
}

static void finish(struct door_place *place, enum step_kind kind, const struct courier_reply *reply)
{
    struct step_result result = {.why.error = 0};
    door_done_fn done = place->done;
    place->done = NULL;
    if (!reply || reply->error)
        place_refused(reply, &result);
    else
        place_note_record(place, kind, reply);
    done(place->done_userdata, &result);
}

static void on_marked(void *userdata, const struct courier_reply *reply)
{
    finish(userdata, STEP_RECORD_WRITE, reply);
}

static void on_unmarked(void *userdata, const struct courier_reply *reply)
{
    finish(userdata, STEP_RECORD_REMOVE, reply);
}

int place_mark(void *userdata, struct door_place *place, bool present, door_done_fn done,
               void *done_userdata, struct step_result *result)
{
    struct courier_request request = {.verb = present ? COURIER_MARKER_MAKE : COURIER_MARKER_REMOVE,
                                      .made_dirs = place->udev_directories};
    (void)userdata;
    int r = errands_send(place->errands, &request, -1, present ? on_marked : on_unmarked, place,
                         &result->why);
    if (r < 0) {
        result->stalled = r == -EAGAIN;
        return 1;
    }
    place->done = done;
    place->done_userdata = done_userdata;
    return 0;
}
