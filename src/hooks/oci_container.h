/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A container as it is to be registered: its name, its process, its root and its labels. */

#include "hooks/oci_state.h"
#include "model/waiting_note.h"

#define OCI_NAME_ANNOTATION "io.devolve.name"
#define OCI_ID_LABEL "id"

/*
 * The name is the annotation io.devolve.name, else `name`, or where that is NULL the id; other
 * annotations io.devolve.KEY are labels KEY, and the label "id" is the id. What the image may have
 * set does not count: `remark` says so then (error 0: nothing to say).
 *
 * Returns 1 and *ret (waiting_note_done() it); 0: the process has ended; a negative errno and the
 * reason.
 */
int oci_container_describe(const struct oci_state *state, const char *name,
                           struct waiting_note *ret, struct refusal *remark, struct refusal *why);
