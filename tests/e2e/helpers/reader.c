// SPDX-License-Identifier: LGPL-2.1-or-later
//
// reader PATH...: uses devices all the time, and says what disturbs it: "PATH ENOENT" where one
// does not open, "PATH changed" where it is another inode or another mount than at first. A line
// "reading" when all were opened once, and at the end (SIGTERM) "rounds N".

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATHS_MAX 64

struct seen {
    unsigned long long inode, mount;
};

static volatile sig_atomic_t ended;

static void on_end(int number)
{
    (void)number;
    ended = 1;
}

static int look(const char *path, struct seen *ret)
{
    struct statx stx;
    char byte;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || read(fd, &byte, 1) < 0 ||
        statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &stx) < 0) {
        printf("%s %s\n", path, strerrorname_np(errno));
        fflush(stdout);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    close(fd);
    *ret = (struct seen){.inode = stx.stx_ino, .mount = stx.stx_mnt_id};
    return 0;
}

static void compare(const char *path, const struct seen *first, const struct seen *now)
{
    if (first->inode == now->inode && first->mount == now->mount)
        return;
    printf("%s changed\n", path);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static struct seen first[PATHS_MAX];
    struct seen now;
    const struct timespec pause = {.tv_nsec = 200000};
    unsigned long long rounds = 0;
    if (argc < 2 || argc > PATHS_MAX)
        return 2;
    signal(SIGTERM, on_end);
    for (int i = 1; i < argc; i++)
        if (look(argv[i], &first[i]) < 0)
            return 1;
    puts("reading");
    fflush(stdout);
    for (; !ended; rounds++) {
        for (int i = 1; i < argc; i++)
            if (look(argv[i], &now) == 0)
                compare(argv[i], &first[i], &now);
        nanosleep(&pause, NULL);
    }
    printf("rounds %llu\n", rounds);
    return 0;
}
