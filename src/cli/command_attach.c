/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/command.h"

#include "cli/field.h"
#include "cli/grant_rows.h"

/* Most values go to the daemon as they are; it judges them. */
enum {
    OPTION_NODE = OPTION_FIRST,
    OPTION_OWNER,
    OPTION_GROUP,
    OPTION_MODE,
    OPTION_ACCESS,
    OPTION_SYMLINK,
    OPTION_SUBTREE,
    OPTION_PERSIST
};

static const struct option attach_options[] = {{"node", required_argument, NULL, OPTION_NODE},
                                               {"owner", required_argument, NULL, OPTION_OWNER},
                                               {"group", required_argument, NULL, OPTION_GROUP},
                                               {"mode", required_argument, NULL, OPTION_MODE},
                                               {"access", required_argument, NULL, OPTION_ACCESS},
                                               {"symlink", required_argument, NULL, OPTION_SYMLINK},
                                               {"subtree", no_argument, NULL, OPTION_SUBTREE},
                                               {"persist", optional_argument, NULL, OPTION_PERSIST},
                                               COMMAND_OPTIONS_END};

/* The parameter that an option sets: they have the same names. */
static const char *parameter_name(int option)
{
    return attach_options[option - OPTION_FIRST].name;
}

static int add_symlink(json_t *parameters)
{
    json_t *symlinks = json_object_get(parameters, "symlinks");
    if (!symlinks) {
        symlinks = json_array();
        if (json_object_set_new(parameters, "symlinks", symlinks) < 0)
            return -1;
    }
    return json_array_append_new(symlinks, json_string(optarg));
}

static int set_parameter(json_t *parameters, int option)
{
    const char *name = parameter_name(option);
    switch (option) {
    case OPTION_SYMLINK:
        return add_symlink(parameters);
    case OPTION_SUBTREE:
        return json_object_set_new(parameters, name, json_true());
    case OPTION_PERSIST:
        return json_object_set_new(parameters, name, json_string(optarg ? optarg : "always"));
    default:
        return json_object_set_new(parameters, name, json_string(optarg));
    }
}

static bool is_life(const char *word)
{
    return !word || streq(word, "always") || streq(word, "runtime");
}

/* Fills the parameters. Returns 0; 1 where the command is over, with *ret_status. */
static int read_options(struct cli *cli, const struct command *command, int argc, char **argv,
                        json_t *parameters, int *ret_status)
{
    int option;
    while ((option = command_option(cli, command, argc, argv, attach_options, ret_status)) != -1) {
        if (option == COMMAND_ENDS)
            return 1;
        if (option == OPTION_PERSIST && !is_life(optarg)) {
            *ret_status = command_misused(cli, command, "--persist is \"always\" or \"runtime\"");
            return 1;
        }
        if (set_parameter(parameters, option) < 0) {
            *ret_status = command_failed(cli, "memory is short");
            return 1;
        }
    }
    return command_count_arguments(cli, command, argc, 2, 2, ret_status);
}

/* By what a rule knows the device again is worth a look: it may be its name only. */
static void add_kept(struct rows *rows, const json_t *reply)
{
    rows_add_text(rows, 0, STYLE_PLAIN, "kept in %s", field_text(reply, "file", "?"));
    rows_add_text(rows, 1, STYLE_PLAIN, "%s", field_text(reply, "told_by", "?"));
}

static int show(struct cli *cli, const json_t *reply)
{
    const json_t *grant = field_object(reply, "grant");
    bool refused = field_is(grant, "state", "refused");
    struct rows rows = {0};
    if (cli->json) {
        int status = command_print_json(cli, reply);
        return refused ? EXIT_FAILED : status;
    }
    if (refused)
        return command_failed(cli, "%s", field_text(grant, "reason", "refused"));

    rows_add_text(&rows, 0, STYLE_STRONG, "%s", field_text(grant, "container", "?"));
    grant_rows_add(&rows, 1, grant);
    if (field_text(reply, "file", NULL))
        add_kept(&rows, reply);
    return command_print_rows(cli, &rows);
}

int command_attach(struct cli *cli, const struct command *command, int argc, char **argv)
{
    _cleanup_json_ json_t *parameters = json_object(), *reply = NULL;
    int status;
    if (!parameters)
        return command_failed(cli, "memory is short");
    if (read_options(cli, command, argc, argv, parameters, &status) != 0)
        return status;

    if (json_object_set_new(parameters, "container", json_string(argv[optind])) < 0 ||
        json_object_set_new(parameters, "device", json_string(argv[optind + 1])) < 0)
        return command_failed(cli, "memory is short");
    status = command_call(cli, "io.devolve.Attach", TAKE_PTR(parameters), &reply);
    return status == EXIT_DONE ? show(cli, reply) : status;
}

int command_detach(struct cli *cli, const struct command *command, int argc, char **argv)
{
    _cleanup_json_ json_t *reply = NULL;
    int status;
    if (command_arguments(cli, command, argc, argv, 2, 2, &status) != 0)
        return status;

    const char *name = argv[optind], *device = argv[optind + 1];
    status = command_call(cli, "io.devolve.Detach",
                          json_pack("{s:s, s:s}", "container", name, "device", device), &reply);
    if (status != EXIT_DONE)
        return status;
    if (cli->json)
        return command_print_json(cli, reply);
    render_printf(&cli->out, STYLE_PLAIN, "%s no longer has %s by hand", name, device);
    render_newline(&cli->out);
    return EXIT_DONE;
}
