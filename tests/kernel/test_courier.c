/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "courier_scene.h"

/* The life of a courier, and what it cannot do. */

static void a_stopped_courier_blocks_nobody_and_is_abandoned(void **state)
{
    (void)state;
    struct scene scene;
    struct courier_reply reply = {0};
    int status;
    scene_open(&scene, NULL);
    assert_int_equal(scene_identify(&scene, "ha", "").error, 0);
    pid_t pid = courier_pid(scene.courier);
    assert_int_equal(kill(pid, SIGSTOP), 0);
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    assert_true(WIFSTOPPED(status));

    struct courier_request request = {.verb = COURIER_IDENTIFY, .owner = "ha"};
    uint64_t begun = now_us();
    assert_int_equal(courier_send(scene.courier, &request, -1), 0);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(courier_receive(scene.courier, &reply), 0);
    assert_true(now_us() - begun < 1000000);
    courier_abandon(scene.courier);
    scene.courier = NULL;
    scene_reap();
    assert_int_equal(kill(pid, 0), -1);
    scene_close(&scene);
}

static void a_dead_courier_is_noticed(void **state)
{
    (void)state;
    struct scene scene;
    struct courier_reply reply = {0};
    scene_open(&scene, NULL);
    assert_int_equal(scene_identify(&scene, "ha", "").error, 0);
    struct pollfd look = {.fd = courier_fd(scene.courier), .events = POLLIN};
    assert_int_equal(kill(courier_pid(scene.courier), SIGKILL), 0);
    assert_int_equal(poll(&look, 1, DEADLINE_MS), 1);
    assert_int_equal(courier_receive(scene.courier, &reply), -EPIPE);
    struct courier_request request = {.verb = COURIER_IDENTIFY};
    assert_int_equal(courier_send(scene.courier, &request, -1), -EPIPE);
    scene_close(&scene);
}

static void a_courier_ends_when_the_daemon_dies(void **state)
{
    (void)state;
    struct scene scene;
    int pipes[2], status;
    pid_t courier;
    scene_open(&scene, NULL);
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    pid_t daemon_pid = fork();
    if (daemon_pid == 0) {
        struct courier *child = NULL;
        if (courier_spawn(&scene.namespaces, &child, NULL) < 0)
            _exit(1);
        pid_t pid = courier_pid(child);
        struct courier_request request = {.verb = COURIER_IDENTIFY};
        (void)scene_ask(child, &request, -1);
        _exit(write(pipes[1], &pid, sizeof(pid)) == sizeof(pid) ? 0 : 1);
    }
    close(pipes[1]);
    assert_int_equal(waitpid(daemon_pid, &status, 0), daemon_pid);
    assert_int_equal(status, 0);
    assert_int_equal(read(pipes[0], &courier, sizeof(courier)), sizeof(courier));
    close(pipes[0]);
    uint64_t deadline = now_us() + DEADLINE_MS * 1000u;
    while (waitpid(courier, &status, WNOHANG) != courier) {
        assert_true(now_us() < deadline);
        sched_yield();
    }
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    scene_close(&scene);
}

static void a_signal_to_the_whole_group_does_not_end_it(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, NULL);
    assert_int_equal(scene_identify(&scene, "ha", "").error, 0);
    assert_int_equal(kill(courier_pid(scene.courier), SIGTERM), 0);
    assert_int_equal(kill(courier_pid(scene.courier), SIGINT), 0);
    assert_int_equal(scene_identify(&scene, "ha", "").error, 0);
    scene_close(&scene);
}

static uint64_t status_field(pid_t pid, const char *field, int base)
{
    char path[64], line[256];
    uint64_t value = UINT64_MAX;
    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        const char *rest = after_prefix(line, field);
        if (rest)
            value = strtoull(rest, NULL, base);
    }
    fclose(file);
    return value;
}

static void it_holds_nothing_but_what_it_needs(void **state)
{
    (void)state;
    static const bool kinds[] = {false, true};
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct scene scene;
        struct stat st, root, seen;
        char path[64], name[32] = "";
        scene_open(&scene, &(struct fixture_options){.host_user = kinds[i]});
        assert_int_equal(scene_identify(&scene, "ha", "").error, 0);
        pid_t pid = courier_pid(scene.courier);
        assert_int_equal(status_field(pid, "CapEff:", 16), UINT64_C(1) << CAP_SYS_ADMIN);
        assert_int_equal(status_field(pid, "CapPrm:", 16), UINT64_C(1) << CAP_SYS_ADMIN);
        assert_int_equal(status_field(pid, "Uid:", 10), kinds[i] ? 0 : FIXTURE_ID_BASE);
        assert_int_equal(status_field(pid, "Gid:", 10), kinds[i] ? 0 : FIXTURE_ID_BASE);
        assert_int_equal(status_field(pid, "NoNewPrivs:", 10), 1);
        assert_int_equal(status_field(pid, "Seccomp:", 10), 2);
        snprintf(path, sizeof(path), "/proc/%d/fd", pid);
        assert_int_equal(scene_count_entries(path), 2 + 5);

        /* Not dumpable: what /proc shows of it belongs to the host's root. */
        snprintf(path, sizeof(path), "/proc/%d/environ", pid);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_uid, 0);
        snprintf(path, sizeof(path), "/proc/%d/root", pid);
        assert_int_equal(stat(path, &seen), 0);
        assert_int_equal(fstat(scene.namespaces.root_fd, &root), 0);
        assert_int_equal(seen.st_dev, root.st_dev);
        assert_int_equal(seen.st_ino, root.st_ino);
        snprintf(path, sizeof(path), "/proc/%d/comm", pid);
        FILE *file = fopen(path, "re");
        assert_non_null(file);
        assert_non_null(fgets(name, sizeof(name), file));
        fclose(file);
        assert_string_equal(name, "devolve-courier\n");
        scene_close(&scene);
    }
}

/* What becomes of a child that installs the filter and then does something. */
static int filtered(int (*act)(void))
{
    int status;
    assert_int_equal(courier_filter_prepare(NULL), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (courier_filter_install() < 0)
            _exit(200);
        _exit(act() < 0 ? errno : 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static int act_nothing(void)
{
    return 0;
}

static int act_exec(void)
{
    return execl("/bin/true", "true", NULL);
}

static int act_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}

static int act_fork(void)
{
    return fork();
}

static int act_mount(void)
{
    return mount("x", "/tmp", "tmpfs", 0, NULL);
}

static int act_mknod(void)
{
    return mknod("/tmp/devolve-never", S_IFCHR | 0600, makedev(1, 3));
}

static int act_umount(void)
{
    return umount2("/nowhere", 0);
}

static int act_setns(void)
{
    return setns(0, 0);
}

static int act_kill(void)
{
    return kill(getppid(), 0);
}

static void the_filter_lets_nothing_else_through(void **state)
{
    (void)state;
    static int (*const refused[])(void) = {act_socket, act_fork,  act_mount, act_mknod,
                                           act_umount, act_setns, act_kill};
    const char *missing = fixture_missing();
    if (missing) {
        print_message("skipped: %s\n", missing);
        skip();
    }
    int status = filtered(act_nothing);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    status = filtered(act_exec);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSYS);
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        status = filtered(refused[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), EPERM);
    }
}

static void a_failure_to_start_is_the_first_reply(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, NULL);
    /* A mount namespace that the user namespace has no power over: the host's. */
    int own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    int kept = scene.namespaces.mount_fd;
    scene.namespaces.mount_fd = own;
    struct courier *courier = NULL;
    struct refusal why = {0};
    assert_int_equal(courier_spawn(&scene.namespaces, &courier, &why), 0);
    scene.namespaces.mount_fd = kept;
    close(own);
    struct courier_request request = {.verb = COURIER_IDENTIFY};
    struct courier_reply reply = scene_ask(courier, &request, -1);
    assert_int_equal(reply.error, -EPERM);
    assert_non_null(strstr(reply.text, "join the container's mount namespace"));
    courier_abandon(courier);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stopped_courier_blocks_nobody_and_is_abandoned),
        cmocka_unit_test(a_dead_courier_is_noticed),
        cmocka_unit_test(a_courier_ends_when_the_daemon_dies),
        cmocka_unit_test(a_signal_to_the_whole_group_does_not_end_it),
        cmocka_unit_test(it_holds_nothing_but_what_it_needs),
        cmocka_unit_test(the_filter_lets_nothing_else_through),
        cmocka_unit_test(a_failure_to_start_is_the_first_reply),
    };
    return cmocka_run_group_tests(tests, scene_start, scene_stop);
}
