/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "fixture.h"
#include "kernel/namespace.h"

struct state {
    struct fixture *mapped, *host_user, *host_net;
};

static int start(void **state)
{
    struct state *s = calloc(1, sizeof(*s));
    *state = s;
    if (!s || fixture_missing())
        return 0;
    int r = fixture_start(NULL, &s->mapped);
    if (r == 0)
        r = fixture_start(&(struct fixture_options){.host_user = true}, &s->host_user);
    if (r == 0)
        r = fixture_start(&(struct fixture_options){.host_net = true}, &s->host_net);
    return r;
}

static int stop(void **state)
{
    struct state *s = *state;
    fixture_stop(s->mapped);
    fixture_stop(s->host_user);
    fixture_stop(s->host_net);
    free(s);
    return 0;
}

static void need_machine(void)
{
    const char *missing = fixture_missing();
    if (missing) {
        print_message("skipped: %s\n", missing);
        skip();
    }
}

static size_t count_fds(void)
{
    size_t count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void a_container_with_ids_of_its_own_is_isolated(void **state)
{
    need_machine();
    struct state *s = *state;
    struct namespaces ns = NAMESPACES_EMPTY;
    struct refusal why = {0};
    uint32_t id = 0;
    assert_int_equal(namespaces_open(fixture_pid(s->mapped), NULL, &ns, &why), 0);
    assert_int_equal(ns.net_kind, NETNS_ISOLATED);
    assert_true(ns.user_fd >= 0);
    assert_int_equal(idmap_to_host(&ns.uids, 0, &id), 1);
    assert_int_equal(id, FIXTURE_ID_BASE);
    assert_int_equal(idmap_to_host(&ns.gids, 20, &id), 1);
    assert_int_equal(id, FIXTURE_ID_BASE + 20);
    assert_int_equal(idmap_to_host(&ns.uids, FIXTURE_ID_COUNT, &id), 0);
    struct stat net, root, passwd;
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/ns/net", fixture_pid(s->mapped));
    assert_int_equal(stat(path, &net), 0);
    assert_int_equal(net.st_ino, ns.net_inode);
    assert_int_equal(fstat(ns.root_fd, &root), 0);
    assert_int_equal(root.st_uid, FIXTURE_ID_BASE);
    assert_int_equal(fstatat(ns.root_fd, "etc/passwd", &passwd, 0), 0);
    assert_int_equal(namespaces_alive(&ns), 1);
    namespaces_close(&ns);
    assert_int_equal(ns.pid_fd, -1);
}

static void a_container_of_the_real_root_is_native(void **state)
{
    need_machine();
    struct state *s = *state;
    struct namespaces ns = NAMESPACES_EMPTY;
    uint32_t id = 0;
    assert_int_equal(namespaces_open(fixture_pid(s->host_user), NULL, &ns, NULL), 0);
    assert_int_equal(ns.net_kind, NETNS_NATIVE);
    assert_int_equal(ns.user_fd, -1);
    assert_int_equal(idmap_to_host(&ns.uids, 1000, &id), 1);
    assert_int_equal(id, 1000);
    namespaces_close(&ns);
}

static void a_container_in_the_hosts_network_is_said_to_be_there(void **state)
{
    need_machine();
    struct state *s = *state;
    struct namespaces ns = NAMESPACES_EMPTY;
    assert_int_equal(namespaces_open(fixture_pid(s->host_net), NULL, &ns, NULL), 0);
    assert_int_equal(ns.net_kind, NETNS_HOST);
    assert_true(ns.user_fd >= 0);
    namespaces_close(&ns);
}

static void a_root_below_is_found_inside_and_links_do_not_leave_it(void **state)
{
    need_machine();
    struct state *s = *state;
    struct namespaces ns = NAMESPACES_EMPTY;
    struct refusal why = {0};
    struct stat below, seen;
    assert_int_equal(fixture_mkdir(s->mapped, "/tmp/rootfs"), 0);
    assert_int_equal(fixture_symlink(s->mapped, "/tmp/rootfs", "/tmp/link"), 0);
    assert_int_equal(fixture_stat(s->mapped, "/tmp/rootfs", &below), 0);
    assert_int_equal(namespaces_open(fixture_pid(s->mapped), "/tmp/link", &ns, &why), 0);
    assert_int_equal(fstat(ns.root_fd, &seen), 0);
    assert_int_equal(seen.st_ino, below.st_ino);
    assert_int_equal(seen.st_dev, below.st_dev);
    namespaces_close(&ns);

    assert_int_equal(namespaces_open(fixture_pid(s->mapped), "/nowhere", &ns, &why), -ENOENT);
    assert_non_null(strstr(why.text, "/nowhere"));
    assert_int_equal(namespaces_open(fixture_pid(s->mapped), "tmp", &ns, &why), -EINVAL);
    assert_int_equal(namespaces_open(fixture_pid(s->mapped), "/proc/1/root", &ns, &why), -ELOOP);
}

static void what_is_no_container_is_refused_and_leaves_nothing_open(void **state)
{
    (void)state;
    need_machine();
    struct refusal why = {0};
    struct namespaces ns = NAMESPACES_EMPTY;
    size_t before = count_fds();
    static const struct {
        pid_t pid;
        int error;
        const char *says;
    } cases[] = {
        {0, ESRCH, "no process"},
        {-1, ESRCH, "no process"},
        {2, EINVAL, "thread of the kernel"},
        {0x3fffffff, ESRCH, "no process"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(namespaces_open(cases[i].pid, NULL, &ns, &why), -cases[i].error);
        assert_non_null(strstr(why.text, cases[i].says));
    }
    assert_int_equal(namespaces_open(getpid(), NULL, &ns, &why), -EINVAL);
    assert_non_null(strstr(why.text, "no container"));
    assert_int_equal(ns.pid_fd, -1);
    assert_int_equal(count_fds(), before);
}

static void *tell_tid_and_wait(void *argument)
{
    int *pipes = argument;
    pid_t tid = gettid();
    char byte;
    if (write(pipes[1], &tid, sizeof(tid)) == sizeof(tid))
        (void)!read(pipes[2], &byte, 1);
    return NULL;
}

static void a_thread_that_leads_no_group_is_refused(void **state)
{
    (void)state;
    need_machine();
    int pipes[4];
    pthread_t thread;
    pid_t tid;
    struct refusal why = {0};
    struct namespaces ns = NAMESPACES_EMPTY;
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    assert_int_equal(pipe2(pipes + 2, O_CLOEXEC), 0);
    assert_int_equal(pthread_create(&thread, NULL, tell_tid_and_wait, pipes), 0);
    assert_int_equal(read(pipes[0], &tid, sizeof(tid)), sizeof(tid));
    int r = namespaces_open(tid, NULL, &ns, &why);
    assert_int_equal(write(pipes[3], "", 1), 1);
    pthread_join(thread, NULL);
    for (size_t i = 0; i < 4; i++)
        close(pipes[i]);
    assert_int_equal(r, -EINVAL);
    assert_non_null(strstr(why.text, "leader"));
}

static void a_dead_container_is_dead_and_stays_so(void **state)
{
    (void)state;
    need_machine();
    struct fixture *fixture;
    struct namespaces ns = NAMESPACES_EMPTY;
    struct refusal why = {0};
    assert_int_equal(fixture_start(NULL, &fixture), 0);
    pid_t pid = fixture_pid(fixture);
    assert_int_equal(namespaces_open(pid, NULL, &ns, &why), 0);

    /* A zombie that nobody waited for yet still answers to signal 0. */
    siginfo_t info;
    kill(pid, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(kill(pid, 0), 0);
    assert_int_equal(namespaces_alive(&ns), 0);
    struct namespaces again = NAMESPACES_EMPTY;
    assert_int_equal(namespaces_open(pid, NULL, &again, &why), -ESRCH);
    fixture_stop(fixture);
    assert_int_equal(namespaces_alive(&ns), 0);
    namespaces_close(&ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_container_with_ids_of_its_own_is_isolated),
        cmocka_unit_test(a_container_of_the_real_root_is_native),
        cmocka_unit_test(a_container_in_the_hosts_network_is_said_to_be_there),
        cmocka_unit_test(a_root_below_is_found_inside_and_links_do_not_leave_it),
        cmocka_unit_test(what_is_no_container_is_refused_and_leaves_nothing_open),
        cmocka_unit_test(a_thread_that_leads_no_group_is_refused),
        cmocka_unit_test(a_dead_container_is_dead_and_stays_so),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
