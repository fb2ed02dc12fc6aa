/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/rule_listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>

#include "base/file.h"
#include "kernel/rule_file_problem.h"

void rule_listing_done(struct rule_listing *listing)
{
    for (size_t i = 0; i < listing->file_count; i++)
        free(listing->files[i].name);
    for (size_t i = 0; i < listing->directory_count; i++)
        fd_close(listing->directory_fds[i]);
    free(listing->files);
    free(listing->directory_fds);
}

static void close_directory(DIR **directory)
{
    if (*directory)
        closedir(*directory);
}

/* udev skips what editors leave behind, and so do we: the names that begin with a dot. */
static bool is_rule_name(const char *name)
{
    static const char SUFFIX[] = ".rules";
    size_t length = strlen(name), suffix = sizeof(SUFFIX) - 1;
    return name[0] != '.' && length > suffix && streq(name + length - suffix, SUFFIX);
}

static int add_name(struct rule_listing *listing, const struct rule_file *file, const char *name)
{
    struct rule_file *slot = array_add(&listing->files, &listing->file_count, sizeof(*slot));
    if (!slot)
        return -ENOMEM;
    *slot = *file;
    slot->name = strdup(name);
    return slot->name ? 0 : -ENOMEM;
}

/* `file` is what all of them have in common. */
static int list_names(struct rule_listing *listing, DIR *directory, const struct rule_file *file)
{
    struct dirent *entry;
    while ((errno = 0, entry = readdir(directory))) {
        if (!is_rule_name(entry->d_name))
            continue;
        int r = add_name(listing, file, entry->d_name);
        if (r < 0)
            return r;
    }
    return -errno;
}

static int keep_fd(struct rule_listing *listing, int fd)
{
    int *slot = array_add(&listing->directory_fds, &listing->directory_count, sizeof(*slot));
    if (!slot) {
        fd_close(fd);
        return -ENOMEM;
    }
    *slot = fd;
    return 0;
}

/* Adds the directory's files. A directory that is missing is no problem; one that others write is.
 */
static int list_directory(struct rule_listing *listing, const char *path, size_t index,
                          struct rule_problems *problems)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0)
        return rule_file_refuse(problems, path, "cannot be opened: %s", strerror(errno));
    int r = keep_fd(listing, fd);
    if (r < 0)
        return r;

    struct stat st;
    if (fstat(fd, &st) < 0)
        return rule_file_refuse(problems, path, "cannot be read: %s", strerror(errno));
    r = rule_file_check_owner(&st, path, problems);
    if (r < 0)
        return r;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* fdopendir() takes its descriptor away */
    _cleanup_(close_directory) DIR *directory = copy < 0 ? NULL : fdopendir(copy);
    if (!directory) {
        int error = errno;
        fd_close(copy);
        return rule_file_refuse(problems, path, "cannot be read: %s", strerror(error));
    }
    const struct rule_file file = {.directory = index, .directory_path = path, .directory_fd = fd};
    r = list_names(listing, directory, &file);
    if (r < 0 && r != -ENOMEM)
        return rule_file_refuse(problems, path, "cannot be read: %s", strerror(-r));
    return r;
}

static int compare_files(const void *one, const void *other)
{
    const struct rule_file *a = one, *b = other;
    int r = strcmp(a->name, b->name);
    return r ? r : (a->directory > b->directory) - (a->directory < b->directory);
}

void rule_listing_sort(struct rule_listing *listing)
{
    if (listing->file_count > 0)
        qsort(listing->files, listing->file_count, sizeof(listing->files[0]), compare_files);
}

int rule_listing_read(struct rule_listing *listing, const char *const *directories, size_t count,
                      struct rule_problems *problems)
{
    int result = 0;
    for (size_t i = 0; i < count; i++) {
        int r = list_directory(listing, directories[i], i, problems);
        if (r == -ENOMEM)
            return r;
        if (r < 0)
            result = r;
    }
    return result;
}

int rule_listing_suppose(struct rule_listing *listing, const char *const *directories, size_t count,
                         const struct rule_draft *draft)
{
    size_t index = 0, at = 0;
    while (index < count && !streq(directories[index], draft->directory))
        index++;
    while (at < listing->file_count &&
           (listing->files[at].directory != index || !streq(listing->files[at].name, draft->name)))
        at++;
    bool listed = at < listing->file_count;
    if (listed && draft->text) {
        listing->files[at].text = draft->text;
    } else if (listed) {
        free(listing->files[at].name);
        listing->files[at] = listing->files[--listing->file_count];
    } else if (draft->text) {
        const struct rule_file file = {
            .directory = index, .directory_path = draft->directory, .text = draft->text};
        return add_name(listing, &file, draft->name);
    }
    return 0;
}

bool rule_file_is_disabled(const struct stat *st)
{
    return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}
