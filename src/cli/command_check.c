/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The lint for rules. It needs no daemon: the parser is the daemon's own, so what passes here is
 * what a reload accepts.
 */

#include "cli/command.h"

#include <errno.h>

#include "cli/mask_rows.h"
#include "cli/problem.h"
#include "kernel/rule_files.h"
#include "kernel/udev_database.h"
#include "model/rule_print.h"

static const char *const default_directories[] = {"/etc/devolve/rules.d", "/run/devolve/rules.d",
                                                  "/usr/lib/devolve/rules.d"};

struct check {
    const char **directories; /* of --rules */
    size_t directory_count;
    bool print;             /* --print */
    struct rule_set *rules; /* NULL where a directory has an error */
    struct rule_problems problems;
    struct rule_masks masks;
};

static void check_done(struct check *check)
{
    free(check->directories);
    rule_set_free(check->rules);
    rule_problems_done(&check->problems);
    rule_masks_done(&check->masks);
}

static int read_options(struct cli *cli, const struct command *command, int argc, char **argv,
                        struct check *check, int *ret_status)
{
    enum { OPTION_RULES = OPTION_FIRST, OPTION_PRINT };
    static const struct option options[] = {{"rules", required_argument, NULL, OPTION_RULES},
                                            {"print", no_argument, NULL, OPTION_PRINT},
                                            COMMAND_OPTIONS_END};
    int option;
    while ((option = command_option(cli, command, argc, argv, options, ret_status)) != -1) {
        if (option == COMMAND_ENDS)
            return 1;
        if (option == OPTION_PRINT) {
            check->print = true;
            continue;
        }
        const char **directory =
            array_add(&check->directories, &check->directory_count, sizeof(*directory));
        if (!directory) {
            *ret_status = command_failed(cli, "memory is short");
            return 1;
        }
        *directory = optarg;
    }
    if (check->directory_count == 0 || optind == argc)
        return 0;
    *ret_status = command_misused(cli, command, "files and --rules exclude each other");
    return 1;
}

/* Rules carry the base name of their file; here the name that the user gave says more. */
static void rename_file(struct rule_problems *problems, size_t first, const char *path)
{
    for (size_t i = first; i < problems->count; i++) {
        char *name = strdup(path);
        if (!name)
            return;
        free(problems->items[i].file);
        problems->items[i].file = name;
    }
}

/* A file with errors is in the problems and no reason to stop: the next one is judged too. */
static int load_files(struct cli *cli, struct check *check, char **files, int count)
{
    int status = EXIT_DONE;
    check->rules = rule_set_new();
    if (!check->rules)
        return command_failed(cli, "memory is short");
    for (int i = 0; i < count; i++) {
        size_t errors = check->problems.errors, first = check->problems.count;
        int r = rule_file_load(files[i], check->rules, &check->problems);
        rename_file(&check->problems, first, files[i]);
        if (r < 0 && check->problems.errors == errors)
            status = command_failed(cli, "%s: %s", files[i], strerror(-r));
    }
    return status;
}

static int load_directories(struct cli *cli, struct check *check)
{
    bool given = check->directory_count > 0;
    const char *const *directories =
        given ? (const char *const *)check->directories : default_directories;
    size_t count = given ? check->directory_count : ARRAY_SIZE(default_directories);

    int r = rule_files_load(directories, count, &check->rules, &check->problems);
    if (r < 0 && check->problems.errors == 0)
        return command_failed(cli, "cannot read the rules: %s", strerror(-r));
    if (rule_files_masked(directories, count, &check->masks) < 0)
        return command_failed(cli, "memory is short");
    return EXIT_DONE;
}

/* `printed` may be NULL: the member is left out then. */
static int print_json(struct cli *cli, const struct check *check, const json_t *problems,
                      const json_t *masked, const char *printed)
{
    size_t rules = check->rules ? rule_set_count(check->rules) : 0;
    _cleanup_json_ json_t *text = printed ? json_string(printed) : NULL;
    if (printed && !text)
        return command_failed(cli, "there are bytes in the rules that are not UTF-8, as JSON is");
    _cleanup_json_ json_t *result =
        json_pack("{s:I, s:O, s:O, s:O*}", "rules", (json_int_t)rules, "problems",
                  (json_t *)problems, "masked", (json_t *)masked, "printed", text);
    return result ? command_print_json(cli, result) : command_failed(cli, "memory is short");
}

static void print_lines(const struct render *out, const char *text)
{
    for (size_t length; *text; text += length + 1) {
        length = strcspn(text, "\n");
        render_printf(out, STYLE_PLAIN, "%.*s", (int)length, text);
        render_newline(out);
    }
}

static void print_summary(struct cli *cli, const struct check *check)
{
    size_t errors = check->problems.errors, warnings = check->problems.count - errors;
    if (check->rules && errors == 0) /* a file with an error counts for nothing */
        render_printf(&cli->out, STYLE_PLAIN, "%zu %s in %zu %s: ", rule_set_count(check->rules),
                      rule_set_count(check->rules) == 1 ? "rule" : "rules",
                      rule_set_file_count(check->rules),
                      rule_set_file_count(check->rules) == 1 ? "file" : "files");
    if (errors > 0)
        render_printf(&cli->out, STYLE_BAD, "%zu %s", errors, errors == 1 ? "error" : "errors");
    if (errors > 0 && warnings > 0)
        render_printf(&cli->out, STYLE_PLAIN, ", ");
    if (warnings > 0)
        render_printf(&cli->out, STYLE_WARNING, "%zu %s", warnings,
                      warnings == 1 ? "warning" : "warnings");
    if (errors + warnings == 0)
        render_printf(&cli->out, STYLE_GOOD, "no problem");
    render_newline(&cli->out);
}

/* What was found, and in place of the summary, where they are wanted, the rules. */
static int print_words(struct cli *cli, const struct check *check, const json_t *problems,
                       const json_t *masked, const char *printed, bool complete)
{
    struct rows rows = {0};
    problem_print_all(&cli->out, problems);
    mask_rows_add(&rows, masked);
    int status = command_print_rows(cli, &rows);
    if (printed)
        print_lines(&cli->out, printed);
    else if (complete)
        print_summary(cli, check);
    return status;
}

static int print_result(struct cli *cli, const struct check *check, bool complete)
{
    _cleanup_free_ char *printed = NULL;
    bool prints = check->print && check->rules && check->problems.errors == 0;
    _cleanup_json_ json_t *problems = problem_list(&check->problems);
    _cleanup_json_ json_t *masked = mask_list(&check->masks);
    if (!problems || !masked || (prints && rule_print(check->rules, &printed) < 0))
        return command_failed(cli, "memory is short");
    return cli->json ? print_json(cli, check, problems, masked, printed)
                     : print_words(cli, check, problems, masked, printed, complete);
}

int command_check(struct cli *cli, const struct command *command, int argc, char **argv)
{
    _cleanup_(check_done) struct check check = {.problems.without_udev =
                                                    !udev_database_is_served()};
    int status;
    if (read_options(cli, command, argc, argv, &check, &status) != 0)
        return status;

    status = optind < argc ? load_files(cli, &check, argv + optind, argc - optind)
                           : load_directories(cli, &check);
    int r = print_result(cli, &check, status == EXIT_DONE);
    status = r != EXIT_DONE ? r : status;
    return check.problems.errors > 0 ? EXIT_FAILED : status;
}
