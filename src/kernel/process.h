/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What tells one process of this boot from any other, and where its root is. */

#include <sys/types.h>

#include "base/util.h"

#define PROCESS_BOOT_ID_SIZE 37 /* a UUID and its NUL */

/*
 * When the process was started, in clock ticks since boot: field 22 of /proc/PID/stat, proc(5).
 * With the pid and the boot id it names one process for ever. Returns 0 where there is none.
 */
uint64_t process_start_time(pid_t pid);

/*
 * The process that has the number, if it is the one that was started then. Returns its pidfd, or a
 * negative errno.
 */
int process_open(pid_t pid, uint64_t start_time);

/* Whether it has not ended: a zombie has. */
bool process_is_alive(pid_t pid);

/*
 * Who made it: the owner of its user namespace, or its user where that is our own namespace. What
 * belongs to root was started by root. Returns 0 and *ret, or a negative errno.
 */
int process_owner(pid_t pid, uid_t *ret);

/* The kernel's name for this boot. Returns 0 or a negative errno. */
int process_boot_id(char ret[PROCESS_BOOT_ID_SIZE]);

/*
 * Whether the root directory of the process is our own: a container that is being created has not
 * entered its root yet. Returns 1 or 0, or a negative errno (-ENOENT: it has ended).
 */
int process_has_our_root(pid_t pid);
