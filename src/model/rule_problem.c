/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_problem.h"

#include <errno.h>
#include <stdio.h>

static char *printable(const char *text, size_t length)
{
    char *copy = malloc(length + 1);
    if (!copy)
        return NULL;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\t')
            copy[i] = ' ';
        else
            copy[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    }
    copy[length] = '\0';
    return copy;
}

static void problem_done(struct rule_problem *problem)
{
    free(problem->file);
    free(problem->text);
    free(problem->source);
}

void rule_problems_done(struct rule_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        problem_done(&problems->items[i]);
    free(problems->items);
    *problems = (struct rule_problems){0};
}

int rule_problems_add(struct rule_problems *problems, const struct rule_complaint *complaint)
{
    struct rule_problem problem = {
        .severity = complaint->severity,
        .file = printable(complaint->file, strlen(complaint->file)),
        .line = complaint->line,
        .column = complaint->column,
        .text = printable(complaint->text, strlen(complaint->text)),
        .source = printable(complaint->source ? complaint->source : "", complaint->source_length),
    };
    struct rule_problem *slot = NULL;
    if (problem.file && problem.text && problem.source)
        slot = array_add(&problems->items, &problems->count, sizeof(problem));
    if (!slot) {
        problem_done(&problem);
        return -ENOMEM;
    }
    *slot = problem;
    if (complaint->severity == PROBLEM_ERROR)
        problems->errors++;
    return 0;
}

const char *rule_problem_place(const struct rule_problem *problem, char out[static RULE_PLACE_MAX])
{
    if (problem->line == 0)
        (void)snprintf(out, RULE_PLACE_MAX, "%s", problem->file);
    else
        (void)snprintf(out, RULE_PLACE_MAX, "%s:%u:%u", problem->file, problem->line,
                       problem->column);
    return out;
}
