/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a runtime tells its hooks on standard input: runtime.md of the OCI runtime specification,
 * "State". Bytes in, verdict out. */

#include <jansson.h>

#include "base/refusal.h"

#define OCI_STATE_MAX (64u * 1024) /* bytes */

struct oci_state {
    json_t *json;              /* holds what the strings below are borrowed from */
    const char *id;            /* can be the name of a file */
    const char *bundle;        /* an absolute path */
    const char *root;          /* the container's root, as crun tells it; NULL: the bundle has it */
    const json_t *annotations; /* an object, or NULL */
    int pid;                   /* 0: stopped */
    bool stopped;
};

/* Frees the content; a zeroed state is accepted. */
void oci_state_done(struct oci_state *state);

/* Returns 0 and *ret, or -EBADMSG and the reason. */
int oci_state_parse(const char *text, size_t size, struct oci_state *ret, struct refusal *why);
