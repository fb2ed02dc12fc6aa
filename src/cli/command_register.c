/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/command.h"

#include "base/text.h"
#include "cli/field.h"

#define PID_LARGEST (1u << 22) /* proc(5), pid_max */

struct registration {
    json_int_t pid;
    const char *root;
    json_t *labels; /* NULL: none */
};

static void registration_done(struct registration *registration)
{
    json_decref(registration->labels);
}

static int read_pid(struct cli *cli, const struct command *command, json_int_t *ret)
{
    uint64_t pid;
    if (text_to_number(optarg, PID_LARGEST, &pid) < 0 || pid == 0)
        return command_misused(cli, command, "--pid %s is no process id", optarg);
    *ret = (json_int_t)pid;
    return EXIT_DONE;
}

static int read_root(struct cli *cli, const struct command *command, const char **ret)
{
    if (*optarg != '/')
        return command_misused(cli, command, "--root %s is no absolute path", optarg);
    *ret = optarg;
    return EXIT_DONE;
}

static int read_label(struct cli *cli, const struct command *command, json_t **labels)
{
    const char *equals = strchr(optarg, '=');
    if (!equals || equals == optarg)
        return command_misused(cli, command, "--label %s is not KEY=VALUE", optarg);
    if (!*labels)
        *labels = json_object();
    _cleanup_free_ char *key = strndup(optarg, (size_t)(equals - optarg));
    if (!*labels || !key)
        return command_failed(cli, "memory is short");
    if (json_object_get(*labels, key))
        return command_misused(cli, command, "the label %s is given twice", key);
    if (json_object_set_new(*labels, key, json_string(equals + 1)) < 0)
        return command_failed(cli, "memory is short");
    return EXIT_DONE;
}

enum { OPTION_PID = OPTION_FIRST, OPTION_ROOT, OPTION_LABEL };

static int read_option(struct cli *cli, const struct command *command, int option,
                       struct registration *registration)
{
    if (option == OPTION_PID)
        return read_pid(cli, command, &registration->pid);
    if (option == OPTION_ROOT)
        return read_root(cli, command, &registration->root);
    return read_label(cli, command, &registration->labels);
}

/* Returns 0; 1 where the command is over, with *ret_status. */
static int read_options(struct cli *cli, const struct command *command, int argc, char **argv,
                        struct registration *registration, int *ret_status)
{
    static const struct option options[] = {{"pid", required_argument, NULL, OPTION_PID},
                                            {"root", required_argument, NULL, OPTION_ROOT},
                                            {"label", required_argument, NULL, OPTION_LABEL},
                                            COMMAND_OPTIONS_END};
    int option;
    while ((option = command_option(cli, command, argc, argv, options, ret_status)) != -1) {
        if (option == COMMAND_ENDS)
            return 1;
        *ret_status = read_option(cli, command, option, registration);
        if (*ret_status != EXIT_DONE)
            return 1;
    }
    return command_count_arguments(cli, command, argc, 1, 1, ret_status);
}

static int show(struct cli *cli, const json_t *reply)
{
    const json_t *container = field_object(reply, "container");
    const char *name = field_text(container, "name", "?");
    json_int_t grants = field_number(container, "grants", 0);
    json_int_t refused = field_number(container, "refused", 0);
    if (cli->json)
        return command_print_json(cli, reply);

    render_printf(&cli->out, STYLE_PLAIN, "%s is registered and has %" JSON_INTEGER_FORMAT " %s",
                  name, grants, grants == 1 ? "grant" : "grants");
    if (refused > 0)
        render_printf(&cli->out, STYLE_BAD,
                      "; %" JSON_INTEGER_FORMAT " refused, see \"devolvectl status %s\"", refused,
                      name);
    render_newline(&cli->out);
    return EXIT_DONE;
}

int command_register(struct cli *cli, const struct command *command, int argc, char **argv)
{
    _cleanup_(registration_done) struct registration registration = {0};
    _cleanup_json_ json_t *reply = NULL;
    int status;

    if (read_options(cli, command, argc, argv, &registration, &status) != 0)
        return status;
    if (registration.pid == 0)
        return command_misused(cli, command, "--pid is missing");

    json_t *parameters =
        json_pack("{s:s, s:I, s:s*, s:O*}", "name", argv[optind], "pid", registration.pid, "root",
                  registration.root, "labels", registration.labels);
    status = command_call(cli, "io.devolve.Register", parameters, &reply);
    return status == EXIT_DONE ? show(cli, reply) : status;
}
