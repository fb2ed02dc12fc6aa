/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Monitor: a list of calls that hear every activity. There is one service in a process, and one
 * list. */
#include <errno.h>

#include "daemon/control_json.h"
#include "daemon/methods.h"

#define MONITORS_MAX 32

static struct control_call *monitors[MONITORS_MAX];

static bool listening(void *userdata)
{
    (void)userdata;
    for (size_t i = 0; i < MONITORS_MAX; i++)
        if (monitors[i])
            return true;
    return false;
}

static void on_activity(void *userdata, const struct activity *activity)
{
    if (!listening(userdata))
        return;
    _cleanup_json_ json_t *json = json_activity(activity);
    for (size_t i = 0; json && i < MONITORS_MAX; i++)
        if (monitors[i] && control_stream(monitors[i], json) < 0)
            monitors[i] = NULL;
}

void method_forget(struct control_call *call)
{
    for (size_t i = 0; i < MONITORS_MAX; i++)
        if (monitors[i] == call)
            monitors[i] = NULL;
}

void method_monitor(struct control_call *call)
{
    static const char *const known[] = {NULL};
    struct activity ready = {.kind = ACTIVITY_CONTAINER, .time_us = now_us()};
    size_t slot = 0;

    if (call_only(call, known) < 0)
        return;
    while (slot < MONITORS_MAX && monitors[slot])
        slot++;
    bool wrong = !call->more || call->message.oneway;
    if (wrong || slot == MONITORS_MAX) {
        struct refusal why;
        if (wrong)
            refuse(&why, EINVAL, "Monitor answers more than once: call it with `more`");
        else
            refuse(&why, EBUSY, "there are %d monitors already", MONITORS_MAX);
        call_refuse(call, &why);
        return;
    }
    json_t *json = json_activity(&ready);
    json_object_set_new(json, "kind", json_string("ready"));
    call->streams = true;
    if (control_stream(call, json) == 0) {
        monitors[slot] = call;
        call->service->listener = on_activity;
        call->service->listening = listening;
    }
    json_decref(json);
}
