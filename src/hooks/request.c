/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hooks/request.h"

#include <errno.h>

#include "cli/client.h"
#include "cli/field.h"
#include "kernel/process.h"
#include "model/label.h"

static int connect_to(const struct request_limits *limits, struct client **ret, struct refusal *why)
{
    int r = client_open_at(limits->runtime_directory, limits->connect_ms, ret, why);
    if (r == 0)
        client_wake_by(*ret, limits->over_fd);
    return r;
}

/* Returns 0 and *ret, or why there is no answer. */
static int ask(struct client *client, const char *method, const json_t *parameters,
               struct varlink_reply *ret, struct refusal *why)
{
    if (!parameters)
        return refuse(why, ENOMEM, "no memory");
    int r = client_call(client, method, parameters, ret, why);
    return r == -EINTR ? refuse(why, ETIMEDOUT, "devolved does not answer in time") : r;
}

static int refused(const struct varlink_reply *reply, struct refusal *why)
{
    const json_t *parameters = reply->parameters;
    if (streq(reply->error, "io.devolve.ContainerExists"))
        refuse(why, EEXIST, "another container has the name '%s': process %" JSON_INTEGER_FORMAT,
               field_text(parameters, "name", "?"), field_number(parameters, "pid", 0));
    else if (streq(reply->error, "io.devolve.Refused"))
        refuse(why, EPERM, "%s", field_text(parameters, "text", "devolved refused"));
    else
        refuse(why, EPROTO, "devolved answered with %s (%s)", reply->error,
               field_text(parameters, "parameter", "no parameter"));
    return 0;
}

int request_register(const struct request_limits *limits, const struct waiting_note *note,
                     struct refusal *why)
{
    _cleanup_(varlink_reply_done) struct varlink_reply reply = {0};
    _cleanup_client_ struct client *client = NULL;
    json_t *labels = labels_format(&note->labels);
    _cleanup_json_ json_t *parameters =
        labels ? json_pack("{s:s, s:i, s:I, s:s*, s:o}", "name", note->name, "pid", note->pid,
                           "start_time", (json_int_t)note->start_time, "root", note->root, "labels",
                           labels)
               : NULL;
    int r = connect_to(limits, &client, why);
    if (r == 0)
        r = ask(client, "io.devolve.Register", parameters, &reply, why);
    if (r < 0)
        return r;
    if (reply.error && streq(reply.error, "io.devolve.Stopping"))
        return refuse(why, ESHUTDOWN, "devolved is stopping");
    return reply.error ? refused(&reply, why) : 1;
}

static int unregister(struct client *client, const char *name, const char *label, const char *value,
                      struct refusal *why)
{
    _cleanup_(varlink_reply_done) struct varlink_reply reply = {0};
    _cleanup_json_ json_t *parameters =
        json_pack("{s:s, s:{s:s}}", "name", name, "labels", label, value);
    int r = ask(client, "io.devolve.Unregister", parameters, &reply, why);
    if (r < 0)
        return r;
    if (!reply.error || streq(reply.error, "io.devolve.ContainerNotFound"))
        return 1;
    return refused(&reply, why);
}

int request_unregister(const struct request_limits *limits, const char *label, const char *value,
                       struct refusal *why)
{
    _cleanup_(varlink_reply_done) struct varlink_reply reply = {0};
    _cleanup_client_ struct client *client = NULL;
    _cleanup_json_ json_t *nothing = json_object();
    size_t i;
    json_t *container;

    int r = connect_to(limits, &client, why);
    if (r == 0)
        r = ask(client, "io.devolve.ListContainers", nothing, &reply, why);
    if (r < 0)
        return r;
    if (reply.error)
        return refused(&reply, why);
    r = 1;
    json_array_foreach(field_array(reply.parameters, "containers"), i, container)
    {
        pid_t pid = (pid_t)field_number(container, "pid", 0);
        if (r > 0 && field_is(field_object(container, "labels"), label, value) &&
            !process_is_alive(pid))
            r = unregister(client, field_text(container, "name", ""), label, value, why);
    }
    return r;
}
