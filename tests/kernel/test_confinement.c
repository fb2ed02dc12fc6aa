/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/file.h"
#include "kernel/confinement.h"

static void need_root(void)
{
    if (geteuid() != 0) {
        print_message("skipped: needs root\n");
        skip();
    }
}

/* What `fn` answers in a process that is confined; or minus the signal that ended it. */
static int confined(int (*fn)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        struct refusal why = {.error = 0};
        _exit(confinement_enter(&why) < 0 ? 99 : fn());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int try_exec(void)
{
    execl("/bin/true", "true", NULL);
    return 1;
}

static int try_forked_exec(void)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(try_exec());
    return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static unsigned long long status_field(const char *name)
{
    char text[8192];
    if (file_read_at(AT_FDCWD, "/proc/self/status", text, sizeof(text)) < 0)
        return ~0ull;
    const char *at = strstr(text, name);
    return at ? strtoull(at + strlen(name), NULL, 16) : ~0ull;
}

/* All that may be left, and what none may do without. */
static int look_at_capabilities(void)
{
    const unsigned long long most =
        1ull << CAP_CHOWN | 1ull << CAP_DAC_OVERRIDE | 1ull << CAP_FOWNER | 1ull << CAP_MKNOD |
        1ull << CAP_NET_ADMIN | 1ull << CAP_SETGID | 1ull << CAP_SETUID | 1ull << CAP_SYS_ADMIN |
        1ull << CAP_SYS_CHROOT | 1ull << CAP_SYS_PTRACE;
    if (status_field("CapPrm:") & ~most || status_field("CapEff:") & ~most)
        return 1;
    if (status_field("CapInh:") || status_field("CapAmb:"))
        return 2;
    if (status_field("CapBnd:") & ~most)
        return 3;
    if (!(status_field("CapEff:") & 1ull << CAP_SYS_ADMIN))
        return 4;
    return status_field("NoNewPrivs:") == 1 &&
                   prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == SECCOMP_MODE_FILTER
               ? 0
               : 5;
}

static void it_has_the_capabilities_of_the_list_and_no_others(void **state)
{
    (void)state;
    need_root();
    assert_int_equal(confined(look_at_capabilities), 0);
}

static void a_program_that_it_runs_is_its_end(void **state)
{
    (void)state;
    need_root();
    assert_int_equal(confined(try_exec), -SIGSYS);
    assert_int_equal(confined(try_forked_exec), SIGSYS);
}

static int work(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    return fd < 0 || fchown(fd, 0, 0) < 0 || unshare(CLONE_NEWNS) < 0;
}

static void its_work_goes_on(void **state)
{
    (void)state;
    need_root();
    assert_int_equal(confined(work), 0);
}

static void it_can_be_entered_again(void **state)
{
    (void)state;
    need_root();
    struct refusal why = {.error = 0};
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(confinement_enter(&why) < 0 || confinement_enter(&why) < 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_has_the_capabilities_of_the_list_and_no_others),
        cmocka_unit_test(a_program_that_it_runs_is_its_end),
        cmocka_unit_test(its_work_goes_on),
        cmocka_unit_test(it_can_be_entered_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
