/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_substitute.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "model/rule_glob.h"
#include "model/rule_udev.h"

enum subject {
    SUBJECT_PERCENT,
    SUBJECT_DOLLAR,
    SUBJECT_KERNEL,
    SUBJECT_NUMBER,
    SUBJECT_DEVPATH,
    SUBJECT_ID,
    SUBJECT_DRIVER,
    SUBJECT_ATTR,
    SUBJECT_ENV,
    SUBJECT_MAJOR,
    SUBJECT_MINOR,
    SUBJECT_PARENT,
    SUBJECT_NAME,
    SUBJECT_LINKS,
    SUBJECT_ROOT,
    SUBJECT_SYS,
    SUBJECT_DEVNODE,
};

/* Long names are looked for in this order, as beginnings: $sysfs has to stand before $sys. */
static const struct {
    const char *name; /* after $ */
    char letter;      /* after % */
    enum subject subject;
} SUBJECTS[] = {
    {"$", '\0', SUBJECT_DOLLAR},       {"kernel", 'k', SUBJECT_KERNEL},
    {"number", 'n', SUBJECT_NUMBER},   {"devpath", 'p', SUBJECT_DEVPATH},
    {"devnode", 'N', SUBJECT_DEVNODE}, {"driver", 'd', SUBJECT_DRIVER},
    {"id", 'b', SUBJECT_ID},           {"attr", 's', SUBJECT_ATTR},
    {"sysfs", 's', SUBJECT_ATTR},      {"env", 'E', SUBJECT_ENV},
    {"major", 'M', SUBJECT_MAJOR},     {"minor", 'm', SUBJECT_MINOR},
    {"parent", 'P', SUBJECT_PARENT},   {"name", 'D', SUBJECT_NAME},
    {"links", 'L', SUBJECT_LINKS},     {"root", 'r', SUBJECT_ROOT},
    {"sys", 'S', SUBJECT_SYS},
};

struct reference {
    enum subject subject;
    const char *argument; /* not terminated */
    size_t argument_length;
    size_t length; /* in the format */
};

static bool find_subject(const char *text, struct reference *ret)
{
    if (text[0] == '%' && text[1] == '%') {
        *ret = (struct reference){.subject = SUBJECT_PERCENT, .length = 2};
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(SUBJECTS); i++) {
        size_t length = 0;
        if (text[0] == '$' && after_prefix(text + 1, SUBJECTS[i].name))
            length = 1 + strlen(SUBJECTS[i].name);
        else if (text[0] == '%' && text[1] != '\0' && text[1] == SUBJECTS[i].letter)
            length = 2;
        if (length == 0)
            continue;
        *ret = (struct reference){.subject = SUBJECTS[i].subject, .length = length};
        return true;
    }
    return false;
}

/* Reads what begins with $ or % at `text`. */
static bool read_reference(const char *text, struct reference *ret)
{
    if (!find_subject(text, ret))
        return false;
    if (ret->subject != SUBJECT_ATTR && ret->subject != SUBJECT_ENV)
        return true;
    const char *end = text[ret->length] == '{' ? strchr(text + ret->length, '}') : NULL;
    if (!end)
        return false;
    ret->argument = text + ret->length + 1;
    ret->argument_length = (size_t)(end - ret->argument);
    ret->length = (size_t)(end + 1 - text);
    return ret->argument_length > 0 && ret->argument[0] != '/';
}

bool rule_substitute_needed(const char *format)
{
    return strpbrk(format, "$%");
}

bool rule_substitute_check(const char *format, char *reason, size_t size)
{
    struct reference reference;
    while ((format = strpbrk(format, "$%"))) {
        if (after_prefix(format, "%c") || after_prefix(format, "$result")) {
            (void)snprintf(reason, size, "there is no PROGRAM whose result could be taken");
            return false;
        }
        if (!read_reference(format, &reference)) {
            (void)snprintf(reason, size,
                           "\"%.20s\" is no substitution (%%%% and $$ stand for %% and $)", format);
            return false;
        }
        format += reference.length;
    }
    return true;
}

struct rule_substitute_needs rule_substitute_needs(const char *format)
{
    struct rule_substitute_needs needs = {0};
    struct reference reference;
    while ((format = strpbrk(format, "$%")) && read_reference(format, &reference)) {
        needs.parent |= reference.subject == SUBJECT_ATTR || reference.subject == SUBJECT_ID ||
                        reference.subject == SUBJECT_DRIVER;
        needs.udev |= reference.subject == SUBJECT_LINKS ||
                      (reference.subject == SUBJECT_ENV &&
                       rule_udev_knows(reference.argument, reference.argument_length));
        format += reference.length;
    }
    return needs;
}

bool rule_substitute_waits(const struct rule_state *state, const char *format)
{
    struct reference reference;
    while ((format = strpbrk(format, "$%")) && read_reference(format, &reference)) {
        if (reference.subject == SUBJECT_LINKS && !state->device->initialised)
            return true;
        if (reference.subject == SUBJECT_ENV &&
            rule_state_property_waits(state, reference.argument, reference.argument_length))
            return true;
        format += reference.length;
    }
    return false;
}

/* A string that says so when it no longer fits. */
struct output {
    char *text;
    size_t length;
    bool full;
};

static void put(struct output *output, char c)
{
    if (output->length + 1 >= RULE_VALUE_MAX) {
        output->full = true;
        return;
    }
    output->text[output->length++] = c;
    output->text[output->length] = '\0';
}

static void put_text(struct output *output, const char *text)
{
    for (; text && *text; text++)
        put(output, *text);
}

/* The digits at the name's end: 0 of "ttyUSB0". A name of nothing else has no number. */
static const char *number_of(const char *sysname)
{
    const char *end = sysname + strlen(sysname), *digits = end;
    while (digits > sysname && isdigit((unsigned char)digits[-1]))
        digits--;
    return digits > sysname ? digits : end;
}

/* The attribute's value: of a device that is named, else of this one, else of its parent found. */
static const char *find_attribute(const struct rule_state *state, const char *name, char **storage)
{
    if (rule_state_reference(state, name, storage) > 0)
        return *storage;
    const char *value = device_attribute(state->device, name);
    return value || !state->parent ? value : device_attribute(state->parent, name);
}

static void put_attribute(struct output *output, const struct rule_state *state, const char *name)
{
    _cleanup_free_ char *storage = NULL;
    const char *value = find_attribute(state, name, &storage);
    if (!value)
        return;

    size_t begin = output->length, length = rule_glob_trimmed_length(value);
    for (size_t i = 0; i < length; i++)
        put(output, value[i]);
    rule_substitute_clean(output->text + begin, "/ $%?,");
}

static void put_link(struct output *output, const char *path, bool *first)
{
    const char *name = after_prefix(path, "/dev/");
    put_text(output, *first || !name ? "" : " ");
    put_text(output, name);
    *first = *first && !name;
}

/* Those that udev made on the host, then those of earlier rules. */
static void put_links(struct output *output, const struct rule_state *state)
{
    const struct name_list *links = &state->device->udev.links;
    bool first = true;
    for (size_t i = 0; i < links->count; i++)
        put_link(output, links->items[i], &first);
    for (size_t i = 0; i < state->share.symlink_count; i++)
        if (!name_list_has(links, state->share.symlinks[i]))
            put_link(output, state->share.symlinks[i], &first);
}

static void put_number(struct output *output, unsigned number)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%u", number);
    put_text(output, text);
}

static void put_argument(struct output *output, const struct rule_state *state,
                         const struct reference *reference)
{
    char name[256];
    if (reference->argument_length >= sizeof(name))
        return; /* longer than any file name in sysfs */
    memcpy(name, reference->argument, reference->argument_length);
    name[reference->argument_length] = '\0';
    if (reference->subject == SUBJECT_ATTR)
        put_attribute(output, state, name);
    else
        put_text(output, rule_state_property(state, name));
}

/* One row a subject: longer than a function should be, because the language is. */
static void put_reference(struct output *output, const struct rule_state *state,
                          const struct reference *reference)
{
    const struct device *device = state->device;
    const struct device *above = device_parent(device);
    switch (reference->subject) {
    case SUBJECT_PERCENT:
        return put(output, '%');
    case SUBJECT_DOLLAR:
        return put(output, '$');
    case SUBJECT_KERNEL:
        return put_text(output, device->sysname);
    case SUBJECT_NUMBER:
        return put_text(output, number_of(device->sysname));
    case SUBJECT_DEVPATH:
        return put_text(output, device->devpath);
    case SUBJECT_ID:
        return put_text(output, state->parent ? state->parent->sysname : NULL);
    case SUBJECT_DRIVER:
        return put_text(output, state->parent ? state->parent->driver : NULL);
    case SUBJECT_ATTR:
    case SUBJECT_ENV:
        return put_argument(output, state, reference);
    case SUBJECT_MAJOR:
        return put_number(output, device->number.major);
    case SUBJECT_MINOR:
        return put_number(output, device->number.minor);
    case SUBJECT_PARENT:
        return put_text(output, above ? above->devname : NULL);
    case SUBJECT_NAME:
        return put_text(output, state->share.name ? state->share.name
                                : device->devname ? device->devname
                                                  : device->sysname);
    case SUBJECT_LINKS:
        return put_links(output, state);
    case SUBJECT_ROOT:
        return put_text(output, "/dev");
    case SUBJECT_SYS:
        return put_text(output, "/sys");
    case SUBJECT_DEVNODE:
        return put_text(output, rule_state_devnode(state));
    }
}

/* Makes one word of what stands from `begin` on: outer white space goes, each inner run becomes
 * '_'. */
static void join_words(struct output *output, size_t begin)
{
    size_t to = begin;
    bool gap = false;
    for (size_t from = begin; from < output->length; from++) {
        if (isspace((unsigned char)output->text[from])) {
            gap = to > begin;
            continue;
        }
        if (gap)
            output->text[to++] = '_';
        gap = false;
        output->text[to++] = output->text[from];
    }
    output->length = to;
    output->text[to] = '\0';
}

int rule_substitute(const struct rule_state *state, const char *format, bool join_blanks,
                    char out[static RULE_VALUE_MAX])
{
    struct output output = {.text = out};
    struct reference reference;
    out[0] = '\0';
    while (*format) {
        if ((*format != '$' && *format != '%') || !read_reference(format, &reference)) {
            put(&output, *format++);
            continue;
        }
        size_t begin = output.length;
        put_reference(&output, state, &reference);
        if (join_blanks && reference.subject != SUBJECT_LINKS)
            join_words(&output, begin);
        format += reference.length;
    }
    return output.full ? -ENAMETOOLONG : 0;
}

/* How many bytes from `text` on may stay as they are; 0: the first may not. */
static size_t safe_length(const char *text, const char *also)
{
    unsigned char c = (unsigned char)text[0];
    if (isalnum(c) || strchr("#+-.:=@_", c) || strchr(also, c))
        return 1;
    if (c == '\\' && text[1] == 'x' && isxdigit((unsigned char)text[2]) &&
        isxdigit((unsigned char)text[3]))
        return 4;
    if (c < 0x80)
        return 0;
    for (size_t length = 2; length <= 4 && text[length - 1] != '\0'; length++)
        if (text_is_clean(text, length))
            return length;
    return 0;
}

void rule_substitute_clean(char *text, const char *also)
{
    while (*text) {
        size_t length = safe_length(text, also);
        if (length == 0)
            *text = isspace((unsigned char)*text) && strchr(also, ' ') ? ' ' : '_';
        text += length ? length : 1;
    }
}
