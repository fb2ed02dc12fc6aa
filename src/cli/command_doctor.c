/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/command.h"

#include "cli/field.h"

static enum style style_of(const char *verdict)
{
    if (streq(verdict, "good"))
        return STYLE_GOOD;
    return streq(verdict, "bad") ? STYLE_BAD : STYLE_WARNING;
}

/* "GATE: DEVICE: TEXT" */
static void add_text(struct rows *rows, struct row *row, const json_t *finding)
{
    const char *gate = field_text(finding, "gate", ""),
               *device = field_text(finding, "devpath", "");
    row_add(rows, row, STYLE_PLAIN, "%s%s%s%s%s", gate, *gate ? ": " : "", device,
            *device ? ": " : "", field_text(finding, "text", "?"));
}

int command_doctor(struct cli *cli, const struct command *command, int argc, char **argv)
{
    _cleanup_json_ json_t *reply = NULL;
    struct rows rows = {0};
    const json_t *finding;
    size_t index;
    int status;
    if (command_arguments(cli, command, argc, argv, 0, 1, &status) != 0)
        return status;
    status = command_call(
        cli, "io.devolve.Doctor",
        argc > optind ? json_pack("{s:s}", "container", argv[optind]) : json_object(), &reply);
    if (status != EXIT_DONE)
        return status;
    if (cli->json)
        return command_print_json(cli, reply);

    json_array_foreach(field_array(reply, "findings"), index, finding)
    {
        const char *verdict = field_text(finding, "verdict", "?");
        struct row *row = rows_add(&rows, 0);
        row_add(&rows, row, STYLE_STRONG, "%s", field_text(finding, "subject", "?"));
        row_add(&rows, row, style_of(verdict), "%s", verdict);
        add_text(&rows, row, finding);
    }
    return command_print_rows(cli, &rows);
}
