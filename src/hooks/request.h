/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a hook asks of devolved, which may be away, or hang. */

#include "model/waiting_note.h"

struct request_limits {
    const char *runtime_directory;
    int over_fd;         /* becomes readable when the time is over */
    unsigned connect_ms; /* for the connection alone, and for sending */
};

/*
 * Register and Unregister of io.devolve(7). Return 1: done; 0: devolved refused, with its reason; a
 * negative errno and the reason: it did not answer.
 */
int request_register(const struct request_limits *limits, const struct waiting_note *note,
                     struct refusal *why);

/*
 * Every container that has the label and whose process has ended, whatever its name is: one that
 * lives is not the one that stops, but of another runtime that gave the same id. None is as well.
 */
int request_unregister(const struct request_limits *limits, const char *label, const char *value,
                       struct refusal *why);
