/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A throw-away container for tests: own mount, pid and network namespaces, by default also a user
 * namespace that maps 0 to 65535 to the host's 100000 and on; its root is a tmpfs with its own
 * tmpfs on /dev, with /proc, /etc/passwd and /etc/group. Its init does nothing and dies with the
 * test.
 *
 * Needs root. What is to happen inside is a function that a child runs there as the container's
 * root.
 */

#include <sys/stat.h>
#include <sys/types.h>

#include "base/util.h"

#define FIXTURE_ID_BASE 100000u /* the host's id of the container's root */
#define FIXTURE_ID_COUNT 65536u

struct fixture_options {
    bool host_user; /* no user namespace: its root is the real root */
    bool host_net;  /* no network namespace */
};

struct fixture;

/* `options` may be NULL. Returns 0 and *ret, or a negative errno. */
int fixture_start(const struct fixture_options *options, struct fixture **ret);

/* Kills everything inside and waits for it. NULL accepted. */
void fixture_stop(struct fixture *fixture);

/* The host's pid of its init. */
pid_t fixture_pid(const struct fixture *fixture);

typedef int (*fixture_function)(void *argument);

/*
 * Runs a function in a child that joined the user, mount and network namespaces and has uid and gid
 * 0 there. The argument is a copy of ours, unless it is fixture_shared() memory. Returns what the
 * function returned; -ETIMEDOUT when that took longer than ten seconds; -EIO when it did not end by
 * itself.
 */
int fixture_run(const struct fixture *fixture, fixture_function function, void *argument);

/* The same without waiting: the child's pid, to be given to fixture_finish() or fixture_kill(). */
pid_t fixture_launch(const struct fixture *fixture, fixture_function function, void *argument,
                     int *ret_result_fd);
int fixture_finish(pid_t pid, int result_fd);
void fixture_kill(pid_t pid, int result_fd);

/* Zeroed memory that children share; it stays until the test program ends. */
void *fixture_shared(size_t size);

/* What a program inside sees: each returns 0 or a negative errno. */
int fixture_open(const struct fixture *fixture, const char *path, int flags);
int fixture_stat(const struct fixture *fixture, const char *path, struct stat *ret);
int fixture_bind(const struct fixture *fixture, const char *from, const char *to);
int fixture_mkdir(const struct fixture *fixture, const char *path);
int fixture_symlink(const struct fixture *fixture, const char *target, const char *path);
int fixture_write(const struct fixture *fixture, const char *path, const char *text);
int fixture_unlink(const struct fixture *fixture, const char *path);

/*
 * Whether this machine and this run can test kernel mechanisms: root, with the system calls of
 * mounts (valgrind 3.19 knows none of them). NULL, or why not.
 */
const char *fixture_missing(void);
