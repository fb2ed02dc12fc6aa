/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a place has before any device: the marker of a udev, and an entry in /dev/bus/usb. */
#include "engine/place.h"

#include <errno.h>
#include <stdio.h>

/* A node that no device has: its directories are the mark. Every machine with USB has a first bus.
 */
#define USB_NODE "/dev/bus/usb/001/000"

void place_resume_usb(struct door_place *place)
{
    place_enter_directories(place, USB_NODE, 0);
    place->has_usb = true;
}

static void note_marker(struct door_place *place, const struct courier_reply *reply, bool present)
{
    place_note_record(place, present ? STEP_RECORD_WRITE : STEP_RECORD_REMOVE, reply);
}

/* What is made anew stands for what was made before: it had gone. */
static void note_directories(struct door_place *place, const struct courier_reply *reply,
                             bool present)
{
    bool made_anew = place->has_usb && present && reply->made_dirs > 0;
    if (place->has_usb && (made_anew || !present))
        place_leave_directories(place, USB_NODE);
    if (present && (made_anew || !place->has_usb))
        place_enter_directories(place, USB_NODE, reply->made_dirs);
    place->changed |= place->has_usb != present;
    place->has_usb = present;
}

/* Whatever came of it: there may be records of our own from now on. */
static void note_asked(struct door_place *place)
{
    place->swept = place->swept || place->mark == PLACE_MARK_UDEV;
}

static void finish(struct door_place *place, const struct courier_reply *reply, bool present)
{
    struct step_result result = {.why.error = 0};
    door_done_fn done = place->done;
    place->done = NULL;
    if (reply)
        note_asked(place);
    if (!reply || reply->error)
        place_refused(reply, &result);
    else if (place->mark == PLACE_MARK_UDEV)
        note_marker(place, reply, present);
    else
        note_directories(place, reply, present);
    place_note_changes(place);
    done(place->done_userdata, &result);
}

static void on_made(void *userdata, const struct courier_reply *reply)
{
    finish(userdata, reply, true);
}

static void on_removed(void *userdata, const struct courier_reply *reply)
{
    finish(userdata, reply, false);
}

static void ask(const struct door_place *place, bool present, struct courier_request *request)
{
    if (place->mark == PLACE_MARK_UDEV) {
        request->verb = present ? COURIER_MARKER_MAKE : COURIER_MARKER_REMOVE;
        request->made_dirs = place->udev_directories;
        request->first = present && !place->swept;
        return;
    }
    request->verb = present ? COURIER_DIRECTORIES_MAKE : COURIER_DIRECTORIES_REMOVE;
    snprintf(request->path, sizeof(request->path), "%s", USB_NODE);
    if (!present)
        request->made_dirs = place_count_directories(place, USB_NODE, place->has_usb);
}

int place_mark(void *userdata, struct door_place *place, enum place_mark mark, bool present,
               door_done_fn done, void *done_userdata, struct step_result *result)
{
    struct courier_request request = {.made_dirs = 0};
    (void)userdata;
    place->mark = mark;
    ask(place, present, &request);
    int r = errands_send(place->errands, &request, -1, present ? on_made : on_removed, place,
                         &result->why);
    if (r < 0) {
        result->stalled = r == -EAGAIN;
        if (!result->stalled)
            note_asked(place);
        return 1;
    }
    place->done = done;
    place->done_userdata = done_userdata;
    return 0;
}
