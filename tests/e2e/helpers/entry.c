// SPDX-License-Identifier: LGPL-2.1-or-later
//
// entry open PATH: opens a device once and says how it went: "PATH ok", or "PATH ENOENT"; the
// status is 0 where it opened. entry wait PATH...: a container's first program, whose first acts
// are these opens; then it waits for its end.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int open_once(const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    printf("%s %s\n", path, fd < 0 ? strerrorname_np(errno) : "ok");
    fflush(stdout);
    if (fd < 0)
        return 1;
    close(fd);
    return 0;
}

int main(int argc, char **argv)
{
    int status = 0;
    if (argc < 2 || (strcmp(argv[1], "open") != 0 && strcmp(argv[1], "wait") != 0))
        return 2;
    for (int i = 2; i < argc; i++)
        status |= open_once(argv[i]);
    if (strcmp(argv[1], "open") == 0)
        return status;
    // Signals that the first process of a pid namespace does not handle are not delivered.
    sigset_t end;
    int received;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigaddset(&end, SIGINT);
    sigprocmask(SIG_BLOCK, &end, NULL);
    puts("waiting");
    fflush(stdout);
    sigwait(&end, &received);
    return 0;
}
