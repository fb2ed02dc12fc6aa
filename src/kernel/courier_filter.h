/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The courier's seccomp filter: a list of the system calls that its requests need. execve(2) and
 * execveat(2) end it with SIGSYS, everything else gives EPERM. The filter is made once, so that a
 * child installs it without allocating.
 */

#include "base/refusal.h"

/* The sanitizers' runtime needs more system calls, and standard error. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define COURIER_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define COURIER_SANITIZED 1
#endif

/* Makes the filter unless that was done already. Returns 0 or a negative errno and the reason. */
int courier_filter_prepare(struct refusal *why);

/* Puts it on the calling thread, for good, with no_new_privs. Returns 0 or a negative errno. */
int courier_filter_install(void);
