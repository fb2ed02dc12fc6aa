/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/command.h"

#include "cli/field.h"
#include "cli/grant_rows.h"
#include "cli/mask_rows.h"

static void add_device(struct rows *rows, const json_t *device)
{
    static const struct {
        const char *field, *name;
    } facts[] = {{"subsystem", "subsystem"}, {"sysname", "name"}, {"devtype", "type"},
                 {"driver", "driver"},       {"devnode", "node"}, {"number", "number"}};

    rows_add_text(rows, 0, STYLE_STRONG, "%s", field_text(device, "devpath", "?"));
    for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
        const char *text = field_text(device, facts[i].field, NULL);
        if (!text)
            continue;
        struct row *row = rows_add(rows, 1);
        row_add(rows, row, STYLE_PLAIN, "%s", facts[i].name);
        row_add(rows, row, STYLE_PLAIN, "%s", text);
    }
}

/* Why a rule does not match: its first key that failed, what is there instead, and where that is.
 */
static void add_failure(struct rows *rows, struct row *row, const json_t *rule)
{
    const char *key = field_text(rule, "key", NULL), *value = field_text(rule, "value", NULL);
    const char *parent = field_text(rule, "parent", NULL);
    bool asks_container = key && after_prefix(key, "CONTAINER");
    row_add(rows, row, STYLE_PLAIN, "no match");
    if (asks_container && streq_null(value, "")) /* judged for nobody */
        row_add(rows, row, STYLE_PLAIN, "%s", key);
    else if (key && value)
        row_add(rows, row, STYLE_PLAIN, "%s  but it is \"%s\"%s%s", key, value,
                parent ? " at " : "", parent ? parent : "");
    else if (key && parent)
        row_add(rows, row, STYLE_PLAIN, "%s  but there is none at %s", key, parent);
    else if (asks_container)
        row_add(rows, row, STYLE_PLAIN, "%s  but the container has none", key);
    else if (key)
        row_add(rows, row, STYLE_PLAIN, "%s  but the device has none", key);
}

static void add_waiting(struct rows *rows, struct row *row, const json_t *rule)
{
    const char *key = field_text(rule, "key", NULL);
    row_add(rows, row, STYLE_WARNING, "waits");
    row_add(rows, row, STYLE_PLAIN, "%s", key ? key : "for an earlier rule");
}

/* "50-lab.rules:3"; what udev's rules say has no line. */
static void add_place(struct rows *rows, struct row *row, const json_t *rule)
{
    json_int_t line = field_number(rule, "line", 0);
    const char *file = field_text(rule, "file", "?");
    if (line > 0)
        row_add(rows, row, STYLE_PLAIN, "%s:%" JSON_INTEGER_FORMAT, file, line);
    else
        row_add(rows, row, STYLE_PLAIN, "%s", file);
}

static void add_rule(struct rows *rows, const json_t *rule)
{
    const char *verdict = field_text(rule, "verdict", "?");
    const char *hint = field_text(rule, "hint", NULL);
    struct row *row = rows_add(rows, 2);
    add_place(rows, row, rule);
    if (streq(verdict, "no_match"))
        add_failure(rows, row, rule);
    else if (streq(verdict, "skipped"))
        row_add(rows, row, STYLE_FAINT, "skipped");
    else if (streq(verdict, "waits"))
        add_waiting(rows, row, rule);
    else if (streq(verdict, "matched")) {
        row_add(rows, row, STYLE_GOOD, "matched");
        if (field_true(rule, "gives"))
            row_add(rows, row, STYLE_GOOD, "gives the device");
    } else
        row_add(rows, row, STYLE_PLAIN, "%s", verdict);
    if (hint)
        rows_add_text(rows, 3, STYLE_WARNING, "%s", hint);
}

static void add_rules(struct rows *rows, const json_t *rules)
{
    size_t index;
    const json_t *rule;
    rows_add_text(rows, 1, STYLE_PLAIN, "%s",
                  json_array_size(rules) > 0 ? "rules" : "there are no rules");
    json_array_foreach(rules, index, rule) add_rule(rows, rule);
}

static void add_plan(struct rows *rows, const json_t *plan)
{
    size_t index;
    const json_t *step;
    if (json_array_size(plan) == 0)
        return;
    rows_add_text(rows, 1, STYLE_PLAIN, "plan");
    json_array_foreach(plan, index, step)
        rows_add_text(rows, 2, STYLE_PLAIN, "%zu. %s", index + 1,
                      json_is_string(step) ? json_string_value(step) : "?");
}

/* A grant's columns are not those of the rules below it. */
static void add_grant(struct rows *rows, const json_t *grant)
{
    size_t index = rows->count;
    grant_rows_add(rows, 1, grant);
    if (rows->count > index)
        rows->items[index].wide = true;
}

/* A daemon that does not say so knows registered containers only. */
static bool is_registered(const json_t *explanation)
{
    return !json_is_false(json_object_get(explanation, "registered"));
}

/* "web1  given", or what would be. */
static void add_head(struct rows *rows, const json_t *explanation)
{
    bool given = field_true(explanation, "given");
    bool refused = field_is(field_object(explanation, "grant"), "state", "refused");
    const char *container = field_text(explanation, "container", "?");
    struct row *head = rows_add(rows, 0);
    if (head)
        head->wide = true;
    if (!*container) {
        row_add(rows, head, STYLE_WARNING, "no container is registered");
        return;
    }
    row_add(rows, head, STYLE_STRONG, "%s", container);
    if (!is_registered(explanation))
        row_add(rows, head, STYLE_WARNING, "not registered, would%s be given", given ? "" : " not");
    else if (refused)
        row_add(rows, head, STYLE_BAD, "given, but refused");
    else
        row_add(rows, head, given ? STYLE_GOOD : STYLE_WARNING, given ? "given" : "not given");
}

static void add_explanation(struct rows *rows, const json_t *explanation)
{
    const json_t *grant = field_object(explanation, "grant");
    const char *reason = field_text(explanation, "reason", NULL);
    const char *hint = field_text(explanation, "hint", NULL);

    add_head(rows, explanation);
    if (hint)
        rows_add_text(rows, 1, STYLE_WARNING, "%s", hint);
    if (reason && !field_is(grant, "reason", reason))
        rows_add_text(rows, 1, STYLE_BAD, "%s", reason);
    if (grant)
        add_grant(rows, grant);
    add_rules(rows, field_array(explanation, "rules"));
    add_plan(rows, field_array(explanation, "plan"));
}

/* Each container is a tree of its own. */
static int show(struct cli *cli, const json_t *reply)
{
    const json_t *explanations = field_array(reply, "explanations"), *explanation;
    struct rows rows = {0};
    size_t index;

    add_device(&rows, field_object(reply, "device"));
    int status = command_print_rows(cli, &rows);
    json_array_foreach(explanations, index, explanation)
    {
        add_explanation(&rows, explanation);
        int r = command_print_rows(cli, &rows);
        status = r != EXIT_DONE ? r : status;
    }
    mask_rows_add(&rows, field_array(reply, "masked"));
    int r = command_print_rows(cli, &rows);
    return r != EXIT_DONE ? r : status;
}

int command_explain(struct cli *cli, const struct command *command, int argc, char **argv)
{
    _cleanup_json_ json_t *reply = NULL;
    int status;
    if (command_arguments(cli, command, argc, argv, 1, 2, &status) != 0)
        return status;

    const char *container = optind + 1 < argc ? argv[optind + 1] : NULL;
    json_t *parameters = json_pack("{s:s, s:s*}", "device", argv[optind], "container", container);
    status = command_call(cli, "io.devolve.Explain", parameters, &reply);
    if (status != EXIT_DONE)
        return status;
    return cli->json ? command_print_json(cli, reply) : show(cli, reply);
}
