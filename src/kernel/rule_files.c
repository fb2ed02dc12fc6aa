/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/rule_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "kernel/rule_file_problem.h"
#include "kernel/rule_listing.h"

static int parse_fd(int fd, const char *name, struct rule_set *rules,
                    struct rule_problems *problems)
{
    _cleanup_free_ char *text = malloc(RULE_FILE_MAX + 1);
    if (!text)
        return -ENOMEM;
    ssize_t length = file_read(fd, text, RULE_FILE_MAX + 1);
    if (length == -EFBIG)
        length =
            RULE_FILE_MAX + 1; /* all of it is there, and the parser says that it is too long */
    if (length < 0)
        return rule_file_refuse(problems, name, "cannot be read: %s", strerror((int)-length));
    return rule_parse(rules, name, text, (size_t)length, problems);
}

/*
 * Opens a regular file. The kind is looked at before, since opening a device can do something (a
 * watchdog starts, a tty resets its board), and again after, since then nobody can exchange it.
 * Returns the descriptor; -ENODEV for /dev/null; -ENOENT, of which nothing was said; -EBADMSG;
 * -ENOMEM.
 */
static int open_rules(int directory_fd, const char *path, const char *name, struct stat *ret_st,
                      struct rule_problems *problems)
{
    if (fstatat(directory_fd, path, ret_st, 0) < 0)
        return errno == ENOENT
                   ? -ENOENT
                   : rule_file_refuse(problems, name, "cannot be read: %s", strerror(errno));
    if (rule_file_is_disabled(ret_st))
        return -ENODEV;
    if (!S_ISREG(ret_st->st_mode))
        return rule_file_refuse(problems, name, "is not a regular file");
    _cleanup_close_ int fd =
        openat(directory_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return -ENOENT;
    if (fd < 0 || fstat(fd, ret_st) < 0)
        return rule_file_refuse(problems, name, "cannot be opened: %s", strerror(errno));
    if (!S_ISREG(ret_st->st_mode))
        return rule_file_refuse(problems, name, "is not a regular file");
    return TAKE_FD(fd);
}

/* A file that is gone is none: package managers and people delete while we read. */
static int warn_of_missing(const struct rule_file *file, struct rule_problems *problems)
{
    struct stat st;
    bool is_there = fstatat(file->directory_fd, file->name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    return rule_file_warn(problems, file->name,
                          is_there ? "is a link to nothing; left out"
                                   : "was deleted while the rules were read; left out");
}

static int load_listed(const struct rule_file *file, struct rule_set *rules,
                       struct rule_problems *problems)
{
    struct stat st;
    if (file->text)
        return rule_parse(rules, file->name, file->text, strlen(file->text), problems);
    _cleanup_close_ int fd = open_rules(file->directory_fd, file->name, file->name, &st, problems);
    if (fd == -ENODEV)
        return 0; /* disabled */
    if (fd == -ENOENT)
        return warn_of_missing(file, problems);
    if (fd < 0)
        return fd;
    int r = rule_file_check_owner(&st, file->name, problems);
    return r < 0 ? r : parse_fd(fd, file->name, rules, problems);
}

/* Every file of the listing but those that are masked. -EBADMSG only after all were read. */
static int load_listing(const struct rule_listing *listing, struct rule_set *rules,
                        struct rule_problems *problems)
{
    int result = 0;
    for (size_t i = 0; i < listing->file_count; i++) {
        if (i > 0 && streq(listing->files[i].name, listing->files[i - 1].name))
            continue;
        int r = load_listed(&listing->files[i], rules, problems);
        if (r == -ENOMEM)
            return r;
        if (r < 0)
            result = r;
    }
    return result;
}

int rule_files_load(const char *const *directories, size_t count, struct rule_set **ret,
                    struct rule_problems *problems)
{
    return rule_files_try(directories, count, NULL, ret, problems);
}

int rule_files_try(const char *const *directories, size_t count, const struct rule_draft *draft,
                   struct rule_set **ret, struct rule_problems *problems)
{
    _cleanup_(rule_listing_done) struct rule_listing listing = {0};
    _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
    if (!rules)
        return -ENOMEM;
    *ret = NULL;
    int result = rule_listing_read(&listing, directories, count, problems);
    if (result == -ENOMEM)
        return result;
    int r = draft ? rule_listing_suppose(&listing, directories, count, draft) : 0;
    rule_listing_sort(&listing);
    if (r == 0)
        r = load_listing(&listing, rules, problems);
    if (r == 0)
        r = result;
    if (r == 0)
        *ret = TAKE_PTR(rules);
    return r;
}

int rule_file_load(const char *path, struct rule_set *rules, struct rule_problems *problems)
{
    struct stat st;
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    _cleanup_close_ int fd = open_rules(AT_FDCWD, path, path, &st, problems);
    if (fd == -ENODEV)
        return 0;
    if (fd == -ENOENT)
        return rule_file_refuse(problems, path, "cannot be read: %s", strerror(ENOENT));
    if (fd < 0)
        return fd;
    int r = rule_file_warn_of_owner(&st, name, problems);
    return r < 0 ? r : parse_fd(fd, name, rules, problems);
}
