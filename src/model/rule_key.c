/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_key.h"

#include <stdio.h>

#define BIT(op) (1u << (op))
#define MATCHES (BIT(RULE_EQUAL) | BIT(RULE_NOT_EQUAL))
#define ONE_VALUE (BIT(RULE_SET) | BIT(RULE_FINAL))
#define LIST (ONE_VALUE | BIT(RULE_ADD) | BIT(RULE_REMOVE))
#define ALL (MATCHES | LIST)

#define NO_EXECUTION "a policy that runs as root executes nothing"
#define NO_WRITING "a policy that runs as root writes nothing outside the containers"

static const struct rule_key_info KEYS[] = {
    {"ACTION", RULE_KEY_ACTION, false, MATCHES, 0, NULL},
    {"DEVPATH", RULE_KEY_DEVPATH, false, MATCHES, 0, NULL},
    {"KERNEL", RULE_KEY_KERNEL, false, MATCHES, 0, NULL},
    {"SUBSYSTEM", RULE_KEY_SUBSYSTEM, false, MATCHES, 0, NULL},
    {"DRIVER", RULE_KEY_DRIVER, false, MATCHES, 0, NULL},
    {"ATTR", RULE_KEY_ATTR, true, MATCHES, 0, NO_WRITING},
    {"ENV", RULE_KEY_ENV, true, MATCHES | BIT(RULE_SET) | BIT(RULE_ADD), 0, NULL},

    {"KERNELS", RULE_KEY_KERNELS, false, MATCHES, 0, NULL},
    {"SUBSYSTEMS", RULE_KEY_SUBSYSTEMS, false, MATCHES, 0, NULL},
    {"DRIVERS", RULE_KEY_DRIVERS, false, MATCHES, 0, NULL},
    {"ATTRS", RULE_KEY_ATTRS, true, MATCHES, 0, NULL},

    {"CONTAINER", RULE_KEY_CONTAINER, false, ALL, 0, NULL},
    {"NODE", RULE_KEY_NODE, false, ONE_VALUE, 0, NULL},
    {"SYMLINK", RULE_KEY_SYMLINK, false, LIST, MATCHES, NULL},
    {"OWNER", RULE_KEY_OWNER, false, ONE_VALUE, 0, NULL},
    {"GROUP", RULE_KEY_GROUP, false, ONE_VALUE, 0, NULL},
    {"MODE", RULE_KEY_MODE, false, ONE_VALUE, 0, NULL},
    {"ACCESS", RULE_KEY_ACCESS, false, ONE_VALUE, 0, NULL},
    {"OPTIONS", RULE_KEY_OPTIONS, false, LIST, 0, NULL},
    {"GOTO", RULE_KEY_GOTO, false, BIT(RULE_SET), 0, NULL},
    {"LABEL", RULE_KEY_LABEL, false, BIT(RULE_SET), 0, NULL},

    {"NAME", RULE_KEY_NONE, false, 0, ALL, NULL},
    {"TAG", RULE_KEY_NONE, false, 0, ALL, NULL},
    {"TAGS", RULE_KEY_NONE, false, 0, MATCHES, NULL},
    {"TEST", RULE_KEY_NONE, false, 0, MATCHES, NULL},
    {"CONST", RULE_KEY_NONE, true, 0, MATCHES, NULL},
    {"SYSCTL", RULE_KEY_NONE, true, 0, MATCHES, NO_WRITING},

    {"PROGRAM", RULE_KEY_NONE, false, 0, 0, NO_EXECUTION},
    {"RESULT", RULE_KEY_NONE, false, 0, 0, NO_EXECUTION},
    {"RUN", RULE_KEY_NONE, false, 0, 0, NO_EXECUTION},
    {"IMPORT", RULE_KEY_NONE, false, 0, 0, NO_EXECUTION},
    {"SECLABEL", RULE_KEY_NONE, false, 0, 0, NO_WRITING},
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
           key == RULE_KEY_ATTRS;
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

    const char *as = "";
    if (info->operators)
        as = rule_operator_is_match(op) ? " as a match" : " as an assignment";
    *ret_blame_key = true;
    if (info->later & BIT(op)) {
        (void)snprintf(reason, size, "%s%s is not supported in this version", info->name, as);
    } else if (info->never) {
        (void)snprintf(reason, size, "%s%s is refused: %s", info->name, as, info->never);
    } else if (!info->operators) {
        /* such a key is still to come, and the operator would be wrong even then */
        (void)snprintf(reason, size, "%s is not supported in this version", info->name);
    } else {
        *ret_blame_key = false;
        list_operators(info, reason, size);
    }
    return false;
}
