// SPDX-License-Identifier: LGPL-2.1-or-later
//
// exchange A B [A B]...: exchanges each A with its B, again and again, all pairs at once; says
// "exchanging". At SIGTERM it stops when each A is in its place again, and says how often.

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t ended;

static void on_end(int number)
{
    (void)number;
    ended = 1;
}

static int exchange(const char *a, const char *b)
{
    unsigned long rounds = 0;
    for (; !ended || rounds % 2; rounds++)
        if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) < 0) {
            perror(a);
            return 1;
        }
    printf("%s %lu\n", a, rounds);
    return fflush(stdout) ? 1 : 0;
}

int main(int argc, char **argv)
{
    int status, failed = 0;
    if (argc < 3 || argc % 2 == 0)
        return 2;
    const struct sigaction action = {.sa_handler = on_end};
    sigaction(SIGTERM, &action, NULL);
    (void)setpgid(0, 0); /* it signals its group, which is to be nobody else's */
    puts("exchanging");
    fflush(stdout);
    for (int i = 1; i < argc; i += 2)
        if (fork() == 0)
            return exchange(argv[i], argv[i + 1]);
    while (!ended)
        pause();
    signal(SIGTERM, SIG_IGN);
    kill(0, SIGTERM);
    while (wait(&status) > 0)
        failed |= status;
    return failed != 0;
}
