/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

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
        {"ffff888003a0b000: 00000002 00000000 00010000 0005 01 1234567 /run/udev/control\n", true},
        {"0000000000000000: 00000002 00000000 00010000 0001 01 12 /run/udev/control\n", false},
        {"0000000000000000: 00000002 00000000 00010000 0005 01 12 /run/x /run/udev/control\n",
         false},
        {"0000000000000000: 00000002 00000000 00010000 0005 01 12  /run/udev/control\n", false},
        {"0000000000000000: 00000002 00000000 00010000 0005 01 12 /run/udev/control", false},
        {"0 1: 00000002 00000000 00010000 0005 01 12 /run/udev/control\n", false},
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

struct scene {
    struct fixture *fixture;
    struct namespaces namespaces;
};

static void scene_open(struct scene *scene)
{
    const char *missing = fixture_missing();
    if (missing) {
        print_message("skipped: %s\n", missing);
        skip();
    }
    *scene = (struct scene){.namespaces = NAMESPACES_EMPTY};
    assert_int_equal(fixture_start(NULL, &scene->fixture), 0);
    assert_int_equal(namespaces_open(fixture_pid(scene->fixture), NULL, &scene->namespaces, NULL),
                     0);
    assert_int_equal(fixture_mkdir(scene->fixture, "/run/udev"), 0);
}

static void scene_close(struct scene *scene)
{
    fixture_stop(scene->fixture);
    namespaces_close(&scene->namespaces);
}

/* As on a kernel that has no sock_diag: in a child, as there is no way back. */
static int forbid_questions(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter)
        return -ENOMEM;
    int r =
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPROTONOSUPPORT), SCMP_SYS(socket), 2,
                         SCMP_A0(SCMP_CMP_EQ, AF_NETLINK), SCMP_A2(SCMP_CMP_EQ, NETLINK_SOCK_DIAG));
    if (r == 0)
        r = seccomp_load(filter);
    seccomp_release(filter);
    return r;
}

static int probe_unanswered(const struct namespaces *namespaces)
{
    int *answer = fixture_shared(sizeof(*answer)), status;
    assert_non_null(answer);
    pid_t pid = fork();
    if (pid == 0) {
        int r = forbid_questions();
        *answer = r < 0 ? r : udevd_probe(namespaces);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    return *answer;
}

/* Whoever is asked. */
static void expect_answer(const struct namespaces *namespaces, int answer)
{
    assert_int_equal(udevd_probe(namespaces), answer);
    assert_int_equal(probe_unanswered(namespaces), answer);
}

/* Sockets that a program inside opens, until the test ends it. */
struct opening {
    const char *name; /* of the file, or behind the NUL of an abstract name */
    unsigned count;   /* of abstract ones: each has a number behind its name; 0: one socket */
    int type;
    bool bound_only;   /* it does not listen */
    bool hears_kernel; /* and a socket for the kernel's uevents */
    uid_t uid;         /* not 0: in a mount namespace and a /run of its own */
    bool *open;        /* shared: all is there */
};

static int hear_the_kernel(void)
{
    const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
    return fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
}

static int become_somebody(uid_t uid)
{
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/run", "tmpfs", 0, NULL) < 0 ||
        mkdir("/run/udev", 0755) < 0 || chown("/run/udev", uid, uid) < 0 ||
        setresuid(uid, uid, uid) < 0)
        return -errno;
    /* The change of ids has cleared it. */
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ? -errno : 0;
}

static int open_socket(const struct opening *opening, unsigned number)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t at = opening->name[0] != '/', length;
    snprintf(address.sun_path + at, sizeof(address.sun_path) - at, "%s", opening->name);
    length = at + strlen(opening->name);
    if (opening->count)
        length += (size_t)snprintf(address.sun_path + length, sizeof(address.sun_path) - length,
                                   "%u.%d", number, (int)getpid());
    int fd = socket(AF_UNIX, opening->type | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + !at);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, size) < 0 ||
        (!opening->bound_only && opening->type != SOCK_DGRAM && listen(fd, 1) < 0))
        return -errno;
    return 0;
}

static int open_sockets(void *argument)
{
    const struct opening *opening = argument;
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) < 0)
        return -errno;
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) < 0)
        return -errno;
    int r = opening->uid ? become_somebody(opening->uid) : 0;
    if (r == 0 && opening->hears_kernel)
        r = hear_the_kernel();
    for (unsigned i = 0; r == 0 && i < (opening->count ? opening->count : 1); i++)
        r = open_socket(opening, i);
    if (r < 0)
        return r;
    *opening->open = true;
    for (;;)
        (void)poll(NULL, 0, -1);
}

struct program {
    pid_t pid;
    int result_fd;
};

/* Returns when all is open. */
static struct program run(const struct scene *scene, const struct opening *what)
{
    struct opening opening = *what;
    struct program program;
    opening.open = fixture_shared(sizeof(bool));
    assert_non_null(opening.open);
    program.pid = fixture_launch(scene->fixture, open_sockets, &opening, &program.result_fd);
    assert_true(program.pid > 0);
    uint64_t deadline = now_us() + DEADLINE_US;
    while (!*(volatile bool *)opening.open) {
        struct pollfd look = {.fd = program.result_fd, .events = POLLIN};
        assert_int_equal(poll(&look, 1, 1), 0); /* it failed */
        assert_true(now_us() < deadline);
    }
    return program;
}

static void end(struct program program)
{
    fixture_kill(program.pid, program.result_fd);
}

static void wait_for_answer(const struct namespaces *namespaces, int answer)
{
    uint64_t deadline = now_us() + DEADLINE_US;
    while (udevd_probe(namespaces) != answer) {
        assert_true(now_us() < deadline);
        sched_yield();
    }
    assert_int_equal(probe_unanswered(namespaces), answer);
}

static void who_listens_to_both_counts_and_who_is_coming_up_does_not(void **state)
{
    static const struct opening stages[] = {
        {.name = "/run/udev/control", .type = SOCK_SEQPACKET, .bound_only = true},
        {.name = "/run/udev/control", .type = SOCK_SEQPACKET},
        {.name = "/run/udev/control",
         .type = SOCK_SEQPACKET,
         .bound_only = true,
         .hears_kernel = true},
    };
    struct scene scene;
    (void)state;
    scene_open(&scene);
    expect_answer(&scene.namespaces, 0);
    for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
        struct program program = run(&scene, &stages[i]);
        expect_answer(&scene.namespaces, 0);
        end(program);
        assert_int_equal(fixture_unlink(scene.fixture, "/run/udev/control"), 0);
    }
    const struct opening udevd = {
        .name = "/run/udev/control", .type = SOCK_SEQPACKET, .hears_kernel = true};
    struct program program = run(&scene, &udevd);
    expect_answer(&scene.namespaces, 1);
    end(program);
    wait_for_answer(&scene.namespaces, 0);

    fixture_stop(TAKE_PTR(scene.fixture));
    assert_int_equal(udevd_probe(&scene.namespaces), -ESRCH);
    assert_int_equal(probe_unanswered(&scene.namespaces), -ESRCH);
    scene_close(&scene);
}

#define FORGED_LINE "0000000000000000: 00000002 00000000 00010000 0005 01 12345 /run/udev/control"

static bool is_listed(const struct namespaces *namespaces)
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

static void what_only_looks_like_a_udevd_is_none(void **state)
{
    static const struct {
        struct opening opening;
        bool listed; /* /proc/PID/net/unix has such a line: the look at the path decides */
    } cases[] = {
        {{.name = "x\n" FORGED_LINE, .type = SOCK_DGRAM, .uid = 1000, .hears_kernel = true}, true},
        {{.name = "x\n" FORGED_LINE, .type = SOCK_SEQPACKET, .hears_kernel = true}, true},
        {{.name = "/run/udev/control", .type = SOCK_SEQPACKET, .uid = 1000, .hears_kernel = true},
         true},
        {{.name = "/run/udev/control", .type = SOCK_STREAM, .hears_kernel = true}, false},
        {{.name = "/run/udev/control2", .type = SOCK_SEQPACKET, .hears_kernel = true}, false},
        {{.name = "/run/udev/contro", .type = SOCK_SEQPACKET, .hears_kernel = true}, false},
        {{.name = "run/udev/control", .type = SOCK_SEQPACKET, .hears_kernel = true}, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct scene scene;
        scene_open(&scene);
        struct program program = run(&scene, &cases[i].opening);
        assert_int_equal(is_listed(&scene.namespaces), cases[i].listed);
        expect_answer(&scene.namespaces, 0);
        end(program);
        scene_close(&scene);
    }
}

/* The marker that a container has from us is no socket. */
static void a_forged_line_does_not_make_a_socket_of_the_marker(void **state)
{
    const struct opening opening = {
        .name = "x\n" FORGED_LINE, .type = SOCK_SEQPACKET, .uid = 1000, .hears_kernel = true};
    struct scene scene;
    (void)state;
    scene_open(&scene);
    assert_int_equal(fixture_write(scene.fixture, "/run/udev/control", ""), 0);
    struct program program = run(&scene, &opening);
    expect_answer(&scene.namespaces, 0);
    end(program);
    scene_close(&scene);
}

#define CROWDS 5
#define CROWD 3600 /* sockets each: more together than are looked at */

static void gather(const struct scene *scene, int type, struct program crowds[static CROWDS])
{
    const struct opening crowd = {.name = "crowd", .count = CROWD, .type = type};
    for (size_t i = 0; i < CROWDS; i++)
        crowds[i] = run(scene, &crowd);
}

static void a_crowd_of_other_sockets_hides_no_udevd(void **state)
{
    const struct opening udevd = {
        .name = "/run/udev/control", .type = SOCK_SEQPACKET, .hears_kernel = true};
    struct program crowds[CROWDS];
    struct scene scene;
    (void)state;
    scene_open(&scene);
    gather(&scene, SOCK_DGRAM, crowds);
    assert_int_equal(udevd_probe(&scene.namespaces), 0);
    struct program program = run(&scene, &udevd);
    assert_int_equal(udevd_probe(&scene.namespaces), 1);
    end(program);
    for (size_t i = 0; i < CROWDS; i++)
        end(crowds[i]);
    scene_close(&scene);
}

static void a_crowd_that_listens_is_not_read_through(void **state)
{
    struct program crowds[CROWDS];
    struct scene scene;
    (void)state;
    scene_open(&scene);
    gather(&scene, SOCK_SEQPACKET, crowds);
    assert_int_equal(udevd_probe(&scene.namespaces), -E2BIG);
    for (size_t i = 0; i < CROWDS; i++)
        end(crowds[i]);
    wait_for_answer(&scene.namespaces, 0);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_other_sockets_are_passed_over),
        cmocka_unit_test(only_the_kernels_uevents_count),
        cmocka_unit_test(who_listens_to_both_counts_and_who_is_coming_up_does_not),
        cmocka_unit_test(what_only_looks_like_a_udevd_is_none),
        cmocka_unit_test(a_forged_line_does_not_make_a_socket_of_the_marker),
        cmocka_unit_test(a_crowd_of_other_sockets_hides_no_udevd),
        cmocka_unit_test(a_crowd_that_listens_is_not_read_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
