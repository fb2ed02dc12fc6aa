/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How an OCI runtime is called: runc(8), crun(1). Only what matters to us is understood: which
 * command it is, of which container, with which bundle, and where errors are to be written.
 */

#include "base/util.h"

struct runtime_call {
    const char *command; /* "create"; NULL: none, only options */
    const char *id;      /* the container's; NULL: none */
    const char *bundle;  /* "." where it is not said */
    const char *config;  /* crun's --config, another file than the bundle's config.json, or NULL */
    const char *log;     /* file for errors, or NULL */
    bool log_is_json;
};

/* Everything is borrowed from `arguments`, which begin behind the program's name. */
struct runtime_call runtime_call_read(const char *const *arguments);

/* Whether a container is made by it. */
bool runtime_call_creates(const struct runtime_call *call);
