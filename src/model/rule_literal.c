/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_literal.h"

#include <ctype.h>
#include <errno.h>

#include "base/text.h"
#include "model/share.h"

#define BLANKS " \t"
#define LINK_PRIORITY "link_priority=" /* and a number */
#define ID_MAX (UINT32_MAX - 1)        /* the one above stands for none: chown(2) */
#define INTERFACE_NAME_MAX 15          /* linux/include/uapi/linux/if.h: IFNAMSIZ without the NUL */

int rule_literal_mode(const char *text, unsigned *ret, struct refusal *why)
{
    uint64_t mode;
    if (text_to_octal(text, 07777, &mode) < 0)
        return refuse(why, EINVAL, "MODE is an octal number up to 7777, such as 0660");
    *ret = (unsigned)mode;
    return 0;
}

int rule_literal_access(const char *text, unsigned *ret, struct refusal *why)
{
    unsigned access = 0;
    for (const char *p = text; *p; p++) {
        unsigned bit = *p == 'r'   ? ACCESS_READ
                       : *p == 'w' ? ACCESS_WRITE
                       : *p == 'm' ? ACCESS_MKNOD
                                   : 0u;
        if (bit == 0 || (access & bit))
            return refuse(why, EINVAL, "ACCESS is made of r, w and m, each once at most");
        access |= bit;
    }
    if (access == 0)
        return refuse(why, EINVAL, "ACCESS needs at least one of r, w and m");
    *ret = access;
    return 0;
}

static const struct {
    const char *name;
    unsigned option;
} OPTIONS[] = {
    {"subtree", OPTION_SUBTREE},
    {"exclusive", OPTION_EXCLUSIVE},
    {"no_node", OPTION_NO_NODE},
    {"no_event", OPTION_NO_EVENT},
    {"dangerous", OPTION_DANGEROUS},
    {"last_rule", RULE_OPTION_LAST_RULE},
    {"string_escape=none", RULE_OPTION_ESCAPE_NONE},
    {"string_escape=replace", RULE_OPTION_ESCAPE_REPLACE},
    {LINK_PRIORITY, RULE_OPTION_LINK_PRIORITY},
};

const char *rule_literal_option_name(unsigned option)
{
    for (size_t i = 0; i < ARRAY_SIZE(OPTIONS); i++)
        if (OPTIONS[i].option == option)
            return OPTIONS[i].name;
    return NULL;
}

static unsigned option_of(const char *word)
{
    for (size_t i = 0; i < ARRAY_SIZE(OPTIONS); i++)
        if (streq(OPTIONS[i].name, word))
            return OPTIONS[i].option;
    return 0;
}

/* Options of udev(7), of now and of former days, that say how udev itself goes on. */
static bool is_udevs_own(const char *word)
{
    static const char *const words[] = {"watch",         "nowatch",       "db_persist",
                                        "ignore_device", "ignore_remove", "all_partitions"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (streq(words[i], word))
            return true;
    return after_prefix(word, "static_node=") || after_prefix(word, "log_level=") ||
           after_prefix(word, "event_timeout=");
}

static int read_priority(const char *text, int *ret, struct refusal *why)
{
    uint64_t number;
    bool negative = text[0] == '-';
    if (text_to_number(text + negative, SHARE_LINK_PRIORITY_MAX, &number) < 0)
        return refuse(why, EINVAL, "link_priority is a whole number between -%d and %d",
                      SHARE_LINK_PRIORITY_MAX, SHARE_LINK_PRIORITY_MAX);
    *ret = negative ? -(int)number : (int)number;
    return 0;
}

static int read_option(const char *word, struct rule_options *options, struct refusal *why)
{
    const char *priority = after_prefix(word, LINK_PRIORITY);
    unsigned option = priority ? RULE_OPTION_LINK_PRIORITY : option_of(word);
    options->bits |= option;
    if (priority)
        return read_priority(priority, &options->link_priority, why);
    if (option)
        return 0;
    if (is_udevs_own(word))
        return refuse(why, EINVAL, "option \"%s\" is for udev itself, and means nothing here",
                      word);
    return refuse(why, EINVAL,
                  "\"%.40s\" is no option: there are subtree, exclusive, no_node, no_event, "
                  "dangerous, last_rule, link_priority=, string_escape=none and =replace",
                  word);
}

int rule_literal_options(const char *text, struct rule_options *ret, struct refusal *why)
{
    static const char SEPARATORS[] = BLANKS ",";
    struct rule_options options = {0};
    for (text += strspn(text, SEPARATORS); *text; text += strspn(text, SEPARATORS)) {
        char word[64];
        size_t length = strcspn(text, SEPARATORS);
        size_t kept = length < sizeof(word) ? length : sizeof(word) - 1;
        memcpy(word, text, kept);
        word[kept] = '\0';
        int r = read_option(word, &options, why);
        if (r < 0)
            return r;
        text += length;
    }
    *ret = options;
    return 0;
}

int rule_literal_path(const char *key, const char *path, size_t length, struct refusal *why)
{
    static const char DEV[] = "/dev/";
    size_t dev = sizeof(DEV) - 1;
    if (length == 0 || (path[0] == '/' && length <= dev))
        return refuse(why, EINVAL, "%s needs a path below /dev", key);
    if (path[0] == '/' && strncmp(path, DEV, dev) != 0)
        return refuse(why, EINVAL, "%s must lie below /dev", key);

    for (const char *part = path, *end = path + length; part < end;) {
        const char *slash = memchr(part, '/', (size_t)(end - part));
        size_t bytes = (size_t)((slash ? slash : end) - part);
        if ((bytes == 1 && part[0] == '.') || (bytes == 2 && part[0] == '.' && part[1] == '.'))
            return refuse(why, EINVAL, "%s must not have . or .. in it", key);
        if ((bytes == 0 && part != path) || (slash && slash + 1 == end))
            return refuse(why, EINVAL, "%s has an empty name between two /", key);
        part += bytes + 1;
    }
    return 0;
}

int rule_literal_paths(const char *key, const char *text, size_t *ret_count, struct refusal *why)
{
    size_t count = 0;
    for (text += strspn(text, BLANKS); *text; text += strspn(text, BLANKS)) {
        size_t length = strcspn(text, BLANKS);
        int r = rule_literal_path(key, text, length, why);
        if (r < 0)
            return r;
        text += length;
        count++;
    }
    if (count > SHARE_SYMLINKS_MAX)
        return refuse(why, EINVAL, "%s takes %d links at most", key, SHARE_SYMLINKS_MAX);
    *ret_count = count;
    return 0;
}

int rule_literal_owner(const char *key, const char *text, struct refusal *why)
{
    uint64_t id;
    if (text[0] == '\0')
        return refuse(why, EINVAL, "%s needs a number or a name", key);
    if (text_to_number(text, ID_MAX, &id) == -ERANGE)
        return refuse(why, EINVAL, "%s is a number up to %u", key, ID_MAX);
    if (text[0] == '-')
        return refuse(why, EINVAL, "%s needs a number from 0 on, or a name that begins without -",
                      key);
    for (; *text; text++)
        if (isspace((unsigned char)*text) || *text == ':' || *text == '/')
            return refuse(why, EINVAL, "%s needs a number, or a name without blanks, : and /", key);
    return 0;
}

bool rule_literal_is_interface_character(char c)
{
    return c > ' ' && c < 0x7f && !strchr("/:%", c);
}

int rule_literal_interface(const char *text, struct refusal *why)
{
    size_t length = strlen(text);
    if (length == 0 || length > INTERFACE_NAME_MAX || streq(text, ".") || streq(text, ".."))
        return refuse(why, EINVAL, "NAME needs 1 to %d characters", INTERFACE_NAME_MAX);
    for (; *text; text++)
        if (!rule_literal_is_interface_character(*text))
            return refuse(why, EINVAL, "NAME must not have blanks or any of / : %% in it");
    return 0;
}
