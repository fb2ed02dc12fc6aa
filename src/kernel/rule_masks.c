/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "kernel/rule_listing.h"

void rule_masks_done(struct rule_masks *masks)
{
    for (size_t i = 0; i < masks->count; i++) {
        free(masks->items[i].path);
        free(masks->items[i].by);
    }
    free(masks->items);
    *masks = (struct rule_masks){0};
}

static char *path_of(const struct rule_file *file)
{
    char *path;
    return asprintf(&path, "%s/%s", file->directory_path, file->name) < 0 ? NULL : path;
}

/* `by` NULL: it is a link to /dev/null. */
static int add_mask(struct rule_masks *masks, const struct rule_file *file,
                    const struct rule_file *by)
{
    struct rule_mask *mask = array_add(&masks->items, &masks->count, sizeof(*mask));
    if (!mask)
        return -ENOMEM;
    mask->path = path_of(file);
    mask->by = by ? path_of(by) : strdup("/dev/null");
    return mask->path && mask->by ? 0 : -ENOMEM;
}

int rule_files_masked(const char *const *directories, size_t count, struct rule_masks *masks)
{
    _cleanup_(rule_listing_done) struct rule_listing listing = {0};
    _cleanup_(rule_problems_done) struct rule_problems problems = {0};
    const struct rule_file *first = NULL;
    int r = rule_listing_read(&listing, directories, count, &problems);
    if (r == -EBADMSG)
        r = 0; /* a reload says so */
    rule_listing_sort(&listing);
    for (size_t i = 0; r == 0 && i < listing.file_count; i++) {
        const struct rule_file *file = &listing.files[i];
        struct stat st;
        if (first && streq(first->name, file->name)) {
            r = add_mask(masks, file, first);
            continue;
        }
        first = file;
        if (fstatat(file->directory_fd, file->name, &st, 0) == 0 && rule_file_is_disabled(&st))
            r = add_mask(masks, file, NULL);
    }
    return r;
}
