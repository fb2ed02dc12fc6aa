/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/rule_drop_in.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "model/attach_rule.h"

static void close_directory(DIR **directory)
{
    if (*directory)
        closedir(*directory);
}

/* The directory and the one above it: a package that brings neither is no reason to refuse. */
static int make_directory(const char *path)
{
    if (mkdir(path, 0755) == 0 || errno == EEXIST)
        return 0;
    const char *slash = strrchr(path, '/');
    if (errno != ENOENT || !slash || slash == path)
        return -errno;
    _cleanup_free_ char *above = strndup(path, (size_t)(slash - path));
    if (!above)
        return -ENOMEM;
    if ((mkdir(above, 0755) < 0 && errno != EEXIST) || mkdir(path, 0755) < 0)
        return -errno;
    return 0;
}

static int write_all(int fd, const char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        ssize_t written = write(fd, text, left);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        text += written;
        left -= (size_t)written;
    }
    return 0;
}

/* A name that no reader of rules looks at. What a predecessor left under it is nobody's. */
static int write_aside(int directory_fd, const char *aside, const char *text)
{
    (void)unlinkat(directory_fd, aside, 0);
    _cleanup_close_ int fd =
        openat(directory_fd, aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return -errno;
    int r = write_all(fd, text);
    if (r == 0 && (fchmod(fd, 0644) < 0 || fsync(fd) < 0))
        r = -errno;
    return r;
}

static int write_in(int directory_fd, const char *name, const char *text)
{
    char aside[NAME_MAX + 1];
    if (snprintf(aside, sizeof(aside), ".%s.new", name) >= (int)sizeof(aside))
        return -ENAMETOOLONG;
    int r = write_aside(directory_fd, aside, text);
    if (r == 0 && renameat(directory_fd, aside, directory_fd, name) < 0)
        r = -errno;
    if (r < 0) {
        (void)unlinkat(directory_fd, aside, 0);
        return r;
    }
    (void)fsync(directory_fd); /* the file is there; whether for ever is up to the disk now */
    return 0;
}

int rule_drop_in_write(const char *directory, const char *name, const char *text,
                       struct refusal *why)
{
    int r = make_directory(directory);
    _cleanup_close_ int fd = r < 0 ? -1 : open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r == 0)
        r = fd < 0 ? -errno : write_in(fd, name, text);
    if (r < 0)
        return refuse(why, -r, "cannot write %s/%s: %s", directory, name, strerror(-r));
    return 0;
}

int rule_drop_in_remove(const char *directory, const char *name, struct refusal *why)
{
    _cleanup_close_ int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || unlinkat(fd, name, 0) < 0)
        return refuse(why, errno, "cannot remove %s/%s: %s", directory, name, strerror(errno));
    (void)fsync(fd);
    return 0;
}

int rule_drop_in_list(const char *directory, const char *container, struct name_list *names)
{
    _cleanup_(close_directory) DIR *listing = opendir(directory);
    struct dirent *entry;
    while (listing && (entry = readdir(listing)))
        if (attach_rule_is_name(entry->d_name, container) &&
            name_list_add(names, entry->d_name) < 0)
            return -ENOMEM;
    return 0;
}
