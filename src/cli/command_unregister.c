/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/command.h"

int command_unregister(struct cli *cli, const struct command *command, int argc, char **argv)
{
    _cleanup_json_ json_t *reply = NULL;
    int status;
    if (command_arguments(cli, command, argc, argv, 1, 1, &status) != 0)
        return status;

    const char *name = argv[optind];
    status = command_call(cli, "io.devolve.Unregister", json_pack("{s:s}", "name", name), &reply);
    if (status != EXIT_DONE)
        return status;
    if (cli->json)
        return command_print_json(cli, reply);
    render_printf(&cli->out, STYLE_PLAIN, "%s is unregistered", name);
    render_newline(&cli->out);
    return EXIT_DONE;
}
