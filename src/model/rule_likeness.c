/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_likeness.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <strings.h>

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

/* What to write for `value` so that it matches: attributes are compared without their last blanks.
 */
static int written_length(const struct pair *pair)
{
    return (int)(is_attribute(pair->token) ? rule_glob_trimmed_length(pair->value)
                                           : strlen(pair->value));
}

static bool differs_in_blanks(const struct pair *pair, char *text, size_t size)
{
    char wanted[VALUE_MAX], value[VALUE_MAX];
    if (!streq(trim(pair->wanted, wanted), trim(pair->value, value)))
        return false;
    bool begins = strspn(pair->wanted, WHITE_SPACE) != strspn(pair->value, WHITE_SPACE);
    snprintf(text, size, "\"%s\" and \"%s\" differ only in white space at the %s: write \"%.*s\"",
             pair->wanted, pair->value, begins ? "beginning" : "end", written_length(pair),
             pair->value);
    return true;
}

static bool differs_in_case(const struct pair *pair, char *text, size_t size)
{
    if (strcasecmp(pair->wanted, pair->value) != 0)
        return false;
    snprintf(text, size,
             "\"%s\" and \"%s\" differ only in upper and lower case: write \"%s\", or i\"%s\"",
             pair->wanted, pair->value, pair->value, pair->wanted);
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

static bool is_the_same_number(const struct pair *pair, char *text, size_t size)
{
    unsigned long long wanted, value;
    if (!read_number(pair->wanted, &wanted) || !read_number(pair->value, &value) || wanted != value)
        return false;
    snprintf(text, size,
             "\"%s\" and \"%s\" are the same number, but text is compared: write \"%s\"",
             pair->wanted, pair->value, pair->value);
    return true;
}

static bool is_beginning(const struct pair *pair, char *text, size_t size)
{
    enum rule_key key = pair->token->info->key;
    if (key == RULE_KEY_SUBSYSTEM || key == RULE_KEY_SUBSYSTEMS || key == RULE_KEY_DRIVER ||
        key == RULE_KEY_DRIVERS || strlen(pair->wanted) < BEGINNING_MIN ||
        !after_prefix(pair->value, pair->wanted))
        return false;
    snprintf(text, size, "the whole value is compared: what begins with \"%s\" is \"%s*\"",
             pair->wanted, pair->wanted);
    return true;
}

/* The gravest resemblance first: what differs in less is more surely meant. */
static bool literal_resembles(const struct pair *pair, char *text, size_t size)
{
    if (strlen(pair->wanted) >= VALUE_MAX || strlen(pair->value) >= VALUE_MAX)
        return false;
    return differs_in_blanks(pair, text, size) || differs_in_case(pair, text, size) ||
           is_the_same_number(pair, text, size) || is_beginning(pair, text, size);
}

static bool glob_resembles(const struct rule_token *token, const char *value, char *text,
                           size_t size)
{
    struct rule_glob glob = token->glob;
    char trimmed[VALUE_MAX];
    glob.ignore_case = true;
    if (rule_glob_matches_attribute(&glob, value)) {
        snprintf(text, size,
                 "\"%s\" differs only in upper and lower case: i\"...\" does not regard it", value);
        return true;
    }
    if (strlen(value) >= VALUE_MAX || !rule_glob_matches(&token->glob, trim(value, trimmed)))
        return false;
    snprintf(text, size, "\"%s\" has white space at its ends, which the pattern does not match",
             value);
    return true;
}

bool rule_likeness(const struct rule_token *token, const char *value, char *text, size_t size)
{
    const struct rule_glob *glob = &token->glob;
    const char *alternative = glob->alternatives;
    if (token->op == RULE_NOT_EQUAL)
        return false;
    if (!glob->is_literal)
        return glob_resembles(token, value, text, size);
    for (size_t i = 0; i < glob->count; i++, alternative = rule_glob_next(alternative)) {
        const struct pair pair = {token, alternative, value};
        if (literal_resembles(&pair, text, size))
            return true;
    }
    return false;
}
