/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a hook leaves behind when devolved does not answer, for devolved to find: the parameters of
 * Register, and what tells the container's process from any other that gets its number. JSON, one
 * object in a file: {"boot_id": TEXT, "pid": N, "start_time": N, "name": TEXT, "root": TEXT?,
 * "labels": {KEY: TEXT}?}.
 */

#include "base/refusal.h"
#include "model/property.h"

#define WAITING_NOTE_MAX (128u * 1024) /* bytes of one note */

struct waiting_note {
    char *boot_id;
    int pid;
    uint64_t start_time; /* proc(5), field 22 of stat */
    char *name;
    char *root; /* absolute path in the container's mount namespace; NULL: it is in its root */
    struct property_list labels;
};

/* Frees the content; a zeroed note is accepted. */
void waiting_note_done(struct waiting_note *note);

/* Returns 0 and *ret, or -EBADMSG and the reason, -ENOMEM. */
int waiting_note_parse(const char *text, size_t size, struct waiting_note *ret,
                       struct refusal *why);

/* The note as text to free(), or NULL when memory is short. */
char *waiting_note_format(const struct waiting_note *note);
