/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_key.h"

#include <stdio.h>

#define BIT(op) (1u << (op))
#define MATCHES (BIT(RULE_EQUAL) | BIT(RULE_NOT_EQUAL))
#define ONE_VALUE (BIT(RULE_SET) | BIT(RULE_FINAL))
#define LIST (ONE_VALUE | BIT(RULE_ADD) | BIT(RULE_REMOVE))

#define NO_EXECUTION "a policy that runs as root executes nothing"
#define NO_WRITING "a policy that runs as root writes nothing outside the containers"
#define NO_TAGGING "tags are udev's to set"
#define GONE_FROM_UDEV "udev itself has no such key any more"

#define NONE RULE_ARGUMENT_NONE
#define NEEDED RULE_ARGUMENT_NEEDED
#define OPTIONAL RULE_ARGUMENT_OPTIONAL

static const struct rule_key_info KEYS[] = {
    {"ACTION", RULE_KEY_ACTION, NONE, MATCHES, NULL},
    {"DEVPATH", RULE_KEY_DEVPATH, NONE, MATCHES, NULL},
    {"KERNEL", RULE_KEY_KERNEL, NONE, MATCHES, NULL},
    {"SUBSYSTEM", RULE_KEY_SUBSYSTEM, NONE, MATCHES, NULL},
    {"DRIVER", RULE_KEY_DRIVER, NONE, MATCHES, NULL},
    {"ATTR", RULE_KEY_ATTR, NEEDED, MATCHES, NO_WRITING},
    {"ENV", RULE_KEY_ENV, NEEDED, MATCHES | BIT(RULE_SET) | BIT(RULE_ADD), NULL},
    {"SYSCTL", RULE_KEY_SYSCTL, NEEDED, MATCHES, NO_WRITING},
    {"CONST", RULE_KEY_CONST, NEEDED, MATCHES, NULL},
    {"TAG", RULE_KEY_TAG, NONE, MATCHES, NO_TAGGING},
    {"TEST", RULE_KEY_TEST, OPTIONAL, MATCHES, NULL},

    {"KERNELS", RULE_KEY_KERNELS, NONE, MATCHES, NULL},
    {"SUBSYSTEMS", RULE_KEY_SUBSYSTEMS, NONE, MATCHES, NULL},
    {"DRIVERS", RULE_KEY_DRIVERS, NONE, MATCHES, NULL},
    {"ATTRS", RULE_KEY_ATTRS, NEEDED, MATCHES, NULL},
    {"TAGS", RULE_KEY_TAGS, NONE, MATCHES, NULL},

    {"CONTAINER", RULE_KEY_CONTAINER, NONE, MATCHES | LIST, NULL},
    {"NODE", RULE_KEY_NODE, NONE, ONE_VALUE, NULL},
    {"NAME", RULE_KEY_NAME, NONE, MATCHES | ONE_VALUE, NULL},
    {"SYMLINK", RULE_KEY_SYMLINK, NONE, MATCHES | LIST, NULL},
    {"OWNER", RULE_KEY_OWNER, NONE, ONE_VALUE, NULL},
    {"GROUP", RULE_KEY_GROUP, NONE, ONE_VALUE, NULL},
    {"MODE", RULE_KEY_MODE, NONE, ONE_VALUE, NULL},
    {"ACCESS", RULE_KEY_ACCESS, NONE, ONE_VALUE, NULL},
    {"OPTIONS", RULE_KEY_OPTIONS, NONE, LIST, NULL},
    {"GOTO", RULE_KEY_GOTO, NONE, BIT(RULE_SET), NULL},
    {"LABEL", RULE_KEY_LABEL, NONE, BIT(RULE_SET), NULL},

    {"PROGRAM", RULE_KEY_NONE, OPTIONAL, 0, NO_EXECUTION},
    {"RESULT", RULE_KEY_NONE, OPTIONAL, 0, NO_EXECUTION},
    {"RUN", RULE_KEY_NONE, OPTIONAL, 0, NO_EXECUTION},
    {"IMPORT", RULE_KEY_NONE, OPTIONAL, 0, NO_EXECUTION},
    {"SECLABEL", RULE_KEY_NONE, OPTIONAL, 0, NO_WRITING},
    {"WAIT_FOR", RULE_KEY_NONE, OPTIONAL, 0, GONE_FROM_UDEV},
    {"WAIT_FOR_SYSFS", RULE_KEY_NONE, OPTIONAL, 0, GONE_FROM_UDEV},
    {"BUS", RULE_KEY_NONE, OPTIONAL, 0, GONE_FROM_UDEV " (it was SUBSYSTEMS)"},
    {"ID", RULE_KEY_NONE, OPTIONAL, 0, GONE_FROM_UDEV " (it was KERNELS)"},
    {"SYSFS", RULE_KEY_NONE, OPTIONAL, 0, GONE_FROM_UDEV " (it was ATTRS)"},
};

static const char *const OPERATORS[] = {
    [RULE_EQUAL] = "==", [RULE_NOT_EQUAL] = "!=", [RULE_SET] = "=",
    [RULE_ADD] = "+=",   [RULE_REMOVE] = "-=",    [RULE_FINAL] = ":=",
};

const char *rule_operator_text(enum rule_operator op)
{
    return OPERATORS[op];
}

const struct rule_key_info *rule_key_find(const char *name, size_t length)
{
    for (size_t i = 0; i < ARRAY_SIZE(KEYS); i++)
        if (strlen(KEYS[i].name) == length && memcmp(KEYS[i].name, name, length) == 0)
            return &KEYS[i];
    return NULL;
}

bool rule_key_is_parent(enum rule_key key)
{
    return key == RULE_KEY_KERNELS || key == RULE_KEY_SUBSYSTEMS || key == RULE_KEY_DRIVERS ||
           key == RULE_KEY_ATTRS || key == RULE_KEY_TAGS;
}

/* "KEY takes only == and !=." Never longer than `size`: cut where it is. */
static void list_operators(const struct rule_key_info *info, char *reason, size_t size)
{
    size_t used = (size_t)snprintf(reason, size, "%s takes only", info->name);
    for (size_t i = 0; i < ARRAY_SIZE(OPERATORS) && used < size; i++)
        if (info->operators & BIT(i))
            used += (size_t)snprintf(reason + used, size - used, " %s", OPERATORS[i]);
}

bool rule_key_takes(const struct rule_key_info *info, enum rule_operator op, char *reason,
                    size_t size, bool *ret_blame_key)
{
    if (info->operators & BIT(op))
        return true;

    *ret_blame_key = info->never;
    if (!info->never) {
        list_operators(info, reason, size);
        return false;
    }
    const char *as = "";
    if (info->operators)
        as = rule_operator_is_match(op) ? " as a match" : " as an assignment";
    (void)snprintf(reason, size, "%s%s is refused: %s", info->name, as, info->never);
    return false;
}
