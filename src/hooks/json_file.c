/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hooks/json_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

int json_file_load(int dir_fd, const char *path, size_t max, json_t **ret, struct refusal *why)
{
    struct stat st;
    json_error_t error;
    _cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return refuse(why, errno, "cannot read %s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return refuse(why, EBADMSG, "%s is no file", path);
    if ((uint64_t)st.st_size > max)
        return refuse(why, EFBIG, "%s has more than %zu bytes", path, max);
    json_t *json = json_loadfd(fd, JSON_DECODE_INT_AS_REAL, &error);
    if (!json)
        return refuse(why, EBADMSG, "%s, line %d: %s", path, error.line, error.text);
    *ret = json;
    return 0;
}
