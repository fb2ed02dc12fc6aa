/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>

ssize_t file_read(int fd, char *text, size_t size)
{
    size_t used = 0;
    for (;;) {
        ssize_t got = read(fd, text + used, size - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        used += (size_t)got;
        if (used == size)
            return -EFBIG;
    }
    text[used] = '\0';
    return (ssize_t)used;
}

int file_write(int fd, const char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        ssize_t n = write(fd, text, left);
        if (n < 0 && errno != EINTR)
            return -errno;
        text += n < 0 ? 0 : n;
        left -= n < 0 ? 0 : (size_t)n;
    }
    return 0;
}

void file_fill_standard(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    (void)fd_close(fd);
}

ssize_t file_read_at(int dir_fd, const char *path, char *text, size_t size)
{
    /* a terminal or a fifo at the path must neither become ours nor keep us waiting */
    _cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    return fd < 0 ? -errno : file_read(fd, text, size);
}
