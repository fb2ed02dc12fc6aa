/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "fixture.h"
#include "kernel/udevd_probe.h"

#define DEADLINE_US 10000000u

static void lines_of_other_sockets_are_passed_over(void **state)
{
    static const struct {
        const char *line;
        bool udevd;
    } cases[] = {
        {"0000000000000000: 00000002 00000000 00010000 0005 01 12 /run/udev/control\n", true},
        {"0000000000000000: 00000003 00000000 00000000 0005 03 12 /run/udev/control\n", false},
        {"0000000000000000: 00000002 00000000 00010000 0005 01 12 /run/udev/control2\n", false},
        {"0000000000000000: 00000002 00000000 00010000 0005 01 12 @/run/udev/control\n", false},
        {"0000000000000000: 00000002 00000000 00010000 0001 01 12 /run/x /run/udev/control\n",
         false},
        {"0000000000000000: 00000002 00000000 00010000 0005 01 12\n", false},
        {"Num       RefCount Protocol Flags    Type St Inode Path\n", false},
        {"/run/udev/control\n", false},
        {"", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(udevd_probe_control_line(cases[i].line), cases[i].udevd);
}

static void only_the_kernels_uevents_count(void **state)
{
    static const struct {
        const char *line;
        bool listens;
    } cases[] = {
        {"000000004e75737a 15  27322      00000001 0        0        0     2        0        58\n",
         true},
        {"0000000000000000 15  4294963201 00000003 0        0        0     2        0        58\n",
         true},
        {"000000004e75737a 15  27322      00000002 0        0        0     2        0        58\n",
         false},
        {"000000001e8fa0c6 15  0          00000000 0        0        0     2        0        8\n",
         false},
        {"000000004e75737a 0   27322      00000001 0        0        0     2        0        58\n",
         false},
        {"sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    "
         "Inode\n",
         false},
        {"", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(udevd_probe_uevent_line(cases[i].line), cases[i].listens);
}

/* What a udevd has, as it comes up. */
enum stage { BOUND, LISTENS, HEARS_THE_KERNEL };

static int hear_the_kernel(void)
{
    const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
    return fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
}

/* Inside, until the test ends it. `argument`: how far it comes. */
static int bind_control(void *argument)
{
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/udev/control"};
    const enum stage *stage = argument;
    if (*stage == HEARS_THE_KERNEL && hear_the_kernel() < 0)
        return -errno;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        (*stage > BOUND && listen(fd, 1) < 0))
        return -errno;
    for (;;)
        (void)poll(NULL, 0, -1);
}

static void wait_for(const struct fixture *fixture, const char *path)
{
    struct stat st;
    uint64_t deadline = now_us() + DEADLINE_US;
    while (fixture_stat(fixture, path, &st) < 0) {
        assert_true(now_us() < deadline);
        sched_yield();
    }
}

static void wait_for_answer(const struct namespaces *namespaces, int answer)
{
    uint64_t deadline = now_us() + DEADLINE_US;
    while (udevd_probe(namespaces) != answer) {
        assert_true(now_us() < deadline);
        sched_yield();
    }
}

static bool listens_on_control(const struct namespaces *namespaces)
{
    char path[64], line[256];
    bool found = false;
    snprintf(path, sizeof(path), "/proc/%d/net/unix", (int)namespaces->pid);
    FILE *sockets = fopen(path, "re");
    assert_non_null(sockets);
    while (!found && fgets(line, sizeof(line), sockets))
        found = udevd_probe_control_line(line);
    fclose(sockets);
    return found;
}

static void who_listens_to_both_counts_and_who_is_coming_up_does_not(void **state)
{
    struct fixture *fixture = NULL;
    struct namespaces namespaces = NAMESPACES_EMPTY;
    const char *missing = fixture_missing();
    int result_fd;
    (void)state;
    if (missing) {
        print_message("skipped: %s\n", missing);
        skip();
    }
    assert_int_equal(fixture_start(NULL, &fixture), 0);
    assert_int_equal(namespaces_open(fixture_pid(fixture), NULL, &namespaces, NULL), 0);
    assert_int_equal(fixture_mkdir(fixture, "/run/udev"), 0);
    assert_int_equal(udevd_probe(&namespaces), 0);

    enum stage stage = BOUND;
    pid_t pid = fixture_launch(fixture, bind_control, &stage, &result_fd);
    wait_for(fixture, "/run/udev/control");
    assert_int_equal(udevd_probe(&namespaces), 0);
    fixture_kill(pid, result_fd);
    assert_int_equal(fixture_unlink(fixture, "/run/udev/control"), 0);

    stage = LISTENS;
    pid = fixture_launch(fixture, bind_control, &stage, &result_fd);
    uint64_t deadline = now_us() + DEADLINE_US;
    while (!listens_on_control(&namespaces)) {
        assert_true(now_us() < deadline);
        sched_yield();
    }
    assert_int_equal(udevd_probe(&namespaces), 0);
    fixture_kill(pid, result_fd);
    assert_int_equal(fixture_unlink(fixture, "/run/udev/control"), 0);

    stage = HEARS_THE_KERNEL;
    pid = fixture_launch(fixture, bind_control, &stage, &result_fd);
    wait_for_answer(&namespaces, 1);
    fixture_kill(pid, result_fd);
    wait_for_answer(&namespaces, 0);

    fixture_stop(fixture);
    assert_true(udevd_probe(&namespaces) < 0);
    namespaces_close(&namespaces);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_other_sockets_are_passed_over),
        cmocka_unit_test(only_the_kernels_uevents_count),
        cmocka_unit_test(who_listens_to_both_counts_and_who_is_coming_up_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
