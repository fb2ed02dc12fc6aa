/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/command.h"

#include <stdarg.h>

#include "cli/client.h"
#include "cli/field.h"
#include "cli/problem.h"

void cli_done(struct cli *cli)
{
    client_free(cli->client);
    cli->client = NULL;
}

static void show_usage(const struct render *render, const struct command *command)
{
    render_printf(render, STYLE_PLAIN, "usage: devolvectl %s %s%s[--json]", command->name,
                  command->arguments, *command->arguments ? " " : "");
    render_newline(render);
}

static void show_help(const struct render *render, const struct command *command)
{
    show_usage(render, command);
    for (const char *line = command->help; *line;) {
        int length = (int)strcspn(line, "\n");
        render_printf(render, STYLE_PLAIN, "%.*s", length, line);
        render_newline(render);
        line += length + (line[length] == '\n');
    }
}

static void begin_complaint(const struct render *err)
{
    render_printf(err, STYLE_STRONG, "devolvectl:");
    fputc(' ', err->file);
}

/* One line of complaint, after a prefix that may be empty. */
static void complain(struct cli *cli, const char *prefix, const char *format, va_list arguments)
    _printf_(3, 0);

static void complain(struct cli *cli, const char *prefix, const char *format, va_list arguments)
{
    char *text;
    begin_complaint(&cli->err);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    render_printf(&cli->err, STYLE_PLAIN, "%s%s%s", prefix, *prefix ? ": " : "",
                  text ? text : "memory is short");
    render_newline(&cli->err);
    free(text);
}

int command_misused(struct cli *cli, const struct command *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain(cli, command->name, format, arguments);
    va_end(arguments);
    show_usage(&cli->err, command);
    return EXIT_USAGE;
}

int command_failed(struct cli *cli, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain(cli, "", format, arguments);
    va_end(arguments);
    return EXIT_FAILED;
}

/* getopt names a letter in optopt; for a long option that is our val, or 0 where it knows none. */
static int misused_option(struct cli *cli, const struct command *command, char **argv)
{
    bool letter = optopt > 0 && optopt < OPTION_FIRST && optopt != 'h' && optopt != 'j';
    if (letter)
        return command_misused(cli, command, "-%c is no option here", optopt);
    return command_misused(cli, command, "%s is no option here", argv[optind - 1]);
}

int command_option(struct cli *cli, const struct command *command, int argc, char **argv,
                   const struct option *options, int *ret_status)
{
    opterr = 0;
    for (;;) {
        int option = getopt_long(argc, argv, ":hj", options, NULL);
        switch (option) {
        case 'j':
            cli->json = true;
            continue;
        case 'h':
            show_help(&cli->out, command);
            *ret_status = EXIT_DONE;
            return COMMAND_ENDS;
        case ':':
            *ret_status = command_misused(cli, command, "%s needs a value", argv[optind - 1]);
            return COMMAND_ENDS;
        case '?':
            *ret_status = misused_option(cli, command, argv);
            return COMMAND_ENDS;
        default:
            return option;
        }
    }
}

int command_count_arguments(struct cli *cli, const struct command *command, int argc, int least,
                            int most, int *ret_status)
{
    int count = argc - optind;
    if (count >= least && count <= most)
        return 0;
    *ret_status = command_misused(cli, command,
                                  count < least ? "an argument is missing" : "too many arguments");
    return 1;
}

int command_arguments(struct cli *cli, const struct command *command, int argc, char **argv,
                      int least, int most, int *ret_status)
{
    static const struct option options[] = {COMMAND_OPTIONS_END};
    if (command_option(cli, command, argc, argv, options, ret_status) == COMMAND_ENDS)
        return 1;
    return command_count_arguments(cli, command, argc, least, most, ret_status);
}

int command_connect(struct cli *cli)
{
    struct refusal why = {0};
    if (cli->client || client_open(&cli->client, &why) >= 0)
        return EXIT_DONE;
    return command_failed(cli, "%s", why.text);
}

int command_call(struct cli *cli, const char *method, json_t *parameters, json_t **ret)
{
    _cleanup_json_ json_t *taken = parameters;
    _cleanup_(varlink_reply_done) struct varlink_reply reply = {0};
    struct refusal why = {0};

    if (!taken)
        return command_failed(cli, "memory is short");
    if (command_connect(cli) != EXIT_DONE)
        return EXIT_FAILED;
    if (client_call(cli->client, method, taken, &reply, &why) < 0)
        return command_failed(cli, "%s", why.text);
    if (reply.error)
        return command_refused(cli, &reply);
    *ret = TAKE_PTR(reply.parameters);
    return EXIT_DONE;
}

/* A value of an error's parameters, for a sentence; empty where there is none. */
static const char *error_value(const json_t *parameters, const char *name, char number[static 24])
{
    if (!name)
        return "";
    const json_t *value = json_object_get(parameters, name);
    if (!json_is_integer(value))
        return field_text(parameters, name, "");
    snprintf(number, 24, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return number;
}

/* The errors of io.devolve and org.varlink.service, as sentences around two values at most. */
static const struct sentence {
    const char *error;
    const char *before, *first, *between, *second, *after;
} sentences[] = {
    {"io.devolve.ContainerNotFound", "no container \"", "name",
     "\" is registered: \"devolvectl list\" shows those that are", NULL, ""},
    {"io.devolve.ContainerExists", "a container \"", "name",
     "\" is registered already, as process ", "pid", ": unregister it first"},
    {"io.devolve.DeviceNotFound", "no device \"", "device", "\": ", "reason", ""},
    {"io.devolve.Stopping", "devolved is stopping: ask the next one", NULL, "", NULL, ""},
    {"io.devolve.Refused", "", "text", "", NULL, ""},
    {"org.varlink.service.InvalidParameter", "devolved does not accept the value of \"",
     "parameter", "\"", NULL, ""},
    {"org.varlink.service.MethodNotFound", "devolved does not know ", "method",
     ": it is of another version than this devolvectl", NULL, ""},
    {"org.varlink.service.MethodNotImplemented", "devolved cannot do ", "method", "", NULL, ""},
    {"org.varlink.service.InterfaceNotFound", "what listens there does not know ", "interface",
     ": is it devolved?", NULL, ""},
    {"org.varlink.service.PermissionDenied", "devolved does not allow this to you", NULL, "", NULL,
     ""},
};

static int refused_rules(struct cli *cli, const json_t *parameters)
{
    const json_t *problems = field_array(parameters, "problems");
    problem_print_all(&cli->err, problems);
    return command_failed(cli, "the rules have %zu %s and were not applied: those in force stay",
                          problem_count(problems, "error"),
                          problem_count(problems, "error") == 1 ? "error" : "errors");
}

int command_refused(struct cli *cli, const struct varlink_reply *reply)
{
    char numbers[2][24];
    if (streq(reply->error, "io.devolve.InvalidRules"))
        return refused_rules(cli, reply->parameters);

    for (size_t i = 0; i < ARRAY_SIZE(sentences); i++) {
        const struct sentence *s = &sentences[i];
        if (streq(s->error, reply->error))
            return command_failed(cli, "%s%s%s%s%s", s->before,
                                  error_value(reply->parameters, s->first, numbers[0]), s->between,
                                  error_value(reply->parameters, s->second, numbers[1]), s->after);
    }
    return command_failed(cli, "devolved answered with the error %s", reply->error);
}

int command_print_json(struct cli *cli, const json_t *value)
{
    /* not ASCII: escaped, so that no byte can be a terminal's business */
    _cleanup_free_ char *text = json_dumps(value, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    if (!text)
        return command_failed(cli, "memory is short");
    fprintf(cli->out.file, "%s\n", text);
    return EXIT_DONE;
}

int command_print_rows(struct cli *cli, struct rows *rows)
{
    int r = rows_print(rows, &cli->out);
    rows_done(rows);
    return r < 0 ? command_failed(cli, "memory is short: something is missing above") : EXIT_DONE;
}
