/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Devpaths, sorted so that all that is below a device follows it, are the tree already: the parent
 * of a device is the nearest one before it whose devpath its own begins with.
 */

#include "cli/device_tree.h"

#include <errno.h>
#include <stdio.h>

#include "cli/field.h"

#define NO_PARENT SIZE_MAX

struct tree_device {
    const json_t *device;
    const char *devpath;
    size_t parent;     /* its index, or NO_PARENT */
    unsigned branches; /* how many of its children lead to a row */
    unsigned depth;
    bool shown;
};

struct tree {
    struct tree_device *devices;
    size_t count;
    const json_t *grants;
    bool all;
};

/* A number that text begins with. */
struct number {
    size_t zeros, digits; /* how many, in this order */
};

static struct number read_number(const char *text)
{
    size_t zeros = strspn(text, "0");
    return (struct number){zeros, strspn(text + zeros, "0123456789")};
}

/* By value; 01 and 1 are not the same. */
static int compare_numbers(const char *a, struct number left, const char *b, struct number right)
{
    if (left.digits != right.digits)
        return left.digits < right.digits ? -1 : 1;
    int r = memcmp(a + left.zeros, b + right.zeros, left.digits);
    return r ? r : (left.zeros > right.zeros) - (left.zeros < right.zeros);
}

/* An end goes first, then '/', so that children follow their parent at once. */
static int rank(char c)
{
    return c == '\0' ? 0 : c == '/' ? 1 : 1 + (unsigned char)c;
}

/* loop9 goes before loop10. */
static int compare_devpaths(const char *a, const char *b)
{
    for (;;) {
        struct number left = read_number(a), right = read_number(b);
        size_t one = left.zeros + left.digits, other = right.zeros + right.digits;
        int r = one && other ? compare_numbers(a, left, b, right) : rank(*a) - rank(*b);
        if (r || !*a)
            return r;
        a += one ? one : 1;
        b += other ? other : 1;
    }
}

static int compare_devices(const void *a, const void *b)
{
    const struct tree_device *one = a, *other = b;
    return compare_devpaths(one->devpath, other->devpath);
}

static bool is_below(const char *devpath, const char *above)
{
    const char *rest = after_prefix(devpath, above);
    return rest && *rest == '/';
}

static void find_parents(struct tree *tree)
{
    size_t above = NO_PARENT;
    for (size_t i = 0; i < tree->count; i++) {
        struct tree_device *device = &tree->devices[i];
        while (above != NO_PARENT && !is_below(device->devpath, tree->devices[above].devpath))
            above = tree->devices[above].parent;
        device->parent = above;
        above = i;
    }
}

static bool is_held(const struct tree *tree, const char *devpath)
{
    size_t index;
    const json_t *grant;
    json_array_foreach(tree->grants, index,
                       grant) if (field_is(grant, "devpath", devpath)) return true;
    return false;
}

/* From the leaves up: a device without interest of its own is shown where branches meet. */
static void choose(struct tree *tree)
{
    for (size_t i = tree->count; i-- > 0;) {
        struct tree_device *device = &tree->devices[i];
        device->shown = tree->all || field_text(device->device, "devnode", NULL) ||
                        device->branches > 1 || is_held(tree, device->devpath);
        if (device->parent != NO_PARENT && (device->shown || device->branches > 0))
            tree->devices[device->parent].branches++;
    }
    for (size_t i = 0; i < tree->count; i++) {
        struct tree_device *device = &tree->devices[i];
        const struct tree_device *above =
            device->parent == NO_PARENT ? NULL : &tree->devices[device->parent];
        device->depth = above ? above->depth + above->shown : 0;
    }
}

static int collect(struct tree *tree, const json_t *devices)
{
    size_t index;
    const json_t *device;
    json_array_foreach(devices, index, device)
    {
        struct tree_device *slot = array_add(&tree->devices, &tree->count, sizeof(*tree->devices));
        if (!slot)
            return -ENOMEM;
        slot->device = device;
        slot->devpath = field_text(device, "devpath", "?");
    }
    if (tree->count > 0)
        qsort(tree->devices, tree->count, sizeof(*tree->devices), compare_devices);
    return 0;
}

/* "web1 as /dev/zigbee, delivered" */
static void write_holder(FILE *out, const json_t *grant)
{
    const char *node = field_text(grant, "node", NULL);
    fprintf(out, "%s%s%s%s, %s", ftell(out) > 0 ? "; " : "", field_text(grant, "container", "?"),
            node ? " as " : "", node ? node : "", field_text(grant, "state", "?"));
}

/* The worst state of all who hold it says how it looks. */
static enum style holders_style(enum style before, const json_t *grant)
{
    if (before == STYLE_BAD || field_is(grant, "state", "refused"))
        return STYLE_BAD;
    return field_is(grant, "state", "delivered") ? before : STYLE_WARNING;
}

static int add_holders(struct rows *rows, struct row *row, const struct tree *tree,
                       const char *devpath)
{
    _cleanup_free_ char *text = NULL;
    enum style style = STYLE_GOOD;
    size_t size, index;
    const json_t *grant;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return -ENOMEM;
    json_array_foreach(tree->grants, index, grant)
    {
        if (!field_is(grant, "devpath", devpath))
            continue;
        write_holder(out, grant);
        style = holders_style(style, grant);
    }
    if (fclose(out) != 0)
        return -ENOMEM;
    if (*text)
        row_add(rows, row, style, "%s", text);
    return 0;
}

static int add_row(struct rows *rows, const struct tree *tree, const struct tree_device *device)
{
    const json_t *json = device->device;
    struct row *row = rows_add(rows, device->depth);
    row_add(rows, row, STYLE_STRONG, "%s:%s", field_text(json, "subsystem", "?"),
            field_text(json, "sysname", "?"));
    row_add(rows, row, STYLE_PLAIN, "%s", field_text(json, "devnode", "-"));
    row_add(rows, row, STYLE_PLAIN, "%s", field_text(json, "number", "-"));
    row_add(rows, row, STYLE_FAINT, "%s", field_text(json, "driver", "-"));
    return add_holders(rows, row, tree, device->devpath);
}

int device_tree_add(struct rows *rows, const json_t *devices, const json_t *grants, bool all)
{
    struct tree tree = {.grants = grants, .all = all};
    int r = collect(&tree, devices);
    if (r == 0) {
        find_parents(&tree);
        choose(&tree);
    }
    for (size_t i = 0; r == 0 && i < tree.count; i++)
        if (tree.devices[i].shown)
            r = add_row(rows, &tree, &tree.devices[i]);
    free(tree.devices);
    return r;
}
