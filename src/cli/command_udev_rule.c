/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A rule to begin with. The daemon is not asked: sysfs says all that is needed, and who writes the
 * first rule may not have started it yet.
 */

#include "cli/command.h"

#include "kernel/device_chain.h"
#include "kernel/sysfs.h"
#include "model/rule_suggestion.h"

/* A rule that is not the best one is a comment: the output as a whole is a rule file. */
static void print_rule(const struct render *out, const struct rule_suggestion *suggestion,
                       bool comment)
{
    render_printf(out, STYLE_FAINT, "# %s:", suggestion->why);
    render_newline(out);
    for (const char *line = suggestion->rule; *line;) {
        size_t length = strcspn(line, "\n");
        render_printf(out, STYLE_PLAIN, "%s%.*s", comment ? "#" : "", (int)length, line);
        render_newline(out);
        line += length + (line[length] == '\n');
    }
}

static int print_words(struct cli *cli, const struct device *device,
                       const struct rule_suggestions *suggestions)
{
    render_printf(&cli->out, STYLE_FAINT, "# %s", device->devpath);
    render_newline(&cli->out);
    for (size_t i = 0; i < suggestions->count; i++)
        print_rule(&cli->out, &suggestions->items[i], i > 0);
    return EXIT_DONE;
}

static int print_json(struct cli *cli, const struct device *device,
                      const struct rule_suggestions *suggestions)
{
    _cleanup_free_ char *devpath = render_printable(device->devpath);
    _cleanup_json_ json_t *rules = json_array();
    for (size_t i = 0; i < suggestions->count; i++) {
        const struct rule_suggestion *item = &suggestions->items[i];
        json_array_append_new(rules, json_pack("{s:s, s:s}", "why", item->why, "rule", item->rule));
    }
    _cleanup_json_ json_t *result =
        devpath && json_array_size(rules) == suggestions->count
            ? json_pack("{s:s, s:O}", "devpath", devpath, "rules", rules)
            : NULL;
    return result ? command_print_json(cli, result) : command_failed(cli, "memory is short");
}

static int suggest(struct cli *cli, struct device *device)
{
    struct rule_suggestions suggestions;
    if (rule_suggest(device, &suggestions) < 0)
        return command_failed(cli, "memory is short");
    int status =
        cli->json ? print_json(cli, device, &suggestions) : print_words(cli, device, &suggestions);
    rule_suggestions_done(&suggestions);
    return status;
}

int command_udev_rule(struct cli *cli, const struct command *command, int argc, char **argv)
{
    _cleanup_free_ char *devpath = NULL;
    _cleanup_(device_chain_done) struct device_chain chain = {0};
    struct refusal why = {0};
    int status;
    if (command_arguments(cli, command, argc, argv, 1, 1, &status) != 0)
        return status;

    if (sysfs_find_device(argv[optind], &devpath, &why) < 0)
        return command_failed(cli, "%s", why.text);
    int r = device_chain_read(&chain, devpath);
    if (r < 0)
        return command_failed(cli, "cannot read %s: %s", devpath, strerror(-r));
    if (r == 0)
        return command_failed(cli, "%s was unplugged this moment", devpath);
    return suggest(cli, chain.devices[0]);
}
