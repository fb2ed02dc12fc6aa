/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/rule_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/file.h"
#include "model/rule_problem.h"

/* One file of the directories. */
struct rule_file {
    char *name;
    size_t directory;           /* index: the lower one masks */
    const char *directory_path; /* borrowed */
    int directory_fd;           /* borrowed */
    const char *text;           /* borrowed: what is to be read in its place; NULL: itself */
};

struct listing {
    struct rule_file *files;
    size_t file_count;
    int *directory_fds;
    size_t directory_count;
};

static void listing_done(struct listing *listing)
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

/* A problem of the file or directory as a whole. Returns -EBADMSG or -ENOMEM. */
static _printf_(3, 4) int refuse_file(struct rule_problems *problems, const char *file,
                                      const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    struct rule_complaint complaint = {.severity = PROBLEM_ERROR, .file = file, .text = text};
    int r = rule_problems_add(problems, &complaint);
    return r < 0 ? r : -EBADMSG;
}

/* The same, but the others are read nevertheless. Returns 0 or -ENOMEM. */
static int warn_of_file(struct rule_problems *problems, const char *file, const char *text)
{
    struct rule_complaint complaint = {.severity = PROBLEM_WARNING, .file = file, .text = text};
    return rule_problems_add(problems, &complaint);
}

#define OWNER_TEXT_MAX 96

/*
 * Whoever can write rules can hand out devices: that must be nobody but root and us. Whether it is
 * so, else with the reason.
 */
static bool is_safe(const struct stat *st, char text[static OWNER_TEXT_MAX])
{
    if (st->st_uid != 0 && st->st_uid != geteuid())
        (void)snprintf(text, OWNER_TEXT_MAX, "belongs to uid %u: rules must belong to root",
                       (unsigned)st->st_uid);
    else if (st->st_mode & (S_IWGRP | S_IWOTH))
        (void)snprintf(text, OWNER_TEXT_MAX,
                       "can be written by others (mode %04o): take that away with chmod go-w",
                       (unsigned)st->st_mode & 07777);
    else
        return true;
    return false;
}

static int check_owner(const struct stat *st, const char *file, struct rule_problems *problems)
{
    char text[OWNER_TEXT_MAX];
    return is_safe(st, text) ? 0 : refuse_file(problems, file, "%s", text);
}

/* A draft need not be safe yet, but as it is the daemon would not have it. */
static int warn_of_owner(const struct stat *st, const char *file, struct rule_problems *problems)
{
    static const char SUFFIX[] = "; devolved would refuse the file as it is";
    char text[OWNER_TEXT_MAX + sizeof(SUFFIX)];
    if (is_safe(st, text))
        return 0;
    strcat(text, SUFFIX);
    return warn_of_file(problems, file, text);
}

/* udev skips what editors leave behind, and so do we: the names that begin with a dot. */
static bool is_rule_name(const char *name)
{
    static const char SUFFIX[] = ".rules";
    size_t length = strlen(name), suffix = sizeof(SUFFIX) - 1;
    return name[0] != '.' && length > suffix && streq(name + length - suffix, SUFFIX);
}

static int add_name(struct listing *listing, const struct rule_file *file, const char *name)
{
    struct rule_file *slot = array_add(&listing->files, &listing->file_count, sizeof(*slot));
    if (!slot)
        return -ENOMEM;
    *slot = *file;
    slot->name = strdup(name);
    return slot->name ? 0 : -ENOMEM;
}

/* `file` is what all of them have in common. */
static int list_names(struct listing *listing, DIR *directory, const struct rule_file *file)
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

static int keep_fd(struct listing *listing, int fd)
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
static int list_directory(struct listing *listing, const char *path, size_t index,
                          struct rule_problems *problems)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0)
        return refuse_file(problems, path, "cannot be opened: %s", strerror(errno));
    int r = keep_fd(listing, fd);
    if (r < 0)
        return r;

    struct stat st;
    if (fstat(fd, &st) < 0)
        return refuse_file(problems, path, "cannot be read: %s", strerror(errno));
    r = check_owner(&st, path, problems);
    if (r < 0)
        return r;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* fdopendir() takes its descriptor away */
    _cleanup_(close_directory) DIR *directory = copy < 0 ? NULL : fdopendir(copy);
    if (!directory) {
        int error = errno;
        fd_close(copy);
        return refuse_file(problems, path, "cannot be read: %s", strerror(error));
    }
    const struct rule_file file = {.directory = index, .directory_path = path, .directory_fd = fd};
    r = list_names(listing, directory, &file);
    if (r < 0 && r != -ENOMEM)
        return refuse_file(problems, path, "cannot be read: %s", strerror(-r));
    return r;
}

static int compare_files(const void *one, const void *other)
{
    const struct rule_file *a = one, *b = other;
    int r = strcmp(a->name, b->name);
    return r ? r : (a->directory > b->directory) - (a->directory < b->directory);
}

/* By name, and files of one name in the order of their directories. */
static void sort_listing(struct listing *listing)
{
    if (listing->file_count > 0)
        qsort(listing->files, listing->file_count, sizeof(listing->files[0]), compare_files);
}

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
        return refuse_file(problems, name, "cannot be read: %s", strerror((int)-length));
    return rule_parse(rules, name, text, (size_t)length, problems);
}

static bool is_null_device(const struct stat *st)
{
    return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
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
        return errno == ENOENT ? -ENOENT
                               : refuse_file(problems, name, "cannot be read: %s", strerror(errno));
    if (is_null_device(ret_st))
        return -ENODEV;
    if (!S_ISREG(ret_st->st_mode))
        return refuse_file(problems, name, "is not a regular file");
    _cleanup_close_ int fd =
        openat(directory_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return -ENOENT;
    if (fd < 0 || fstat(fd, ret_st) < 0)
        return refuse_file(problems, name, "cannot be opened: %s", strerror(errno));
    if (!S_ISREG(ret_st->st_mode))
        return refuse_file(problems, name, "is not a regular file");
    return TAKE_FD(fd);
}

/* A file that is gone is none: package managers and people delete while we read. */
static int warn_of_missing(const struct rule_file *file, struct rule_problems *problems)
{
    struct stat st;
    bool is_there = fstatat(file->directory_fd, file->name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    return warn_of_file(problems, file->name,
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
    int r = check_owner(&st, file->name, problems);
    return r < 0 ? r : parse_fd(fd, file->name, rules, problems);
}

/* Every file of the listing but those that are masked. -EBADMSG only after all were read. */
static int load_listing(const struct listing *listing, struct rule_set *rules,
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

/* All files, in any order. -EBADMSG only after all directories were read. */
static int list_directories(struct listing *listing, const char *const *directories, size_t count,
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

/* Puts the draft in the place of the file that it stands for, or takes that out of the listing. */
static int suppose(struct listing *listing, const char *const *directories, size_t count,
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

int rule_files_load(const char *const *directories, size_t count, struct rule_set **ret,
                    struct rule_problems *problems)
{
    return rule_files_try(directories, count, NULL, ret, problems);
}

int rule_files_try(const char *const *directories, size_t count, const struct rule_draft *draft,
                   struct rule_set **ret, struct rule_problems *problems)
{
    _cleanup_(listing_done) struct listing listing = {0};
    _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
    if (!rules)
        return -ENOMEM;
    *ret = NULL;
    int result = list_directories(&listing, directories, count, problems);
    if (result == -ENOMEM)
        return result;
    int r = draft ? suppose(&listing, directories, count, draft) : 0;
    sort_listing(&listing);
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
        return refuse_file(problems, path, "cannot be read: %s", strerror(ENOENT));
    if (fd < 0)
        return fd;
    int r = warn_of_owner(&st, name, problems);
    return r < 0 ? r : parse_fd(fd, name, rules, problems);
}

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
    _cleanup_(listing_done) struct listing listing = {0};
    _cleanup_(rule_problems_done) struct rule_problems problems = {0};
    const struct rule_file *first = NULL;
    int r = list_directories(&listing, directories, count, &problems);
    if (r == -EBADMSG)
        r = 0; /* a reload says so */
    sort_listing(&listing);
    for (size_t i = 0; r == 0 && i < listing.file_count; i++) {
        const struct rule_file *file = &listing.files[i];
        struct stat st;
        if (first && streq(first->name, file->name)) {
            r = add_mask(masks, file, first);
            continue;
        }
        first = file;
        if (fstatat(file->directory_fd, file->name, &st, 0) == 0 && is_null_device(&st))
            r = add_mask(masks, file, NULL);
    }
    return r;
}
