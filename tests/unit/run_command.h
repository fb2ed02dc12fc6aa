/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Runs a command of devolvectl as its main() does, and keeps what it prints. */

#include "cli/command.h"

typedef int command_fn(struct cli *cli, const struct command *command, int argc, char **argv);

struct result {
    int status;
    char *out, *err;
};

/* `argv` begins with the command's name and ends with NULL; 16 arguments at most. */
struct result run_command(command_fn *function, const char *const *argv);

void result_done(struct result *result);
