/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/command.h"

#include "cli/device_tree.h"
#include "cli/field.h"
#include "cli/grant_rows.h"

static enum style state_style(const char *state)
{
    return streq(state, "ready") ? STYLE_GOOD : streq(state, "stalled") ? STYLE_BAD : STYLE_WARNING;
}

static void add_container(struct rows *rows, const json_t *container, const json_t *grants)
{
    const char *name = field_text(container, "name", "?");
    const char *state = field_text(container, "state", "?");
    struct row *head = rows_add(rows, 0);
    if (head)
        head->wide = true;
    row_add(rows, head, STYLE_STRONG, "%s", name);
    row_add(rows, head, STYLE_PLAIN, "process %" JSON_INTEGER_FORMAT,
            field_number(container, "pid", 0));
    row_add(rows, head, STYLE_PLAIN, "%s network", field_text(container, "netns", "?"));
    row_add(rows, head, state_style(state), "%s", state);
    if (grant_rows_add_all(rows, 1, grants, name) == 0)
        rows_add_text(rows, 1, STYLE_FAINT, "no device");
}

static int show_tree(struct cli *cli, const json_t *containers, const json_t *grants)
{
    struct rows rows = {0};
    size_t index;
    const json_t *container;
    json_array_foreach(containers, index, container) add_container(&rows, container, grants);
    if (rows.count == 0)
        rows_add_text(&rows, 0, STYLE_FAINT, "no container is registered");
    return command_print_rows(cli, &rows);
}

static int print_both(struct cli *cli, json_t *one, json_t *other)
{
    if (json_object_update(one, other) < 0)
        return command_failed(cli, "memory is short");
    return command_print_json(cli, one);
}

static int list_containers(struct cli *cli)
{
    _cleanup_json_ json_t *reply = NULL, *grants = NULL;
    int status = command_call(cli, "io.devolve.ListContainers", json_object(), &reply);
    if (status == EXIT_DONE)
        status = command_call(cli, "io.devolve.ListGrants", json_object(), &grants);
    if (status != EXIT_DONE)
        return status;
    if (!cli->json)
        return show_tree(cli, field_array(reply, "containers"), field_array(grants, "grants"));
    return print_both(cli, reply, grants);
}

static int show_devices(struct cli *cli, const json_t *devices, const json_t *grants, bool all)
{
    struct rows rows = {0};
    if (device_tree_add(&rows, devices, grants, all) < 0)
        rows.short_of_memory = true;
    return command_print_rows(cli, &rows);
}

static int list_devices(struct cli *cli, bool all)
{
    _cleanup_json_ json_t *reply = NULL, *grants = NULL;
    json_t *parameters = json_pack("{s:b}", all ? "all" : "parents", 1);
    int status = command_call(cli, "io.devolve.ListDevices", parameters, &reply);
    if (status == EXIT_DONE)
        status = command_call(cli, "io.devolve.ListGrants", json_object(), &grants);
    if (status != EXIT_DONE)
        return status;
    if (!cli->json)
        return show_devices(cli, field_array(reply, "devices"), field_array(grants, "grants"), all);
    return print_both(cli, reply, grants);
}

int command_list(struct cli *cli, const struct command *command, int argc, char **argv)
{
    enum { OPTION_DEVICES = OPTION_FIRST, OPTION_ALL };
    static const struct option options[] = {{"devices", no_argument, NULL, OPTION_DEVICES},
                                            {"all", no_argument, NULL, OPTION_ALL},
                                            COMMAND_OPTIONS_END};
    bool devices = false, all = false;
    int option, status;
    while ((option = command_option(cli, command, argc, argv, options, &status)) != -1) {
        if (option == COMMAND_ENDS)
            return status;
        devices |= option == OPTION_DEVICES;
        all |= option == OPTION_ALL;
    }
    if (command_count_arguments(cli, command, argc, 0, 0, &status) != 0)
        return status;
    if (all && !devices)
        return command_misused(cli, command, "--all goes with --devices");
    return devices ? list_devices(cli, all) : list_containers(cli);
}
