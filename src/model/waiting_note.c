/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/waiting_note.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>

#include "model/label.h"
#include "model/varlink_message.h"

void waiting_note_done(struct waiting_note *note)
{
    free(note->boot_id);
    free(note->name);
    free(note->root);
    property_list_done(&note->labels);
    *note = (struct waiting_note){.pid = 0};
}

static int copy_text(const char *from, char **ret)
{
    *ret = from ? strdup(from) : NULL;
    return from && !*ret ? -ENOMEM : 0;
}

static int unpack(json_t *json, struct waiting_note *note, struct refusal *why)
{
    const char *boot_id, *name, *root = NULL;
    json_int_t pid, start_time;
    json_t *labels = NULL;
    json_error_t error;

    if (json_unpack_ex(json, &error, JSON_STRICT, "{s:s, s:I, s:I, s:s, s?s, s?o}", "boot_id",
                       &boot_id, "pid", &pid, "start_time", &start_time, "name", &name, "root",
                       &root, "labels", &labels) < 0)
        return refuse(why, EBADMSG, "%s", error.text);
    if (pid <= 0 || pid > INT_MAX || start_time <= 0)
        return refuse(why, EBADMSG, "it names no process");
    if (root && *root != '/')
        return refuse(why, EBADMSG, "the root is no absolute path: %s", root);
    int r = labels_parse(labels, &note->labels);
    if (r == -EINVAL)
        return refuse(why, EBADMSG, "the labels are not what Register takes");
    note->pid = (int)pid;
    note->start_time = (uint64_t)start_time;
    if (r < 0 || copy_text(boot_id, &note->boot_id) < 0 || copy_text(name, &note->name) < 0 ||
        copy_text(root, &note->root) < 0)
        return refuse(why, ENOMEM, "no memory");
    return 0;
}

int waiting_note_parse(const char *text, size_t size, struct waiting_note *ret, struct refusal *why)
{
    struct waiting_note note = {.pid = 0};
    json_error_t error;
    if (size > WAITING_NOTE_MAX)
        return refuse(why, EBADMSG, "it has more than %u bytes", WAITING_NOTE_MAX);
    _cleanup_json_ json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (!json)
        return refuse(why, EBADMSG, "line %d, column %d: %s", error.line, error.column, error.text);
    int r = unpack(json, &note, why);
    if (r < 0) {
        waiting_note_done(&note);
        return r;
    }
    *ret = note;
    return 0;
}

char *waiting_note_format(const struct waiting_note *note)
{
    json_t *labels = labels_format(&note->labels);
    if (!labels)
        return NULL;
    _cleanup_json_ json_t *json = json_pack(
        "{s:s, s:i, s:I, s:s, s:s*, s:o}", "boot_id", note->boot_id, "pid", note->pid, "start_time",
        (json_int_t)note->start_time, "name", note->name, "root", note->root, "labels", labels);
    return json ? json_dumps(json, JSON_COMPACT) : NULL;
}
