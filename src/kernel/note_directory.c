/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/note_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"

static int check_owner(int fd, mode_t forbidden, const char *path, struct refusal *why)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return refuse(why, errno, "cannot look at %s: %s", path, strerror(errno));
    if (st.st_uid != geteuid() || (st.st_mode & forbidden))
        return refuse(why, EPERM, "%s must belong to us, and be closed to others", path);
    return 0;
}

int note_directory_open(const char *runtime_directory, const char *name, struct refusal *why)
{
    if (mkdir(runtime_directory, 0755) < 0 && errno != EEXIST)
        return refuse(why, errno, "cannot make %s: %s", runtime_directory, strerror(errno));
    _cleanup_close_ int above_fd = open(runtime_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (above_fd < 0)
        return refuse(why, errno, "cannot open %s: %s", runtime_directory, strerror(errno));
    int r = check_owner(above_fd, S_IWGRP | S_IWOTH, runtime_directory, why);
    if (r < 0)
        return r;
    r = note_directory_enter(above_fd, name, true, why);
    return r < 0 ? refusal_prefix(why, "%s", runtime_directory) : r;
}

int note_directory_enter(int directory_fd, const char *name, bool make, struct refusal *why)
{
    if (make && mkdirat(directory_fd, name, 0700) < 0 && errno != EEXIST)
        return refuse(why, errno, "cannot make %s: %s", name, strerror(errno));
    _cleanup_close_ int fd =
        openat(directory_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return refuse(why, errno, "cannot open %s: %s", name, strerror(errno));
    int r = check_owner(fd, S_IWGRP | S_IWOTH, name, why);
    if (r == 0 && fchmod(fd, 0700) < 0) /* a careless chmod has opened it */
        r = refuse(why, errno, "cannot close %s to others: %s", name, strerror(errno));
    return r < 0 ? r : TAKE_FD(fd);
}

/* A hidden name is a note that is being written. */
static bool is_id(const char *id)
{
    return *id && *id != '.' && strlen(id) < NAME_MAX && !strchr(id, '/');
}

int note_directory_put(int directory_fd, const char *id, const char *text, struct refusal *why)
{
    char hidden[NAME_MAX + 1];
    if (!is_id(id))
        return refuse(why, EINVAL, "no file can have the name '%s'", id);
    (void)snprintf(hidden, sizeof(hidden), ".%s", id);
    _cleanup_close_ int fd =
        openat(directory_fd, hidden, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    int r = fd < 0 ? -errno : file_write(fd, text);
    if (r == 0 && renameat(directory_fd, hidden, directory_fd, id) < 0)
        r = -errno;
    if (r == 0)
        return 0;
    (void)unlinkat(directory_fd, hidden, 0);
    return refuse(why, -r, "cannot write a note: %s", strerror(-r));
}

int note_directory_read(int directory_fd, const char *id, size_t max, char **ret, size_t *ret_size,
                        struct refusal *why)
{
    struct stat st;
    _cleanup_close_ int fd =
        openat(directory_fd, id, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return refuse(why, errno, "%s", strerror(errno));
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid())
        return refuse(why, EBADMSG, "it is no file, or not ours");
    _cleanup_free_ char *text = malloc(max + 1);
    if (!text)
        return refuse(why, ENOMEM, "no memory");
    ssize_t size = file_read(fd, text, max + 1);
    if (size == -EFBIG)
        return refuse(why, EBADMSG, "it has more than %zu bytes", max);
    if (size < 0)
        return refuse(why, (int)-size, "%s", strerror((int)-size));
    *ret = TAKE_PTR(text);
    *ret_size = (size_t)size;
    return 0;
}

int note_directory_remove(int directory_fd, const char *id)
{
    if (!is_id(id) || unlinkat(directory_fd, id, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno == EISDIR && unlinkat(directory_fd, id, AT_REMOVEDIR) == 0)
        return 0;
    return -errno;
}

/* A stream of its own: it begins anew each time. NULL: errno. */
static DIR *open_stream(int directory_fd)
{
    int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream)
        (void)fd_close(fd);
    return stream;
}

int note_directory_each(int directory_fd, int (*on_id)(void *userdata, const char *id),
                        void *userdata)
{
    DIR *stream = open_stream(directory_fd);
    int r = stream ? 0 : -errno;
    if (!stream)
        return r;
    for (struct dirent *entry; r >= 0 && (entry = readdir(stream));)
        if (is_id(entry->d_name))
            r = on_id(userdata, entry->d_name);
    closedir(stream);
    return r < 0 ? r : 0;
}

int note_directory_clear(int directory_fd, const char *name)
{
    _cleanup_close_ int fd =
        openat(directory_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : open_stream(fd);
    if (!stream)
        return errno == ENOENT ? 0 : -errno;
    for (struct dirent *entry; (entry = readdir(stream));) /* the unfinished ones too */
        if (!streq(entry->d_name, ".") && !streq(entry->d_name, ".."))
            (void)unlinkat(fd, entry->d_name, 0);
    closedir(stream);
    return note_directory_remove(directory_fd, name);
}
