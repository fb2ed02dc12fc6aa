/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A small world and the rules for it. The input's lines up to the first empty one tell of the
 * world, each by its first letter; what follows is a rule file, which judges each device.
 *
 *   d DEVPATH SUBSYSTEM DRIVER   a device; the first is a leaf, each further one is above the last
 *   u KEY=VALUE                  a line of its uevent file
 *   a NAME=VALUE                 an attribute
 *   p KEY=VALUE                  a property of udev's; t TAG, l LINK: its tags and links
 *   c NAME, b KEY=VALUE          the container, and its labels
 *   s NAME=VALUE                 the host: a sysctl,
 *   r SUBSYSTEM/SYSNAME/ATTRIBUTE=VALUE   an attribute of a device elsewhere,
 *   f PATH                       a file,
 *   k NAME=VALUE                 CONST{NAME}
 *
 * Beside what holds of every judgement: what is given before udev has told of a device is so
 * afterwards, and where nothing waits for udev, its word changes nothing.
 */

#include "judgement.h"
#include "model/rule_parser.h"
#include "model/rule_udev.h"

#include <errno.h>
#include <stdio.h>

#define DEVICES_MAX 6
#define NAMES_MAX 8

struct fake {
    char *words[3]; /* devpath, subsystem, driver */
    char *uevent;
    struct property_list attributes;
    struct property_list udev;
    const char *tags[NAMES_MAX + 1], *links[NAMES_MAX + 1];
    size_t tag_count, link_count;
    struct device *device;
};

struct world {
    struct fake fakes[DEVICES_MAX];
    size_t count;
    char *container;
    struct property_list labels, sysctls, references, constants, files;
    bool udev_keeps_to_its_names; /* no property of udev's is named as if it were another's */
};

static size_t index_of(const struct world *world, const struct device *device)
{
    size_t i = 0;
    while (i < world->count && world->fakes[i].device != device)
        i++;
    must(i < world->count);
    return i;
}

static int answer(const char *value, char **ret)
{
    if (!value)
        return 0;
    *ret = strdup(value);
    must(*ret);
    return 1;
}

static int read_attribute(void *userdata, const struct device *device, const char *name, char **ret)
{
    const struct world *world = userdata;
    return answer(property_get(&world->fakes[index_of(world, device)].attributes, name), ret);
}

static struct device *parent_of(void *userdata, const struct device *device)
{
    const struct world *world = userdata;
    size_t above = index_of(world, device) + 1;
    return above < world->count ? world->fakes[above].device : NULL;
}

static int read_sysctl(void *userdata, const char *name, char **ret)
{
    const struct world *world = userdata;
    return answer(property_get(&world->sysctls, name), ret);
}

static int read_reference(void *userdata, const char *subsystem, const char *sysname,
                          const char *attribute, char **ret)
{
    const struct world *world = userdata;
    _cleanup_free_ char *key = NULL;
    must(asprintf(&key, "%s/%s/%s", subsystem, sysname, attribute) >= 0);
    return answer(property_get(&world->references, key), ret);
}

static bool test_path(void *userdata, const struct device *device, const char *path, unsigned mask)
{
    const struct world *world = userdata;
    (void)index_of(world, device);
    return property_get(&world->files, path) && (mask == 0 || (0644 & mask));
}

static const char *constant(void *userdata, const char *name)
{
    const struct world *world = userdata;
    return property_get(&world->constants, name);
}

/* --- reading the world */

static char *copy(const char *text)
{
    char *copied = strdup(text);
    must(copied);
    return copied;
}

static void begin_device(struct world *world, char *line)
{
    if (world->count == DEVICES_MAX)
        return;
    struct fake *fake = &world->fakes[world->count++];
    for (size_t i = 0; i < ARRAY_SIZE(fake->words); i++)
        fake->words[i] = strsep(&line, " ");
    fake->uevent = copy("");
}

static void add_uevent_line(struct fake *fake, const char *line)
{
    char *longer;
    must(asprintf(&longer, "%s%s\n", fake->uevent, line) >= 0);
    free(fake->uevent);
    fake->uevent = longer;
}

/* "KEY=VALUE"; a line without '=' has an empty value. */
static void add_pair(struct property_list *list, char *line)
{
    char *equals = strchr(line, '=');
    if (equals)
        *equals = '\0';
    if (line[0] != '\0')
        must(property_set(list, line, equals ? equals + 1 : "") == 0);
}

static void add_name(const char **names, size_t *count, const char *name)
{
    if (*count < NAMES_MAX)
        names[(*count)++] = name;
}

static void read_device_line(struct world *world, struct fake *fake, char letter, char *rest)
{
    if (letter == 'u')
        add_uevent_line(fake, rest);
    else if (letter == 'a')
        add_pair(&fake->attributes, rest);
    else if (letter == 't')
        add_name(fake->tags, &fake->tag_count, rest);
    else if (letter == 'l')
        add_name(fake->links, &fake->link_count, rest);
    else if (letter == 'p') {
        world->udev_keeps_to_its_names &=
            rule_udev_knows(rest, strcspn(rest, "=")) && !after_prefix(rest, "DEVOLVE_");
        add_pair(&fake->udev, rest);
    }
}

static void read_line(struct world *world, char *line)
{
    char letter = line[0];
    char *rest = line + 1 + (line[1] == ' ');
    struct property_list *lists[256] = {['b'] = &world->labels,
                                        ['s'] = &world->sysctls,
                                        ['r'] = &world->references,
                                        ['f'] = &world->files,
                                        ['k'] = &world->constants};
    if (letter == 'd')
        begin_device(world, rest);
    else if (letter == 'c')
        world->container = rest;
    else if (lists[(unsigned char)letter])
        add_pair(lists[(unsigned char)letter], rest);
    else if (world->count > 0)
        read_device_line(world, &world->fakes[world->count - 1], letter, rest);
}

/* Reads up to the empty line, from `text`, which is kept as the world's. Returns the rest. */
static char *read_world(struct world *world, char *text)
{
    char *line;
    world->udev_keeps_to_its_names = true;
    while ((line = strsep(&text, "\n")) && line[0] != '\0')
        read_line(world, line);
    return text;
}

/* The devices that can be, in their order. */
static void make_devices(struct world *world, const struct device_source *source)
{
    size_t kept = 0;
    for (size_t i = 0; i < world->count; i++) {
        struct fake fake = world->fakes[i];
        int r = device_new(fake.words[0] ? fake.words[0] : "", fake.words[1], fake.words[2],
                           fake.uevent, i + 1, source, &fake.device);
        must(r == 0 || r == -EINVAL);
        world->fakes[i] = world->fakes[kept];
        world->fakes[kept] = fake;
        kept += r == 0;
    }
    for (size_t i = kept; i < world->count; i++)
        world->fakes[i].device = NULL;
}

static void free_world(struct world *world)
{
    struct property_list *lists[] = {&world->labels, &world->sysctls, &world->references,
                                     &world->constants, &world->files};
    for (size_t i = 0; i < ARRAY_SIZE(world->fakes); i++) {
        struct fake *fake = &world->fakes[i];
        free(fake->uevent);
        property_list_done(&fake->attributes);
        property_list_done(&fake->udev);
        device_free(fake->device);
    }
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        property_list_done(lists[i]);
}

/* --- judging it */

static void tell_of_udev(struct world *world)
{
    for (size_t i = 0; i < world->count; i++) {
        const struct fake *fake = &world->fakes[i];
        if (fake->device)
            must(device_set_udev(fake->device, &fake->udev, fake->tags, fake->links) == 0);
    }
}

static void judge_all(struct world *world, const struct rule_set *rules,
                      const struct rule_set *printed, struct share shares[static DEVICES_MAX])
{
    const struct rule_container container = {world->container ? world->container : "web1",
                                             &world->labels};
    for (size_t i = 0; i < world->count; i++)
        if (world->fakes[i].device)
            judge(rules, printed, world->fakes[i].device, &container, &shares[i]);
}

/* A device that udev says nothing surprising of keeps what it was given before. */
static void must_be_kept(const struct share *before, const struct share *after)
{
    must(!after->waits);
    must(!before->given || after->given);
    if (!before->waits)
        must_be_equal(before, after);
}

static void judge_before_and_after_udev(struct world *world, const struct rule_set *rules)
{
    struct share before[DEVICES_MAX] = {0}, after[DEVICES_MAX] = {0};
    _cleanup_rule_set_ struct rule_set *printed = read_what_is_printed(rules);
    judge_all(world, rules, printed, before);
    tell_of_udev(world);
    judge_all(world, rules, printed, after);
    for (size_t i = 0; i < world->count; i++) {
        if (world->udev_keeps_to_its_names)
            must_be_kept(&before[i], &after[i]);
        share_done(&before[i]);
        share_done(&after[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_free_ char *text = strndup((const char *)data, size);
    must(text);
    struct world world = {0};
    char *rules_text = read_world(&world, text);
    const struct host_facts facts = {read_sysctl, read_reference, test_path, constant, &world};
    const struct device_source source = {read_attribute, parent_of, &world, &facts};
    struct rule_problems problems = {0};
    struct rule_set *rules = rule_set_new();
    must(rules);
    make_devices(&world, &source);
    if (rules_text &&
        rule_parse(rules, "fuzz.rules", rules_text, strlen(rules_text), &problems) == 0)
        judge_before_and_after_udev(&world, rules);
    rule_set_free(rules);
    rule_problems_done(&problems);
    free_world(&world);
    return 0;
}
