/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_likeness.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "base/text.h"
#include "model/rule_quote.h"

#define WHITE_SPACE " \t\n\r"
#define VALUE_MAX 256   /* longer ones are no mistake of a letter */
#define BEGINNING_MIN 3 /* characters: a shorter one is hardly meant as the beginning */

/* One alternative of the pattern beside the value. */
struct pair {
    const struct rule_token *token;
    const char *wanted;
    const char *value;
};

static bool is_attribute(const struct rule_token *token)
{
    return token->info->key == RULE_KEY_ATTR || token->info->key == RULE_KEY_ATTRS;
}

/* The text without white space at its ends, in `out`. */
static const char *trim(const char *text, char out[static VALUE_MAX])
{
    text += strspn(text, WHITE_SPACE);
    size_t length = rule_glob_trimmed_length(text);
    memcpy(out, text, length);
    out[length] = '\0';
    return out;
}

/* What to write so that it matches: attributes are compared without their last blanks, unless the
 * pattern has some. */
static void write_value(FILE *out, const struct pair *pair)
{
    size_t trimmed = rule_glob_trimmed_length(pair->value);
    bool is_trimmed = is_attribute(pair->token) && trimmed > 0;
    rule_quote_bytes(out, pair->value, is_trimmed ? trimmed : strlen(pair->value));
}

static bool is_printable(const char *text)
{
    while (*text >= 0x20 && *text < 0x7f)
        text++;
    return *text == '\0';
}

/* As it is, where a terminal can show it. */
static void show(FILE *out, const char *value)
{
    char printable[4 * VALUE_MAX];
    if (is_printable(value)) {
        fprintf(out, "\"%s\"", value);
        return;
    }
    text_printable(printable, sizeof(printable), value, strlen(value));
    fprintf(out, "\"%s\"", printable);
}

static void show_both(FILE *out, const struct pair *pair)
{
    show(out, pair->wanted);
    fputs(" and ", out);
    show(out, pair->value);
}

static bool differs_in_blanks(const struct pair *pair, FILE *out)
{
    char wanted[VALUE_MAX], value[VALUE_MAX];
    if (!streq(trim(pair->wanted, wanted), trim(pair->value, value)))
        return false;
    bool begins = *value && strspn(pair->wanted, WHITE_SPACE) != strspn(pair->value, WHITE_SPACE);
    show_both(out, pair);
    fprintf(out, " differ only in white space at the %s: write ", begins ? "beginning" : "end");
    write_value(out, pair);
    return true;
}

static bool differs_in_case(const struct pair *pair, FILE *out)
{
    if (strcasecmp(pair->wanted, pair->value) != 0)
        return false;
    show_both(out, pair);
    fputs(" differ only in upper and lower case: write ", out);
    write_value(out, pair);
    fputs(", or i", out);
    rule_quote_bytes(out, pair->wanted, strlen(pair->wanted));
    return true;
}

/* A hexadecimal number, with 0x or without. */
static bool read_number(const char *text, unsigned long long *ret)
{
    const char *digits = after_prefix(text, "0x");
    char *end;
    if (!isxdigit((unsigned char)(digits ? digits : text)[0]))
        return false;
    errno = 0;
    *ret = strtoull(text, &end, 16);
    return *end == '\0' && errno == 0;
}

static bool is_the_same_number(const struct pair *pair, FILE *out)
{
    unsigned long long wanted, value;
    if (!read_number(pair->wanted, &wanted) || !read_number(pair->value, &value) || wanted != value)
        return false;
    show_both(out, pair);
    fputs(" are the same number, but text is compared: write ", out);
    write_value(out, pair);
    return true;
}

static bool is_beginning(const struct pair *pair, FILE *out)
{
    enum rule_key key = pair->token->info->key;
    if (key == RULE_KEY_SUBSYSTEM || key == RULE_KEY_SUBSYSTEMS || key == RULE_KEY_DRIVER ||
        key == RULE_KEY_DRIVERS || strlen(pair->wanted) < BEGINNING_MIN ||
        !after_prefix(pair->value, pair->wanted))
        return false;
    fputs("the whole value is compared: what begins with ", out);
    show(out, pair->wanted);
    fputs(" is ", out);
    rule_quote_beginning(out, pair->wanted);
    return true;
}

/* The gravest resemblance first: what differs in less is more surely meant. */
static bool literal_resembles(const struct pair *pair, FILE *out)
{
    if (strlen(pair->wanted) >= VALUE_MAX || strlen(pair->value) >= VALUE_MAX)
        return false;
    return differs_in_blanks(pair, out) || differs_in_case(pair, out) ||
           is_the_same_number(pair, out) || is_beginning(pair, out);
}

static bool glob_resembles(const struct rule_token *token, const char *value, FILE *out)
{
    struct rule_glob glob = token->glob;
    char trimmed[VALUE_MAX];
    glob.ignore_case = true;
    if (is_attribute(token) ? rule_glob_matches_attribute(&glob, value)
                            : rule_glob_matches(&glob, value)) {
        show(out, value);
        fputs(" differs only in upper and lower case: i\"...\" does not regard it", out);
        return true;
    }
    if (strlen(value) >= VALUE_MAX || !rule_glob_matches(&token->glob, trim(value, trimmed)))
        return false;
    show(out, value);
    fputs(" has white space at its ends, which the pattern does not match", out);
    return true;
}

static bool resembles(const struct rule_token *token, const char *value, FILE *out)
{
    const struct rule_glob *glob = &token->glob;
    const char *alternative = glob->alternatives;
    if (!glob->is_literal)
        return glob_resembles(token, value, out);
    for (size_t i = 0; i < glob->count; i++, alternative = rule_glob_next(alternative)) {
        const struct pair pair = {token, alternative, value};
        if (literal_resembles(&pair, out))
            return true;
    }
    return false;
}

bool rule_likeness(const struct rule_token *token, const char *value, char *text, size_t size)
{
    if (token->op == RULE_NOT_EQUAL)
        return false;
    FILE *out = fmemopen(text, size, "w");
    if (!out)
        return false;
    bool told = resembles(token, value, out);
    (void)fclose(out);
    text[size - 1] = '\0';
    return told;
}
