/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hooks/oci_container.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "hooks/json_file.h"
#include "hooks/note.h"
#include "hooks/oci_image.h"
#include "kernel/process.h"
#include "model/varlink_message.h"

#define PREFIX "io.devolve."
#define CONFIG_MAX (16u << 20) /* bytes of config.json */

/* Calls for each annotation of ours that the image does not have. Returns how many it has. */
static size_t each_annotation(const struct oci_state *state, const json_t *images,
                              int (*fn)(void *userdata, const char *key, const char *value),
                              void *userdata, int *ret)
{
    size_t left_out = 0;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)state->annotations, key, value)
    {
        const char *name = after_prefix(key, PREFIX);
        if (!name || !*name || !json_is_string(value))
            continue;
        if (!images || json_object_get(images, key))
            left_out++;
        else if (*ret == 0)
            *ret = fn(userdata, name, json_string_value(value));
    }
    return left_out;
}

static int take_annotation(void *userdata, const char *key, const char *value)
{
    struct waiting_note *note = userdata;
    if (!streq(key, "name"))
        return property_set(&note->labels, key, value);
    free(note->name);
    note->name = strdup(value);
    return note->name ? 0 : -ENOMEM;
}

/* Name and labels. */
static int name_container(const struct oci_state *state, const char *name,
                          struct waiting_note *note, struct refusal *remark)
{
    struct refusal unknown = {.error = 0};
    int r = 0;
    _cleanup_json_ json_t *images = oci_image_annotations(state, &unknown);
    note->name = strdup(name ? name : state->id);
    size_t left_out = each_annotation(state, images, take_annotation, note, &r);
    if (r == 0)
        r = property_set(&note->labels, OCI_ID_LABEL, state->id);
    if (left_out && images)
        refuse(remark, EPERM, "annotations " PREFIX "* that the image sets do not count: %zu",
               left_out);
    else if (left_out)
        refuse(remark, EPERM,
               "annotations " PREFIX "* do not count, as they may be the image's: %s",
               unknown.text);
    return r < 0 || !note->name ? -ENOMEM : 0;
}

/* BUNDLE/ROOT, of which the runtime's own configuration has the second half. */
static int read_root(const struct oci_state *state, char **ret, struct refusal *why)
{
    _cleanup_json_ json_t *config = NULL;
    _cleanup_free_ char *path = NULL;
    if (asprintf(&path, "%s/config.json", state->bundle) < 0) {
        path = NULL;
        return refuse(why, ENOMEM, "no memory");
    }
    int r = json_file_load(AT_FDCWD, path, CONFIG_MAX, &config, why);
    if (r < 0)
        return r;
    const char *root = json_string_value(json_object_get(json_object_get(config, "root"), "path"));
    if (!root || !*root)
        return refuse(why, EBADMSG, "%s names no root", path);
    bool absolute = *root == '/';
    if (asprintf(ret, "%s%s%s", absolute ? "" : state->bundle, absolute ? "" : "/", root) < 0) {
        *ret = NULL;
        return refuse(why, ENOMEM, "no memory");
    }
    return 0;
}

/* crun tells it, and there are times when the bundle that it names is wrong. */
static int find_root(const struct oci_state *state, char **ret, struct refusal *why)
{
    if (!state->root)
        return read_root(state, ret, why);
    *ret = strdup(state->root);
    return *ret ? 0 : refuse(why, ENOMEM, "no memory");
}

/*
 * At createRuntime the process is in the container's mount namespace, but its root is still the
 * host's. That is asked of the process: the stage cannot be told from the status, and a path that
 * an image could have made is not looked for.
 */
static int find_process(const struct oci_state *state, struct waiting_note *note,
                        struct refusal *why)
{
    int r = note_process(state->pid, note, why);
    int outside = r > 0 ? process_has_our_root(state->pid) : -ENOENT;
    if (r <= 0 || outside == -ENOENT || outside == -ESRCH)
        return r < 0 ? r : 0;
    if (outside < 0)
        return refuse(why, -outside, "cannot look at process %d: %s", state->pid,
                      strerror(-outside));
    r = outside ? find_root(state, &note->root, why) : 0;
    return r < 0 ? r : 1;
}

int oci_container_describe(const struct oci_state *state, const char *name,
                           struct waiting_note *ret, struct refusal *remark, struct refusal *why)
{
    struct waiting_note note = {.pid = 0};
    int r = find_process(state, &note, why);
    if (r > 0 && name_container(state, name, &note, remark) < 0)
        r = refuse(why, ENOMEM, "no memory");
    if (r > 0) {
        *ret = note;
        return 1;
    }
    waiting_note_done(&note);
    return r;
}
