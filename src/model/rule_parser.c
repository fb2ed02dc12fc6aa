/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file is parsed into a set of its own, which joins the caller's only when nothing was wrong: so
 * a broken file leaves no half of its rules behind. A line with a mistake is read to its end, and
 * so is the file: who wrote it is told everything at once.
 */
#include "model/rule_parser.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "model/rule_lexer.h"
#include "model/rule_lint.h"
#include "model/rule_problem.h"
#include "model/rule_shadow.h"
#include "model/rule_value.h"

#define PROBLEMS_MAX 100u /* of a file */

struct parser {
    struct rule_lexer lexer;
    struct rule_set *parsed;
    const char *file; /* in the arena of `parsed` */
    struct rule_problems *problems;
    size_t problems_before; /* of other files */
    size_t errors;
    struct rule_lint lint;

    struct rule_token *tokens; /* of the line that is being read */
    size_t token_count;
    struct rule rule;
    bool line_failed;
};

static bool is_full(const struct parser *parser, size_t limit)
{
    return parser->problems->count - parser->problems_before >= limit;
}

static int report(struct parser *parser, enum problem_severity severity,
                  const struct rule_fault *fault)
{
    parser->errors += severity == PROBLEM_ERROR;
    parser->line_failed |= severity == PROBLEM_ERROR;
    /* the last place is kept for an error: a file is never refused without one being told */
    if (is_full(parser, severity == PROBLEM_ERROR ? PROBLEMS_MAX : PROBLEMS_MAX - 1))
        return 0;
    struct rule_complaint complaint = {
        .severity = severity,
        .file = parser->file,
        .line = fault->at.line,
        .column = fault->at.column,
        .text = fault->text,
    };
    complaint.source_length =
        rule_lexer_physical_line(&parser->lexer, fault->at.line, &complaint.source);
    return rule_problems_add(parser->problems, &complaint);
}

static int report_error(struct parser *parser, const struct rule_fault *fault)
{
    return report(parser, PROBLEM_ERROR, fault);
}

static _printf_(3, 4) int error(struct parser *parser, struct rule_position at, const char *format,
                                ...)
{
    struct rule_fault fault = {.at = at};
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(fault.text, sizeof(fault.text), format, arguments);
    va_end(arguments);
    return report_error(parser, &fault);
}

static int warn(struct parser *parser, struct rule_position at, const char *text)
{
    struct rule_fault fault;
    (void)rule_fault_set(&fault, at, "%s", text);
    return report(parser, PROBLEM_WARNING, &fault);
}

/* Commas part expressions. udev reads over the lack of one, and over one too many. */
static int check_commas(struct parser *parser, const struct rule_expression *expression, bool first,
                        bool last)
{
    size_t commas = expression->commas;
    if (last && commas > 0)
        return warn(parser, expression->at_comma,
                    "a comma at the line's end: is a backslash missing behind it?");
    if (!last && !first && commas == 0)
        return warn(parser, expression->at, "a comma is expected before this key");
    if (!last && commas > (first ? 0u : 1u))
        return warn(parser, expression->at_comma, "there is a comma too many");
    return 0;
}

/* The expression as a person wrote it, save for line ends: "ATTR{serial}==\"A5\"". */
static const char *copy_written(struct parser *parser, const struct rule_expression *expression)
{
    return rule_set_copy(parser->parsed, expression->written, expression->written_length);
}

static int find_key(struct parser *parser, const struct rule_expression *expression,
                    const struct rule_key_info **ret)
{
    char reason[160];
    bool blame_key = true;
    const struct rule_key_info *info = rule_key_find(expression->name, expression->name_length);
    if (!info) {
        int shown = expression->name_length > 40 ? 40 : (int)expression->name_length;
        return error(parser, expression->at, "there is no key %.*s", shown, expression->name);
    }
    if (!rule_key_takes(info, expression->op, reason, sizeof(reason), &blame_key))
        return error(parser, blame_key ? expression->at : expression->at_operator, "%s", reason);
    *ret = info;
    return 0;
}

static int set_jump(struct parser *parser, const struct rule_token *token)
{
    bool is_label = token->info->key == RULE_KEY_LABEL;
    const char **slot = is_label ? &parser->rule.label : &parser->rule.go_to;
    if (*slot)
        return error(parser, token->at, "a rule has one %s at most", token->info->name);
    *slot = token->value;
    if (!is_label)
        parser->rule.go_to_at = token->at;
    return 0;
}

static int add_expression(struct parser *parser, const struct rule_expression *expression)
{
    struct rule_token token = {.op = expression->op, .at = expression->at};
    int r = find_key(parser, expression, &token.info);
    if (r < 0 || !token.info)
        return r;
    struct rule_fault fault;
    r = rule_value_compile(parser->parsed, expression, &token, &fault);
    if (r == -EBADMSG)
        return report_error(parser, &fault);
    if (r < 0)
        return r;
    if (token.info->key == RULE_KEY_GOTO || token.info->key == RULE_KEY_LABEL)
        return set_jump(parser, &token);

    token.written = copy_written(parser, expression);
    if (!token.written)
        return -ENOMEM;
    struct rule_token *slot = array_add(&parser->tokens, &parser->token_count, sizeof(token));
    if (!slot)
        return -ENOMEM;
    *slot = token;
    return 0;
}

static enum rule_group group_of(const struct rule_token *token)
{
    enum rule_key key = token->info->key;
    if (key == RULE_KEY_TEST)
        return RULE_GROUP_TEST;
    if (rule_operator_is_match(token->op))
        return rule_key_is_parent(key) ? RULE_GROUP_PARENT : RULE_GROUP_DEVICE;
    if (key == RULE_KEY_CONTAINER)
        return RULE_GROUP_CONTAINER;
    if (key == RULE_KEY_OPTIONS || key == RULE_KEY_ENV)
        return key == RULE_KEY_ENV ? RULE_GROUP_ENV : RULE_GROUP_OPTIONS;
    return key == RULE_KEY_NAME || key == RULE_KEY_NODE || key == RULE_KEY_SYMLINK
               ? RULE_GROUP_ASSIGN
               : RULE_GROUP_OWNER;
}

/* Copies the line's tokens into the arena, group after group. */
static int sort_tokens(struct parser *parser)
{
    struct rule *rule = &parser->rule;
    /* never NULL, also for a line that has no tokens: LABEL="end" */
    struct rule_token *sorted =
        rule_set_allocate(parser->parsed, parser->token_count * sizeof(*sorted));
    if (!sorted)
        return -ENOMEM;
    size_t count = 0;
    for (int group = 0; group < RULE_GROUP_COUNT; group++) {
        for (size_t i = 0; i < parser->token_count; i++)
            if ((int)group_of(&parser->tokens[i]) == group)
                sorted[count++] = parser->tokens[i];
        rule->group_end[group] = count;
    }
    rule->tokens = sorted;
    return 0;
}

/* What the judge wants to know of a rule before it looks at it. */
static void note_reads(struct rule_set *set, struct rule *rule)
{
    const struct rule_token *parents_end = rule_group_end(rule, RULE_GROUP_PARENT);
    const struct rule_token *device_end = rule_group_end(rule, RULE_GROUP_DEVICE);
    const struct rule_token *matches_end = rule_group_end(rule, RULE_GROUP_TEST);
    bool searches = parents_end > device_end;
    for (const struct rule_token *token = rule->tokens;
         token < rule_group_end(rule, RULE_GROUP_ASSIGN); token++) {
        bool early = token < matches_end;
        bool inherits = token->reads_parent && (!searches || token < device_end);
        rule->reads_udev |= token->reads_udev;
        rule->inherits |= inherits && !early;
        rule->inherits_early |= inherits && early;
    }
    set->needs_udev |= rule->reads_udev;
}

static int check_rule(struct parser *parser)
{
    enum problem_severity severity;
    struct rule_fault fault;
    int r = rule_lint(&parser->lint, &parser->rule, &severity, &fault);
    return r > 0 ? report(parser, severity, &fault) : r;
}

static int finish_rule(struct parser *parser)
{
    int r = sort_tokens(parser);
    if (r == 0)
        note_reads(parser->parsed, &parser->rule);
    if (r == 0 && !parser->line_failed)
        r = check_rule(parser);
    if (r < 0)
        return r;
    /* a line with an error stays in the doomed set, so that its LABEL is found */
    struct rule *slot =
        array_add(&parser->parsed->rules, &parser->parsed->count, sizeof(parser->rule));
    if (!slot)
        return -ENOMEM;
    *slot = parser->rule;
    return 0;
}

static void begin_rule(struct parser *parser)
{
    free(parser->tokens);
    parser->tokens = NULL;
    parser->token_count = 0;
    parser->line_failed = false;
    parser->rule = (struct rule){.file = parser->file};
}

/* The expressions of one joined line, into a rule. */
static int parse_line(struct parser *parser)
{
    struct rule_expression expression;
    struct rule_fault fault;
    begin_rule(parser);
    for (bool first = true;; first = false) {
        int r = rule_lexer_next(&parser->lexer, &expression, &fault);
        if (r == -EBADMSG) {
            r = report_error(parser, &fault);
            return r < 0 ? r : finish_rule(parser);
        }
        bool last = r == 0;
        r = check_commas(parser, &expression, first, last);
        if (r < 0)
            return r;
        if (last)
            return first ? 0 : finish_rule(parser);
        if (first)
            parser->rule.line = expression.at.line;
        r = add_expression(parser, &expression);
        if (r < 0)
            return r;
    }
}

static int parse_lines(struct parser *parser)
{
    while (!is_full(parser, PROBLEMS_MAX)) {
        struct rule_fault fault;
        int r = rule_lexer_next_line(&parser->lexer, &fault);
        if (r == 0)
            return 0;
        if (r > 0)
            r = parse_line(parser);
        else if (r == -EBADMSG)
            r = report_error(parser, &fault);
        if (r < 0)
            return r;
    }
    return 0;
}

struct label {
    const char *name;
    size_t index; /* of its rule */
};

static int compare_labels(const void *one, const void *other)
{
    const struct label *a = one, *b = other;
    int r = strcmp(a->name, b->name);
    return r ? r : (a->index > b->index) - (a->index < b->index);
}

/* The first label in sorted order that is `wanted` or behind it. */
static const struct label *find_label(const struct label *labels, size_t count,
                                      const struct label *wanted)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_labels(&labels[middle], wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && streq(labels[low].name, wanted->name) ? &labels[low] : NULL;
}

static int resolve_jumps(struct parser *parser)
{
    struct rule_set *set = parser->parsed;
    _cleanup_free_ struct label *labels = NULL;
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (!set->rules[i].label)
            continue;
        struct label *label = array_add(&labels, &count, sizeof(*label));
        if (!label)
            return -ENOMEM;
        *label = (struct label){set->rules[i].label, i};
    }
    if (count > 0)
        qsort(labels, count, sizeof(*labels), compare_labels);

    for (size_t i = 0; i < set->count; i++) {
        struct rule *rule = &set->rules[i];
        if (!rule->go_to)
            continue;
        struct label wanted = {rule->go_to, i + 1};
        const struct label *label = find_label(labels, count, &wanted);
        if (label)
            rule->skip = label->index - i;
        else if (error(parser, rule->go_to_at, "no LABEL=\"%s\" follows in this file",
                       rule->go_to) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int on_shadow(void *userdata, const struct rule_shadow *shadow)
{
    struct parser *parser = userdata;
    struct rule_fault fault;
    rule_shadow_describe(shadow, &fault);
    return report(parser, PROBLEM_WARNING, &fault);
}

static int parse(struct parser *parser, const struct rule_set *earlier)
{
    if (parser->lexer.size > RULE_TEXT_MAX)
        return error(parser, (struct rule_position){1, 1}, "the file is longer than %u bytes",
                     RULE_TEXT_MAX);
    int r = rule_lint_init(&parser->lint, earlier, parser->parsed, parser->problems->without_udev);
    if (r == 0)
        r = parse_lines(parser);
    if (r == 0)
        r = resolve_jumps(parser);
    if (r == 0 && parser->errors == 0)
        r = rule_shadow_find(earlier, parser->parsed, on_shadow, parser);
    return r;
}

int rule_parse(struct rule_set *rules, const char *file, const char *text, size_t size,
               struct rule_problems *problems)
{
    _cleanup_rule_set_ struct rule_set *parsed = rule_set_new();
    _cleanup_free_ struct parser *parser = malloc(sizeof(*parser));
    if (!parsed || !parser)
        return -ENOMEM;
    *parser = (struct parser){
        .parsed = parsed,
        .file = rule_set_copy(parsed, file, strlen(file)),
        .problems = problems,
        .problems_before = problems->count,
    };
    rule_lexer_init(&parser->lexer, text, size);
    int r = parser->file ? parse(parser, rules) : -ENOMEM;
    rule_lexer_done(&parser->lexer);
    rule_lint_done(&parser->lint);
    free(parser->tokens);
    if (r < 0)
        return r;
    if (parser->errors > 0)
        return -EBADMSG;
    parsed->file_count = 1;
    return rule_set_absorb(rules, parsed);
}
