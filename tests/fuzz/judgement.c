/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "judgement.h"

#include <stdio.h>

#include "model/rule_hint.h"
#include "model/rule_lexer.h"
#include "model/rule_parser.h"
#include "model/rule_print.h"

#define FILE_NAME "fuzz.rules"

void must(bool condition)
{
    if (!condition)
        abort();
}

static bool has_long_line(const char *text)
{
    size_t length = strcspn(text, "\n");
    for (; text[length]; text += length + 1, length = strcspn(text, "\n"))
        if (length > RULE_LINE_MAX)
            return true;
    return length > RULE_LINE_MAX;
}

static void must_be_same_rule(const struct rule *a, const struct rule *b)
{
    must(a->skip == b->skip && a->reads_udev == b->reads_udev);
    must(a->inherits == b->inherits && a->inherits_early == b->inherits_early);
    must(memcmp(a->group_end, b->group_end, sizeof(a->group_end)) == 0);
    must(streq_null(a->label, b->label) && streq_null(a->go_to, b->go_to));
}

static struct rule_set *parse_printed(const char *text)
{
    struct rule_set *rules = rule_set_new();
    struct rule_problems problems = {0};
    must(rules);
    if (rule_parse(rules, FILE_NAME, text, strlen(text), &problems) < 0) {
        (void)fprintf(stderr, "%u: %s\n%s", problems.items[0].line, problems.items[0].text, text);
        abort();
    }
    rule_problems_done(&problems);
    return rules;
}

struct rule_set *read_what_is_printed(const struct rule_set *rules)
{
    _cleanup_free_ char *once = NULL, *twice = NULL;
    must(rule_print(rules, &once) == 0);
    if (has_long_line(once) || strlen(once) > RULE_TEXT_MAX)
        return NULL;
    struct rule_set *printed = parse_printed(once);
    must(rule_print(printed, &twice) == 0);
    if (!streq(once, twice)) {
        (void)fprintf(stderr, "%s--\n%s", once, twice);
        abort();
    }
    must(printed->count == rules->count && printed->needs_udev == rules->needs_udev);
    for (size_t i = 0; i < rules->count; i++)
        must_be_same_rule(&rules->rules[i], &printed->rules[i]);
    return printed;
}

static void check_share(const struct share *share)
{
    must(share->mode >= -1 && share->mode <= 07777);
    must(share->access <= 7);
    must(share->options < 1u << 5);
    must(abs(share->link_priority) <= SHARE_LINK_PRIORITY_MAX);
    must(!share->name || share->name[0]);
    must(share->symlink_count <= SHARE_SYMLINKS_MAX);
    must(share->given == (share->rule_file != NULL));
    must(!share->node || share->node[0] == '/');
    must(!share->owner || share->owner[0]);
    must(!share->group || share->group[0]);
    for (size_t i = 0; i < share->symlink_count; i++)
        must(share->symlinks[i][0] == '/');
    for (size_t i = 0; i < share->env.count; i++)
        must(share->env.items[i].key[0] != '.' && !strpbrk(share->env.items[i].value, "\n"));
}

void must_be_equal(const struct share *a, const struct share *b)
{
    must(a->given == b->given && a->waits == b->waits && a->mode == b->mode);
    must(a->access == b->access && a->options == b->options);
    must(a->link_priority == b->link_priority && a->symlink_count == b->symlink_count);
    must(streq_null(a->node, b->node) && streq_null(a->name, b->name));
    must(streq_null(a->owner, b->owner) && streq_null(a->group, b->group));
    for (size_t i = 0; i < a->symlink_count; i++)
        must(streq(a->symlinks[i], b->symlinks[i]));
    must(property_list_equal(&a->env, &b->env) && a->rule_line == b->rule_line);
}

/* What the traces of one judgement said. */
struct verdicts {
    const struct rule_set *rules;
    enum rule_verdict *of; /* each rule */
    size_t count;
};

static void must_hint_at_failures_only(const struct rule_trace *trace)
{
    static const struct rule_container registered[] = {{"web1", NULL}, {"db", NULL}};
    const struct rule_surroundings around = {false, registered, ARRAY_SIZE(registered)};
    char hint[RULE_HINT_MAX];
    size_t length = trace->value ? strlen(trace->value) : 0;
    if (rule_hint(trace, &around, hint))
        must(hint[0] && trace->verdict != RULE_MATCHED && trace->verdict != RULE_SKIPPED);
    must(!trace->value || strlen(trace->value) == length);
}

static void on_trace(void *userdata, const struct rule_trace *trace)
{
    struct verdicts *verdicts = userdata;
    if (streq(trace->file, SHARE_FROM_UDEV))
        return;
    must(streq(trace->file, FILE_NAME) && verdicts->count < verdicts->rules->count);
    must(trace->line == verdicts->rules->rules[verdicts->count].line);
    must(!trace->key || trace->verdict == RULE_NO_MATCH || trace->verdict == RULE_WAITS);
    must_hint_at_failures_only(trace);
    verdicts->of[verdicts->count++] = trace->verdict;
}

/* With a trace, so without the index. */
static void judge_each(const struct rule_set *rules, struct device *device,
                       const struct rule_container *container, struct verdicts *ret_verdicts,
                       struct share *ret)
{
    *ret_verdicts =
        (struct verdicts){rules, calloc(rules->count + 1, sizeof(enum rule_verdict)), 0};
    must(ret_verdicts->of);
    must(rule_judge(rules, device, container, on_trace, ret_verdicts, ret) == ret->given);
    must(ret_verdicts->count == rules->count);
}

/* Each printed rule is a line of its own; what was read may have had more of them. */
static void must_judge_the_same(const struct rule_set *rules, const struct verdicts *verdicts,
                                const struct share *share, const struct verdicts *of_printed,
                                struct share *by_printed)
{
    for (size_t i = 0; i < rules->count; i++)
        must(verdicts->of[i] == of_printed->of[i]);
    if (by_printed->rule_line > 0) {
        must(by_printed->rule_line <= rules->count);
        by_printed->rule_line = rules->rules[by_printed->rule_line - 1].line;
    }
    must_be_equal(share, by_printed);
}

static void compare_printed(const struct rule_set *rules, const struct rule_set *printed,
                            struct device *device, const struct rule_container *container,
                            const struct verdicts *verdicts, const struct share *share)
{
    struct verdicts of_printed;
    struct share by_printed;
    judge_each(printed, device, container, &of_printed, &by_printed);
    must_judge_the_same(rules, verdicts, share, &of_printed, &by_printed);
    share_done(&by_printed);
    free(of_printed.of);
}

void judge(const struct rule_set *rules, const struct rule_set *printed, struct device *device,
           const struct rule_container *container, struct share *ret)
{
    struct verdicts verdicts;
    struct share share, indexed;
    judge_each(rules, device, container, &verdicts, &share);
    must(rule_judge(rules, device, container, NULL, NULL, &indexed) == indexed.given);
    must(!share.waits || (!device->initialised && rule_set_needs_udev(rules)));
    check_share(&share);
    must_be_equal(&share, &indexed);
    if (printed)
        compare_printed(rules, printed, device, container, &verdicts, &share);
    free(verdicts.of);
    share_done(&indexed);
    *ret = share;
}
