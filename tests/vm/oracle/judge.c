/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * judge FILE: what our rules say of every device in sysfs, in the form in which `udevadm info -e`
 * tells what udev's say: "P: DEVPATH", then "E: KEY=VALUE" for each property that the rules set.
 * Only the lower floors are in it, no daemon. What only udev knows comes out of udev's database,
 * when udevd has settled; a device without a record there is one of which udev has nothing to say.
 */

#include <errno.h>
#include <stdio.h>

#include "kernel/host_facts.h"
#include "kernel/rule_files.h"
#include "kernel/sysfs.h"
#include "kernel/udev_database.h"
#include "model/rule_match.h"
#include "model/rule_set.h"

struct tree {
    const struct rule_set *rules;
    struct device_source source;
    struct device **devices; /* ordered by devpath */
    size_t count;
};

static int compare_devpath(const void *key, const void *element)
{
    const struct device *const *device = element;
    return strcmp(key, (*device)->devpath);
}

static int compare_devices(const void *a, const void *b)
{
    const struct device *const *device = a;
    return compare_devpath((*device)->devpath, b);
}

static struct device *find_parent(void *userdata, const struct device *device)
{
    struct tree *tree = userdata;
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s", device->devpath);
    for (char *slash; (slash = strrchr(path, '/')) && slash != path;) {
        *slash = '\0';
        struct device **found =
            bsearch(path, tree->devices, tree->count, sizeof(*tree->devices), compare_devpath);
        if (found)
            return *found;
    }
    return NULL;
}

/* Whether a rule sets this property. */
static bool is_assigned(const struct rule_set *rules, const char *key)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct rule *rule = &rules->rules[i];
        const struct rule_token *token = rule_group_begin(rule, RULE_GROUP_OPTIONS);
        for (; token < rule_group_end(rule, RULE_GROUP_ASSIGN); token++)
            if (token->info->key == RULE_KEY_ENV && streq(token->argument, key))
                return true;
    }
    return false;
}

/*
 * udevd has carried out the same rules, so that its record has in it what they set. Ours begin
 * where udevd's began: with what was known before them.
 */
static int keep_what_was_before(const struct rule_set *rules, struct udev_view *view)
{
    struct property_list before = {0};
    int r = 0;
    for (size_t i = 0; r == 0 && i < view->properties.count; i++) {
        const struct property *property = &view->properties.items[i];
        if (!is_assigned(rules, property->key))
            r = property_set(&before, property->key, property->value);
    }
    property_list_done(&view->properties);
    view->properties = before;
    return r;
}

static int ask_udev(const struct tree *tree, struct device *device)
{
    struct udev_view view = {0};
    int r = udev_database_read(device, &view);
    if (r > 0)
        r = keep_what_was_before(tree->rules, &view);
    if (r >= 0)
        device_take_udev(device, &view);
    udev_view_done(&view);
    return r;
}

static int add_device(void *userdata, const char *devpath)
{
    struct tree *tree = userdata;
    _cleanup_device_ struct device *device = NULL;
    int r = sysfs_read_device(devpath, &tree->source, &device);
    if (r <= 0)
        return r;
    r = ask_udev(tree, device);
    if (r < 0)
        return r;
    struct device **place = array_add(&tree->devices, &tree->count, sizeof(*tree->devices));
    if (!place)
        return -ENOMEM;
    *place = TAKE_PTR(device);
    return 0;
}

static int tree_read(struct tree *tree)
{
    tree->source = (struct device_source){
        .read_attribute = sysfs_read_attribute,
        .parent = find_parent,
        .facts = &host_facts_real,
        .userdata = tree,
    };
    int r = sysfs_enumerate(add_device, tree);
    if (r == 0 && tree->count > 0)
        qsort(tree->devices, tree->count, sizeof(*tree->devices), compare_devices);
    return r;
}

static void tree_done(struct tree *tree)
{
    for (size_t i = 0; i < tree->count; i++)
        device_free(tree->devices[i]);
    free(tree->devices);
}

/* What a line says without naming a container holds for every one of them, so one is enough. */
static int judge(const struct rule_set *rules, struct device *device)
{
    static const struct rule_container container = {.name = "oracle"};
    struct share share = {0};
    if (!device->subsystem[0])
        return 0;
    int r = rule_judge(rules, device, &container, NULL, NULL, &share);
    if (r < 0)
        return r;
    printf("P: %s\n", device->devpath);
    for (size_t i = 0; i < share.env.count; i++)
        printf("E: %s=%s\n", share.env.items[i].key, share.env.items[i].value);
    share_done(&share);
    return 0;
}

static int load(const char *path, struct rule_set *rules)
{
    struct rule_problems problems = {0};
    int r = rule_file_load(path, rules, &problems);
    for (size_t i = 0; i < problems.count; i++)
        if (r < 0 || problems.items[i].severity == PROBLEM_ERROR)
            fprintf(stderr, "%s:%u:%u: %s\n    %s\n", problems.items[i].file,
                    problems.items[i].line, problems.items[i].column, problems.items[i].text,
                    problems.items[i].source);
    rule_problems_done(&problems);
    return r;
}

int main(int argc, char **argv)
{
    _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
    struct tree tree = {.rules = rules};
    if (argc != 2) {
        fprintf(stderr, "usage: judge FILE\n");
        return 2;
    }

    int r = rules ? load(argv[1], rules) : -ENOMEM;
    if (r == 0)
        r = tree_read(&tree);
    for (size_t i = 0; r == 0 && i < tree.count; i++)
        r = judge(rules, tree.devices[i]);
    tree_done(&tree);
    if (r < 0)
        fprintf(stderr, "judge: %s\n", strerror(-r));
    return r < 0;
}
