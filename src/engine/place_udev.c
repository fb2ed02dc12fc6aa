/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a place has of udev: the records and the marker inside, and its events. */
#include "engine/place.h"

#include <errno.h>
#include <stdio.h>

#include "kernel/udevd_probe.h"

/*
 * The news of a burst share one answer. A question takes 16 us, but who is inside can make it 6 ms
 * long (kernel/udevd_probe.c), with a storm of events as well: so it has at most 6 % of our time.
 * A udevd that came in between is seen with the next event, or by the slow timer.
 */
#define FRESH_US 100000u

int place_has_udevd(void *userdata, struct door_place *place)
{
    (void)userdata;
    if (now_us() >= place->udevd_fresh_us) {
        place->has_udevd = udevd_probe(&place->namespaces);
        place->udevd_fresh_us = now_us() + FRESH_US;
    }
    return place->has_udevd;
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
