/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Varlink's messages: JSON objects, each ended by a NUL byte (varlink.org, "Method Call"). Framing
 * and checking only; no I/O.
 */

#include <jansson.h>

#include "base/refusal.h"
#include "base/util.h"
#include "model/json_field.h"

#define VARLINK_MESSAGE_MAX (256u * 1024)
#define VARLINK_DEPTH_MAX 32 /* of nested objects and arrays */

struct varlink_call {
    char *method;       /* "io.devolve.Register": interface, dot, name */
    json_t *parameters; /* an object, never NULL */
    bool oneway, more, upgrade;
};

void varlink_call_done(struct varlink_call *call);

/*
 * Parses one message without its NUL. Refused (-EBADMSG, reason): no JSON object, unknown or
 * doubled members, a method that is no dotted name, parameters that are no object, deeper than
 * VARLINK_DEPTH_MAX.
 */
int varlink_call_parse(const char *message, size_t size, struct varlink_call *ret,
                       struct refusal *why);

/*
 * Builds one message, its NUL included in *ret_size. `parameters` is borrowed, NULL for {}.
 * Returns a string to free(), or NULL when memory is short or it would be larger than
 * VARLINK_MESSAGE_MAX * 16 (answers may be larger than questions).
 */
char *varlink_call_format(const char *method, const json_t *parameters, bool more,
                          size_t *ret_size);
char *varlink_reply_format(const json_t *parameters, bool continues, size_t *ret_size);
char *varlink_error_format(const char *error, const json_t *parameters, size_t *ret_size);

struct varlink_reply {
    char *error;        /* NULL: none */
    json_t *parameters; /* an object, never NULL */
    bool continues;
};

void varlink_reply_done(struct varlink_reply *reply);

/* The client's side: parses one reply without its NUL. */
int varlink_reply_parse(const char *message, size_t size, struct varlink_reply *ret,
                        struct refusal *why);
