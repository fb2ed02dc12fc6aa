/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What LXC tells its hooks: lxc.container.conf(5), "CONTAINER HOOKS". With lxc.hook.version = 1 all
 * of it is in the environment; with 0, the default, name, section and type are arguments, and the
 * process is in the environment all the same. Words in, verdict out.
 */

#include "base/refusal.h"

#define LXC_NAME_MAX 255 /* bytes */

/* The environment, NULL where a variable is not set. */
struct lxc_environment {
    const char *name; /* LXC_NAME */
    const char *type; /* LXC_HOOK_TYPE */
    const char *pid;  /* LXC_PID */
};

struct lxc_call {
    const char *name; /* borrowed; printable */
    int pid;          /* of the container's first process; at its end, what it was */
    bool stops;       /* else it starts */
};

/*
 * `arguments` end in a NULL; `own_name` goes before LXC's name for the container (NULL: none).
 * Returns 0 and *ret, or -EBADMSG and the reason.
 */
int lxc_call_parse(const struct lxc_environment *environment, char *const *arguments,
                   const char *own_name, struct lxc_call *ret, struct refusal *why);
