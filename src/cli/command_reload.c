/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/command.h"

#include "cli/field.h"
#include "cli/problem.h"

int command_reload(struct cli *cli, const struct command *command, int argc, char **argv)
{
    _cleanup_json_ json_t *reply = NULL;
    int status;
    if (command_arguments(cli, command, argc, argv, 0, 0, &status) != 0)
        return status;

    status = command_call(cli, "io.devolve.Reload", json_object(), &reply);
    if (status != EXIT_DONE)
        return status;
    if (cli->json)
        return command_print_json(cli, reply);

    json_int_t rules = field_number(reply, "rules", 0);
    problem_print_all(&cli->err, field_array(reply, "problems"));
    render_printf(&cli->out, STYLE_PLAIN, "%" JSON_INTEGER_FORMAT " %s in force", rules,
                  rules == 1 ? "rule is" : "rules are");
    render_newline(&cli->out);
    return EXIT_DONE;
}
