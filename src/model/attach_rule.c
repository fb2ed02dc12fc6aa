/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/attach_rule.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define PREFIX "80-attached-"
#define SUFFIX ".rules"
#define HASH_DIGITS 16

/* FNV-1a: files of one container are told apart by it, nothing is protected by it. */
static uint64_t hash(const char *text, size_t length)
{
    uint64_t value = 0xcbf29ce484222325;
    for (size_t i = 0; i < length; i++)
        value = (value ^ (unsigned char)text[i]) * 0x100000001b3;
    return value;
}

/* What would end a value, or a line, before its end; and what begins a substitution. */
static int check_value(const char *key, const char *value, struct refusal *why)
{
    for (const char *p = value; p && *p; p++)
        if (strchr("\"\\$%", *p) || (unsigned char)*p < 0x20 || *p == 0x7f)
            return refuse(why, EINVAL, "%s \"%s\" cannot be written in a rule", key, value);
    return 0;
}

static int check_share(const struct share *share, struct refusal *why)
{
    int r = check_value("NODE", share->node, why);
    if (r == 0)
        r = check_value("OWNER", share->owner, why);
    if (r == 0)
        r = check_value("GROUP", share->group, why);
    for (size_t i = 0; r == 0 && i < share->symlink_count; i++)
        r = check_value("SYMLINK", share->symlinks[i], why);
    return r;
}

static void add_value(FILE *out, const char *key, const char *value)
{
    if (value)
        fprintf(out, ", %s\"%s\"", key, value);
}

static void add_assignments(FILE *out, const char *container, const struct share *share)
{
    fprintf(out, ", \\\n    CONTAINER+=\"%s\"", container);
    add_value(out, "NODE=", share->node);
    add_value(out, "OWNER=", share->owner);
    add_value(out, "GROUP=", share->group);
    if (share->mode >= 0)
        fprintf(out, ", MODE=\"%04o\"", (unsigned)share->mode);
    if (share->access)
        fprintf(out, ", ACCESS=\"%s%s%s\"", share->access & ACCESS_READ ? "r" : "",
                share->access & ACCESS_WRITE ? "w" : "", share->access & ACCESS_MKNOD ? "m" : "");
    for (size_t i = 0; i < share->symlink_count; i++)
        add_value(out, "SYMLINK+=", share->symlinks[i]);
    if (share->options & OPTION_SUBTREE)
        fputs(", OPTIONS+=\"subtree\"", out);
    fputc('\n', out);
}

/* The first part of the suggestion's sentence: what follows is advice for who writes rules. */
static char *words_of(const struct rule_suggestion *suggestion)
{
    return strndup(suggestion->why, strcspn(suggestion->why, ";"));
}

static char *text_of(const struct rule_suggestion *suggestion, const char *container,
                     const char *devpath, const struct share *share, const char *told_by)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    fprintf(out,
            "# Written by devolved for \"devolvectl attach --persist\". To undo it:\n"
            "#   devolvectl detach %s DEVICE\n"
            "# where DEVICE may be the name of this file, if it is not plugged in.\n"
            "# %s\n"
            "# %s:\n"
            "%.*s",
            container, devpath, told_by, (int)suggestion->keys_length, suggestion->rule);
    add_assignments(out, container, share);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

int attach_rule_new(const struct rule_suggestion *suggestion, const char *container,
                    const char *devpath, const struct share *share, struct attach_rule *ret,
                    struct refusal *why)
{
    struct attach_rule rule = {.text = NULL};
    int r = check_share(share, why);
    if (r < 0)
        return r;
    snprintf(rule.name, sizeof(rule.name), PREFIX "%s-%0*" PRIx64 SUFFIX, container, HASH_DIGITS,
             hash(suggestion->rule, suggestion->keys_length));
    rule.told_by = words_of(suggestion);
    if (rule.told_by)
        rule.text = text_of(suggestion, container, devpath, share, rule.told_by);
    if (!rule.text) {
        attach_rule_done(&rule);
        return refuse(why, ENOMEM, "no memory to write a rule");
    }
    *ret = rule;
    return 0;
}

void attach_rule_done(struct attach_rule *rule)
{
    free(rule->text);
    free(rule->told_by);
    *rule = (struct attach_rule){.text = NULL};
}

/* Containers "a" and "a-b" have files of their own: the hash at the end has a fixed length. */
bool attach_rule_is_name(const char *name, const char *container)
{
    size_t tail = 1 + HASH_DIGITS + strlen(SUFFIX), length = strlen(name);
    const char *of = after_prefix(name, PREFIX);
    if (!of || length < strlen(PREFIX) + tail)
        return false;
    const char *dash = name + length - tail;
    if (*dash != '-' || strspn(dash + 1, "0123456789abcdef") != HASH_DIGITS ||
        !streq(dash + 1 + HASH_DIGITS, SUFFIX))
        return false;
    size_t width = (size_t)(dash - of);
    return width > 0 && !memchr(of, '/', width) &&
           (!container || (strlen(container) == width && memcmp(of, container, width) == 0));
}
