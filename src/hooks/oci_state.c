/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hooks/oci_state.h"

#include <errno.h>
#include <limits.h>

#define ID_MAX 200 /* bytes; docker's and podman's have 64 */

void oci_state_done(struct oci_state *state)
{
    json_decref(state->json);
    *state = (struct oci_state){.json = NULL};
}

static bool is_id(const char *id)
{
    return *id && *id != '.' && strlen(id) <= ID_MAX && !strchr(id, '/');
}

/*
 * The status tells little: at createRuntime runc says "creating" and crun "created", which runc
 * says at poststart. Only "stopped" is used.
 */
static int unpack(struct oci_state *state, struct refusal *why)
{
    const char *status = NULL, *root = NULL;
    json_int_t pid = 0;
    json_t *annotations = NULL;
    json_error_t error;
    if (json_unpack_ex(state->json, &error, 0, "{s:s, s:s, s?I, s:s, s?s, s?o}", "id", &state->id,
                       "status", &status, "pid", &pid, "bundle", &state->bundle, "root", &root,
                       "annotations", &annotations) < 0)
        return refuse(why, EBADMSG, "the state that the runtime gave makes no sense: %s",
                      error.text);
    state->stopped = streq(status, "stopped");
    if (!is_id(state->id))
        return refuse(why, EBADMSG, "'%s' is no container id", state->id);
    if (*state->bundle != '/')
        return refuse(why, EBADMSG, "the bundle '%s' is no absolute path", state->bundle);
    if (!state->stopped && (pid <= 0 || pid > INT_MAX))
        return refuse(why, EBADMSG, "the runtime gave no process");
    state->pid = state->stopped ? 0 : (int)pid;
    state->root = root && *root == '/' ? root : NULL;
    state->annotations = json_is_object(annotations) ? annotations : NULL;
    return 0;
}

int oci_state_parse(const char *text, size_t size, struct oci_state *ret, struct refusal *why)
{
    struct oci_state state = {.json = NULL};
    json_error_t error;
    if (size > OCI_STATE_MAX)
        return refuse(why, EBADMSG, "the state that the runtime gave has more than %u bytes",
                      OCI_STATE_MAX);
    state.json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (!state.json)
        return refuse(why, EBADMSG, "the state that the runtime gave is no JSON: %s", error.text);
    int r = unpack(&state, why);
    if (r < 0) {
        oci_state_done(&state);
        return r;
    }
    *ret = state;
    return 0;
}
