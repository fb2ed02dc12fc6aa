/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A daemon of straw for the tests of devolvectl: a child process that listens on io.devolve in a
 * directory of its own, expects calls and gives the answers that it was told.
 */

#include <sys/types.h>

#include "base/util.h"

struct answer {
    const char *bytes;
    size_t size;     /* 0: strlen(bytes) and its NUL */
    bool one_by_one; /* each byte in a send() of its own */
};

/* A call that is expected (NULL: none, the answers come unasked), and what follows it. */
struct exchange {
    const char *call;
    struct answer answers[8]; /* up to the first without bytes */
    int signal;               /* sent to the test afterwards; 0: none */
};

struct fake_daemon {
    pid_t pid;
    char directory[64];
};

/* Starts it, for one connection, and points DEVOLVE_RUNTIME_DIR at it. */
void fake_daemon_start(struct fake_daemon *daemon, const struct exchange *exchanges, size_t count);

/*
 * Waits until it ends, which it does when the client hangs up or all was said. Fails the test where
 * a call was not the expected one or was missing.
 */
void fake_daemon_stop(struct fake_daemon *daemon);
