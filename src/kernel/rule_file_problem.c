/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/rule_file_problem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int rule_file_refuse(struct rule_problems *problems, const char *file, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    struct rule_complaint complaint = {.severity = PROBLEM_ERROR, .file = file, .text = text};
    int r = rule_problems_add(problems, &complaint);
    return r < 0 ? r : -EBADMSG;
}

/* The same, but the others are read nevertheless. Returns 0 or -ENOMEM. */
int rule_file_warn(struct rule_problems *problems, const char *file, const char *text)
{
    struct rule_complaint complaint = {.severity = PROBLEM_WARNING, .file = file, .text = text};
    return rule_problems_add(problems, &complaint);
}

#define OWNER_TEXT_MAX 96

/*
 * Whoever can write rules can hand out devices: that must be nobody but root and us. Whether it is
 * so, else with the reason.
 */
static bool is_safe(const struct stat *st, char text[static OWNER_TEXT_MAX])
{
    if (st->st_uid != 0 && st->st_uid != geteuid())
        (void)snprintf(text, OWNER_TEXT_MAX, "belongs to uid %u: rules must belong to root",
                       (unsigned)st->st_uid);
    else if (st->st_mode & (S_IWGRP | S_IWOTH))
        (void)snprintf(text, OWNER_TEXT_MAX,
                       "can be written by others (mode %04o): take that away with chmod go-w",
                       (unsigned)st->st_mode & 07777);
    else
        return true;
    return false;
}

int rule_file_check_owner(const struct stat *st, const char *file, struct rule_problems *problems)
{
    char text[OWNER_TEXT_MAX];
    return is_safe(st, text) ? 0 : rule_file_refuse(problems, file, "%s", text);
}

int rule_file_warn_of_owner(const struct stat *st, const char *file, struct rule_problems *problems)
{
    static const char SUFFIX[] = "; devolved would refuse the file as it is";
    char text[OWNER_TEXT_MAX + sizeof(SUFFIX)];
    if (is_safe(st, text))
        return 0;
    strcat(text, SUFFIX);
    return rule_file_warn(problems, file, text);
}
