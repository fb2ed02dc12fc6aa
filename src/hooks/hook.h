/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is the same in each program that a runtime calls: it wants nothing of what it was started
 * with, it ends in time, and a container whose devolved is away starts all the same.
 *
 * A hook begins with hook_forget_caller(), reads its options, and then calls hook_run().
 */

#include <getopt.h>

#include "hooks/request.h"

struct hook {
    const char *program;
    const char *usage; /* all lines of it */
    struct request_limits limits;
    bool required; /* what fails fails the container */
};

/* The options that every hook has, at the end of its table. */
#define HOOK_OPTIONS                                                                               \
    {"runtime-dir", required_argument, NULL, 'd'}, {"required", no_argument, NULL, 'r'},           \
        {"version", no_argument, NULL, 'v'}, {"help", no_argument, NULL, 'h'},                     \
    {                                                                                              \
        NULL, 0, NULL, 0                                                                           \
    }

/* A hook with the defaults of those options. */
struct hook hook_make(const char *program, const char *usage);

/*
 * The environment goes, the working directory, leaked descriptors, the umask and blocked signals.
 * What getenv() returned before stays where it is. Returns 0 or a negative errno.
 */
int hook_forget_caller(void);

/* One option as getopt_long() has found it. Returns 1: go on; 0: all was said; -EINVAL, said. */
int hook_option(struct hook *hook, int option);

/* Says how the program is used. Returns -EINVAL. */
int hook_misused(const struct hook *hook);

/* Calls `fn`, which has two seconds. Returns the program's exit status: a failure of `fn` is one of
 * the program's only where the container requires us. */
int hook_run(struct hook *hook, int (*fn)(const struct hook *hook, void *userdata), void *userdata);

/* A line about a container on standard error. What is not printable in its name is shown as \xNN.
 */
void hook_say(const struct hook *hook, const char *container, const char *text);

/*
 * Registers the container, or leaves a note under the file name `id`. Returns 0, or a negative
 * errno and the reason: it has no devices, or none yet.
 */
int hook_register(const struct hook *hook, const char *id, const struct waiting_note *note,
                  struct refusal *why);

/* Its devices have gone with its process already: this ends what is left, the note too, of those
 * that have the label. Returns 0, also where devolved does not answer, or a negative errno and the
 * reason why it refused. */
int hook_unregister(const struct hook *hook, const char *id, const char *label, const char *value,
                    struct refusal *why);
