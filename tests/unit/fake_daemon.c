/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake_daemon.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "model/varlink_message.h"

#define DEADLINE_SECONDS 30

/* Reads one message up to its NUL; 0 when the client hung up before. */
static size_t read_call(int fd, char *message, size_t size)
{
    for (size_t used = 0; used < size; used++) {
        if (recv(fd, message + used, 1, 0) != 1)
            return 0;
        if (message[used] == '\0')
            return used + 1;
    }
    return 0;
}

static bool is_expected(int fd, const char *expected)
{
    char message[4096];
    if (!expected)
        return true;
    if (read_call(fd, message, sizeof(message)) == 0)
        return false;
    _cleanup_json_ json_t *got = json_loads(message, 0, NULL),
                          *want = json_loads(expected, 0, NULL);
    if (got && want && json_equal(got, want))
        return true;
    fprintf(stderr, "expected the call %s\n      but it was %s\n", expected, message);
    return false;
}

/* A client that hangs up before the end has read enough: that is no failure of ours. */
static void give(int fd, const struct answer *answer)
{
    size_t size = answer->size ? answer->size : strlen(answer->bytes) + 1;
    size_t step = answer->one_by_one ? 1 : size;
    for (size_t sent = 0; sent < size;) {
        ssize_t n =
            send(fd, answer->bytes + sent, step < size - sent ? step : size - sent, MSG_NOSIGNAL);
        if (n < 0)
            return;
        sent += (size_t)n;
    }
}

static int serve(int listen_fd, const struct exchange *exchanges, size_t count)
{
    int fd = accept(listen_fd, NULL, NULL);
    if (fd < 0)
        return 1;
    for (size_t i = 0; i < count; i++) {
        if (!is_expected(fd, exchanges[i].call))
            return 1;
        for (size_t j = 0; j < ARRAY_SIZE(exchanges[i].answers); j++) {
            if (!exchanges[i].answers[j].bytes)
                break;
            give(fd, &exchanges[i].answers[j]);
        }
        if (exchanges[i].signal)
            kill(getppid(), exchanges[i].signal);
    }
    /* with a signal on its way the client is to end by that, and not because we went away */
    char byte;
    if (count > 0 && exchanges[count - 1].signal)
        (void)recv(fd, &byte, 1, 0);
    fd_close(fd);
    return 0;
}

void fake_daemon_start(struct fake_daemon *daemon, const struct exchange *exchanges, size_t count)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(daemon->directory, sizeof(daemon->directory), "/tmp/devolve-test-XXXXXX");
    assert_non_null(mkdtemp(daemon->directory));
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/io.devolve", daemon->directory);
    setenv("DEVOLVE_RUNTIME_DIR", daemon->directory, 1);

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);
    fflush(NULL);
    daemon->pid = fork();
    assert_true(daemon->pid >= 0);
    if (daemon->pid == 0) {
        alarm(DEADLINE_SECONDS);
        _exit(serve(fd, exchanges, count));
    }
    fd_close(fd);
}

void fake_daemon_stop(struct fake_daemon *daemon)
{
    char path[128];
    int status;
    assert_int_equal(waitpid(daemon->pid, &status, 0), daemon->pid);
    snprintf(path, sizeof(path), "%s/io.devolve", daemon->directory);
    unlink(path);
    rmdir(daemon->directory);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}
