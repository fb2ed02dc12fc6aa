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
    unsigned before = place->udev_directories;
    if (kind == STEP_RECORD_WRITE)
        place->udev_directories |= reply->made_dirs;
    else
        place->udev_directories &= reply->made_dirs;
    place->changed |= before != place->udev_directories;
}
