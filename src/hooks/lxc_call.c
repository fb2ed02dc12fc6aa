/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hooks/lxc_call.h"

#include <errno.h>

#include "base/text.h"

#define PID_LARGEST (1u << 22) /* proc(5), pid_max */

/*
 * At start-host the container has its mounts and its root, and none of its programs runs: LXC waits
 * for us. At stop its process is dead, and its control groups are still there; at post-stop they
 * are gone.
 */
static int read_type(const char *type, bool *ret_stops, struct refusal *why)
{
    if (!type)
        return refuse(why, EBADMSG,
                      "LXC does not say which hook this is: neither by LXC_HOOK_TYPE nor by the "
                      "arguments NAME lxc TYPE");
    bool stops = streq(type, "stop") || streq(type, "post-stop");
    if (!stops && !streq(type, "start-host"))
        return refuse(why, EBADMSG,
                      "nothing is to be done at lxc.hook.%.32s: devolve's are start-host and stop",
                      type);
    *ret_stops = stops;
    return 0;
}

static int read_name(const char *name, const char **ret, struct refusal *why)
{
    if (!name || !*name)
        return refuse(why, EBADMSG, "LXC does not say the container's name: LXC_NAME is not set");
    size_t length = strlen(name);
    if (length > LXC_NAME_MAX)
        return refuse(why, EBADMSG, "the container's name has %zu bytes, %d are the most", length,
                      LXC_NAME_MAX);
    for (const char *p = name; *p; p++)
        if (*p <= ' ' || *p > '~')
            return refuse(why, EBADMSG, "a container cannot have the name '%s'", name);
    *ret = name;
    return 0;
}

static int read_pid(const char *text, int *ret, struct refusal *why)
{
    uint64_t pid;
    if (!text)
        return refuse(why, EBADMSG, "LXC does not say the container's process: LXC_PID is not set");
    if (text_to_number(text, PID_LARGEST, &pid) < 0 || pid == 0)
        return refuse(why, EBADMSG, "LXC_PID is no process: '%.32s'", text);
    *ret = (int)pid;
    return 0;
}

int lxc_call_parse(const struct lxc_environment *environment, char *const *arguments,
                   const char *own_name, struct lxc_call *ret, struct refusal *why)
{
    struct lxc_environment said = *environment;
    struct lxc_call call = {.name = NULL};
    if (arguments[0] && arguments[1] && arguments[2]) {
        said.name = arguments[0];
        said.type = arguments[2];
    } else if (arguments[0])
        return refuse(why, EBADMSG, "'%.32s' is an argument that LXC does not give its hooks",
                      arguments[0]);
    int r = read_type(said.type, &call.stops, why);
    if (r == 0)
        r = read_name(own_name ? own_name : said.name, &call.name, why);
    if (r == 0)
        r = read_pid(said.pid, &call.pid, why);
    if (r == 0)
        *ret = call;
    return r;
}
