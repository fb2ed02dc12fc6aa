/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A bundle's config.json (config.md of the OCI runtime specification), with our hook in it. It is
 * the file `name` in the directory `dir_fd`: crun takes others than the bundle's, too. */

#include "base/refusal.h"

#define RUNTIME_CONFIG_MAX (16u << 20) /* bytes */

struct runtime_hook {
    const char *path;
    const char *const *arguments; /* NULL ends them; the first is the program's own name */
};

/* Reads the configuration. Returns 0, *ret (caller frees) and its size, or a negative errno and the
 * reason. */
int runtime_config_read(int dir_fd, const char *name, char **ret, size_t *ret_size,
                        struct refusal *why);

/*
 * The configuration with the hook at createRuntime, poststart and poststop, behind those that are
 * there, in place of one of its path. All else stays as it is, byte for byte. Returns 0 and *ret
 * (caller frees), or a negative errno and the reason.
 */
int runtime_config_add_hook(const char *text, size_t size, const struct runtime_hook *hook,
                            char **ret, struct refusal *why);

/* Puts another text in its place, whole or not at all, with the owner and mode of the old one.
 * Returns 0, or a negative errno and the reason. */
int runtime_config_write(int dir_fd, const char *name, const char *text, struct refusal *why);
