/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The daemon's log: standard error, or the journal with the fields DEVOLVE_CONTAINER= and
 * DEVOLVE_DEVICE=. Lines are printable ASCII whatever a device calls itself. Model never logs,
 * kernel only at debug; an error is logged once, where it is decided what becomes of it.
 */

#include <syslog.h>

#include "base/util.h"

enum log_target { LOG_TARGET_STDERR, LOG_TARGET_JOURNAL };

/* Sets where and how much is logged: `level` is a priority of syslog(3), LOG_ERR to LOG_DEBUG. */
void log_open(enum log_target target, int level);

/* Whether a message of this level would be written: to spare work for a debug line. */
bool log_enabled(int level);

/* One line about nothing in particular. */
void log_line(int level, const char *format, ...) _printf_(2, 3);

/* One line about a container and a device (devpath); either may be NULL. */
void log_about(int level, const char *container, const char *device, const char *format, ...)
    _printf_(4, 5);
