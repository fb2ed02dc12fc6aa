/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_contradiction.h"

/* What a parent is known to be from having an attribute, or from being asked for it. */
enum parent_kind { PARENT_UNKNOWN, PARENT_USB_DEVICE, PARENT_USB_INTERFACE };

/* Attributes that only one kind of device has: linux/Documentation/ABI/stable/sysfs-bus-usb. */
static enum parent_kind kind_of_attribute(const char *name)
{
    static const struct {
        const char *name;
        enum parent_kind kind;
    } ATTRIBUTES[] = {
        {"idVendor", PARENT_USB_DEVICE},
        {"idProduct", PARENT_USB_DEVICE},
        {"bcdDevice", PARENT_USB_DEVICE},
        {"bDeviceClass", PARENT_USB_DEVICE},
        {"bDeviceSubClass", PARENT_USB_DEVICE},
        {"bDeviceProtocol", PARENT_USB_DEVICE},
        {"bNumConfigurations", PARENT_USB_DEVICE},
        {"bConfigurationValue", PARENT_USB_DEVICE},
        {"bNumInterfaces", PARENT_USB_DEVICE},
        {"bInterfaceNumber", PARENT_USB_INTERFACE},
        {"bInterfaceClass", PARENT_USB_INTERFACE},
        {"bInterfaceSubClass", PARENT_USB_INTERFACE},
        {"bInterfaceProtocol", PARENT_USB_INTERFACE},
        {"bAlternateSetting", PARENT_USB_INTERFACE},
        {"bNumEndpoints", PARENT_USB_INTERFACE},
    };
    for (size_t i = 0; i < ARRAY_SIZE(ATTRIBUTES); i++)
        if (streq(ATTRIBUTES[i].name, name))
            return ATTRIBUTES[i].kind;
    return PARENT_UNKNOWN;
}

static bool is_attribute(enum rule_key key)
{
    return key == RULE_KEY_ATTR || key == RULE_KEY_ATTRS;
}

/* An attribute has to be there for != too. */
static enum parent_kind kind_of(const struct rule_token *token)
{
    return is_attribute(token->info->key) && !token->substitutes
               ? kind_of_attribute(token->argument)
               : PARENT_UNKNOWN;
}

/* Whether the key has one value at a time, whatever it is. */
static bool has_one_value(const struct rule_token *token)
{
    switch (token->info->key) {
    case RULE_KEY_ACTION:
    case RULE_KEY_DEVPATH:
    case RULE_KEY_KERNEL:
    case RULE_KEY_SUBSYSTEM:
    case RULE_KEY_DRIVER:
    case RULE_KEY_ATTR:
    case RULE_KEY_ENV:
    case RULE_KEY_SYSCTL:
    case RULE_KEY_CONST:
    case RULE_KEY_NAME:
    case RULE_KEY_KERNELS:
    case RULE_KEY_SUBSYSTEMS:
    case RULE_KEY_DRIVERS:
    case RULE_KEY_ATTRS:
        return true;
    case RULE_KEY_CONTAINER:
        return !token->argument;
    case RULE_KEY_TAG:
    case RULE_KEY_TAGS:
    case RULE_KEY_SYMLINK:
    case RULE_KEY_TEST:
    case RULE_KEY_NODE:
    case RULE_KEY_OWNER:
    case RULE_KEY_GROUP:
    case RULE_KEY_MODE:
    case RULE_KEY_ACCESS:
    case RULE_KEY_OPTIONS:
    case RULE_KEY_GOTO:
    case RULE_KEY_LABEL:
    case RULE_KEY_NONE:
        return false;
    }
    return false;
}

/* Whether `value`, which one match asks for literally, meets the other match too. */
static bool meets(const struct rule_token *token, const char *value)
{
    bool equal = is_attribute(token->info->key) ? rule_glob_matches_attribute(&token->glob, value)
                                                : rule_glob_matches(&token->glob, value);
    return equal == (token->op == RULE_EQUAL);
}

/* Whether no value that `literal` lets through is one for `other`. */
static bool excludes(const struct rule_token *literal, const struct rule_token *other)
{
    const struct rule_glob *glob = &literal->glob;
    const char *value = glob->alternatives;
    if (literal->op != RULE_EQUAL || !glob->is_literal || glob->ignore_case)
        return false;
    /* white space at the value's end may be there for the one and not for the other */
    if (is_attribute(literal->info->key) && glob->keeps_blanks != other->glob.keeps_blanks)
        return false;
    for (size_t i = 0; i < glob->count; i++, value = rule_glob_next(value))
        if (meets(other, value))
            return false;
    return true;
}

static bool asks_the_same(const struct rule_token *a, const struct rule_token *b)
{
    return a->info->key == b->info->key && has_one_value(a) && has_one_value(b) &&
           streq_null(a->argument, b->argument);
}

/* SUBSYSTEMS=="tty" where an attribute says that it is a USB device. */
static bool is_not_usb(const struct rule_token *subsystem, const struct rule_token *attribute)
{
    enum rule_key key = subsystem->info->key;
    return (key == RULE_KEY_SUBSYSTEM || key == RULE_KEY_SUBSYSTEMS) &&
           kind_of(attribute) != PARENT_UNKNOWN && !meets(subsystem, "usb");
}

static bool are_two_kinds(const struct rule_token *a, const struct rule_token *b)
{
    return kind_of(a) != PARENT_UNKNOWN && kind_of(b) != PARENT_UNKNOWN && kind_of(a) != kind_of(b);
}

static bool contradict(const struct rule_token *a, const struct rule_token *b, bool of_parent,
                       struct rule_fault *fault)
{
    const char *whom = of_parent ? "no single parent" : "no device";
    if (asks_the_same(a, b) && (excludes(a, b) || excludes(b, a)))
        (void)rule_fault_set(fault, b->at, "this never matches: %s meets %.60s and %.60s at once",
                             whom, a->written, b->written);
    else if (is_not_usb(a, b) || is_not_usb(b, a))
        (void)rule_fault_set(fault, b->at,
                             "this never matches: only a usb device or interface has %s{%.40s}",
                             is_not_usb(a, b) ? b->info->name : a->info->name,
                             is_not_usb(a, b) ? b->argument : a->argument);
    else if (are_two_kinds(a, b))
        (void)rule_fault_set(fault, b->at,
                             "this never matches: %s has both %.40s and %.40s, one is of the USB "
                             "device and one of its interface",
                             whom, a->argument, b->argument);
    else
        return false;
    return true;
}

static bool group_contradicts(const struct rule *rule, enum rule_group group,
                              struct rule_fault *fault)
{
    const struct rule_token *begin = rule_group_begin(rule, group);
    const struct rule_token *end = rule_group_end(rule, group);
    for (const struct rule_token *b = begin; b < end; b++)
        for (const struct rule_token *a = begin; a < b; a++)
            if (contradict(a, b, group == RULE_GROUP_PARENT, fault))
                return true;
    return false;
}

bool rule_contradicts_itself(const struct rule *rule, struct rule_fault *ret_fault)
{
    return group_contradicts(rule, RULE_GROUP_DEVICE, ret_fault) ||
           group_contradicts(rule, RULE_GROUP_PARENT, ret_fault);
}
