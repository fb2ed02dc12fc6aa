/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The control socket: a Varlink server (varlink.org) for io.devolve and org.varlink.service.
 * Connections, message sizes and what a slow reader can make us hold are bounded.
 */

#include <jansson.h>

#include "daemon/service.h"
#include "model/varlink_message.h"

#define CONTROL_CONNECTIONS_MAX 256   /* beyond: the one that has been idle longest goes */
#define CONTROL_OUTPUT_MAX (8u << 20) /* bytes a client may leave unread */

struct control;
struct drop_in;

/* One call until it is answered. */
struct control_call {
    struct service *service;
    struct connection *connection; /* NULL: the client has gone; answers go nowhere */
    json_t *parameters;            /* an object */
    bool more;
    bool streams; /* stays after the first answer: Monitor */

    /* what a handler that answers later keeps */
    char *container;
    char *devpath;
    struct drop_in *drop_in; /* what Attach wrote; NULL: nothing */
    struct varlink_call message;
};

/*
 * Answers and frees the call; `parameters_take` (NULL for {}) is taken. Exactly one of these per
 * call, except control_stream().
 */
void control_reply(struct control_call *call, json_t *parameters_take);
void control_error(struct control_call *call, const char *error, json_t *parameters_take);

/* One answer of several. Returns 0, or -EPIPE: the client has gone or does not read; the call is
 * freed. */
int control_stream(struct control_call *call, const json_t *parameters);

/*
 * Serves RUNTIME_DIR/io.devolve (mode 0660, group `devolve` where there is one), or the socket that
 * systemd passed. Returns 0 and *ret, or a negative errno and the reason.
 */
int control_open(struct service *service, struct control **ret, struct refusal *why);

/* NULL accepted. Call after service_close(): calls that still wait get their answer then. */
void control_close(struct control *control);
