/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/refusal.h"

/*
 * Appends an error to the file in which the caller of an OCI runtime looks for what went wrong: a
 * line as runc writes it, of JSON or of KEY="VALUE". Returns 0, or a negative errno; it waits for
 * nobody to read a pipe.
 */
int runtime_log_error(const char *path, bool is_json, const char *text);
