/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_print.h"

#include <errno.h>
#include <stdio.h>

#include "model/rule_set.h"

/* What e"…" has letters for: shorter than \xNN, so that a line hardly grows. */
static const char ESCAPED[] = "\a\b\f\n\r\t\v\\\"";
static const char LETTERS[] = "abfnrtv\\\"";

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* A plain string cannot hold these. */
static bool has_controls(const char *text)
{
    while (*text && !is_control(*text))
        text++;
    return *text;
}

/* It would take the closing quote's meaning away. */
static bool ends_in_backslash(const char *text)
{
    size_t length = strlen(text);
    return length > 0 && text[length - 1] == '\\';
}

static void begin_string(FILE *out, bool ignore_case, bool escaped)
{
    (void)fprintf(out, "%s%s\"", ignore_case ? "i" : "", escaped ? "e" : "");
}

static void print_escaped(FILE *out, char c)
{
    const char *letter = strchr(ESCAPED, c);
    if (letter)
        (void)fprintf(out, "\\%c", LETTERS[letter - ESCAPED]);
    else if (is_control(c))
        (void)fprintf(out, "\\x%02x", (unsigned)c);
    else
        (void)putc(c, out);
}

/* In a plain string a backslash stands for itself, but before a quote. */
static void print_inside(FILE *out, const char *text, bool escaped)
{
    for (; *text; text++) {
        if (escaped) {
            print_escaped(out, *text);
            continue;
        }
        if (*text == '"')
            (void)putc('\\', out);
        (void)putc(*text, out);
    }
}

static void print_string(FILE *out, const char *text)
{
    bool escaped = has_controls(text) || ends_in_backslash(text);
    begin_string(out, false, escaped);
    print_inside(out, text, escaped);
    (void)putc('"', out);
}

static bool glob_needs_escapes(const struct rule_glob *glob)
{
    const char *alternative = glob->alternatives, *last = alternative;
    for (size_t i = 0; i < glob->count; i++, alternative = rule_glob_next(alternative)) {
        if (has_controls(alternative))
            return true;
        last = alternative;
    }
    return ends_in_backslash(last);
}

/* The pattern with its '|' back in place; `label` names what CONTAINER looks at. */
static void print_glob(FILE *out, const struct rule_glob *glob, const char *label)
{
    bool escaped = glob_needs_escapes(glob) || (label && has_controls(label));
    begin_string(out, glob->ignore_case, escaped);
    if (label) {
        (void)fputs("label:", out);
        print_inside(out, label, escaped);
        (void)putc('=', out);
    }
    const char *alternative = glob->alternatives;
    for (size_t i = 0; i < glob->count; i++, alternative = rule_glob_next(alternative)) {
        if (i > 0)
            (void)putc('|', out);
        print_inside(out, alternative, escaped);
    }
    (void)putc('"', out);
}

static void print_access(FILE *out, unsigned access)
{
    (void)fprintf(out, "\"%s%s%s\"", access & ACCESS_READ ? "r" : "",
                  access & ACCESS_WRITE ? "w" : "", access & ACCESS_MKNOD ? "m" : "");
}

static void print_options(FILE *out, const struct rule_token *token)
{
    const char *before = "";
    (void)putc('"', out);
    for (unsigned bit = 1; bit && bit <= token->number; bit <<= 1) {
        const char *name = token->number & bit ? rule_literal_option_name(bit) : NULL;
        if (!name)
            continue;
        (void)fprintf(out, "%s%s", before, name);
        if (bit == RULE_OPTION_LINK_PRIORITY)
            (void)fprintf(out, "%d", token->link_priority);
        before = " ";
    }
    (void)putc('"', out);
}

static void print_value(FILE *out, const struct rule_token *token)
{
    bool is_container = token->info->key == RULE_KEY_CONTAINER;
    if (token->info->key == RULE_KEY_MODE)
        (void)fprintf(out, "\"%04o\"", token->number);
    else if (token->info->key == RULE_KEY_ACCESS)
        print_access(out, token->number);
    else if (token->info->key == RULE_KEY_OPTIONS)
        print_options(out, token);
    else if (token->value)
        print_string(out, token->value);
    else
        print_glob(out, &token->glob, is_container ? token->argument : NULL);
}

/* What the label of a CONTAINER is called is part of its value. A mask of 0 asks for nothing. */
static void print_argument(FILE *out, const struct rule_token *token)
{
    if (token->info->key == RULE_KEY_TEST && token->number != 0)
        (void)fprintf(out, "{%04o}", token->number);
    else if (token->info->argument == RULE_ARGUMENT_NEEDED)
        (void)fprintf(out, "{%s}", token->argument);
}

static void print_token(FILE *out, const struct rule_token *token, const char *before)
{
    (void)fprintf(out, "%s%s", before, token->info->name);
    print_argument(out, token);
    (void)fputs(rule_operator_text(token->op), out);
    print_value(out, token);
}

/* The label in front, where one looks for it, and the jump at the end, as it is the last to happen.
 */
static void print_rule(FILE *out, const struct rule *rule)
{
    const char *before = "";
    if (rule->label) {
        (void)fputs("LABEL=", out);
        print_string(out, rule->label);
        before = ", ";
    }
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_ASSIGN);
    for (const struct rule_token *token = rule->tokens; token < end; token++, before = ", ")
        print_token(out, token, before);
    if (rule->go_to) {
        (void)fprintf(out, "%sGOTO=", before);
        print_string(out, rule->go_to);
    }
    (void)putc('\n', out);
}

int rule_print(const struct rule_set *rules, char **ret)
{
    _cleanup_free_ char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return -ENOMEM;
    for (size_t i = 0; i < rules->count; i++)
        print_rule(out, &rules->rules[i]);
    bool failed = ferror(out);
    if (fclose(out) != 0 || failed)
        return -ENOMEM;
    *ret = TAKE_PTR(text);
    return 0;
}
