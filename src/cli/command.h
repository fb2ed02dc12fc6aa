/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the commands of devolvectl share: options, calls of the daemon, errors, JSON. */

#include <getopt.h>
#include <jansson.h>

#include "cli/render.h"
#include "model/varlink_message.h"

enum exit_status {
    EXIT_DONE = 0,
    EXIT_FAILED = 1, /* refused, or failed */
    EXIT_USAGE = 2,  /* wrong usage */
};

struct client;

/* One run of devolvectl. */
struct cli {
    struct render out, err;
    bool json;             /* print the reply's parameters instead of words */
    struct client *client; /* connected by the first call; NULL before */
};

void cli_done(struct cli *cli);

/* One row of the table in main.c. */
struct command {
    const char *name;
    const char *arguments;
    const char *help; /* the first line is the summary; the others are shown by COMMAND --help */
    int (*run)(struct cli *cli, const struct command *command, int argc, char **argv);
};

int command_register(struct cli *cli, const struct command *command, int argc, char **argv);
int command_unregister(struct cli *cli, const struct command *command, int argc, char **argv);
int command_list(struct cli *cli, const struct command *command, int argc, char **argv);
int command_status(struct cli *cli, const struct command *command, int argc, char **argv);
int command_attach(struct cli *cli, const struct command *command, int argc, char **argv);
int command_detach(struct cli *cli, const struct command *command, int argc, char **argv);
int command_explain(struct cli *cli, const struct command *command, int argc, char **argv);
int command_check(struct cli *cli, const struct command *command, int argc, char **argv);
int command_monitor(struct cli *cli, const struct command *command, int argc, char **argv);
int command_doctor(struct cli *cli, const struct command *command, int argc, char **argv);
int command_reload(struct cli *cli, const struct command *command, int argc, char **argv);
int command_udev_rule(struct cli *cli, const struct command *command, int argc, char **argv);

/* What ends the table of a command's long options; the `val` of its own begin at OPTION_FIRST. */
#define OPTION_FIRST 256
#define COMMAND_OPTIONS_END                                                                        \
    {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'},                            \
    {                                                                                              \
        0                                                                                          \
    }

#define COMMAND_ENDS 0 /* command_option(): the command is over, with *ret_status */

/*
 * The next option of a command: its `val`, its value in optarg; -1 behind the last one, where the
 * arguments are argv[optind] and on. --json, --help and mistakes are dealt with here. The first
 * call must find optind 0.
 */
int command_option(struct cli *cli, const struct command *command, int argc, char **argv,
                   const struct option *options, int *ret_status);

/*
 * command_option() for a command without options of its own, and the check that it got from `least`
 * to `most` arguments. Returns 0; 1 where the command is over, with *ret_status.
 */
int command_arguments(struct cli *cli, const struct command *command, int argc, char **argv,
                      int least, int most, int *ret_status);

/* The second half of it, where the options were read already. */
int command_count_arguments(struct cli *cli, const struct command *command, int argc, int least,
                            int most, int *ret_status);

/* "devolvectl: NAME: text" and how it is used; returns EXIT_USAGE. */
int command_misused(struct cli *cli, const struct command *command, const char *format, ...)
    _printf_(3, 4);

/* "devolvectl: text"; returns EXIT_FAILED. */
int command_failed(struct cli *cli, const char *format, ...) _printf_(2, 3);

/*
 * Calls a method; `parameters` are taken, and NULL says that memory was short when they were made
 * (json_pack() does); none are json_object(). Whatever goes wrong is said on cli->err.
 * Returns EXIT_DONE and the reply's parameters (json_decref() them), or EXIT_FAILED.
 */
int command_call(struct cli *cli, const char *method, json_t *parameters, json_t **ret);

/* Connects unless that was done; EXIT_DONE, or EXIT_FAILED after saying why. */
int command_connect(struct cli *cli);

/* Says an error reply in words; returns EXIT_FAILED. */
int command_refused(struct cli *cli, const struct varlink_reply *reply);

/* Prints `value` as JSON, on many lines; EXIT_DONE, or EXIT_FAILED when memory is short. */
int command_print_json(struct cli *cli, const json_t *value);

/* Prints the rows and frees them; EXIT_DONE, or EXIT_FAILED when memory is short. */
int command_print_rows(struct cli *cli, struct rows *rows);
