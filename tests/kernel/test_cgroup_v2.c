/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cgroup_scene.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

/* ---- a process of the container's that never stops trying what it may not have ---- */

struct tries {
    volatile uint32_t refused, opened, other;
};

static struct tries *tries;
static pid_t intruder; /* 0: none */

static int node_directory(const struct devnum *number)
{
    _cleanup_close_ int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
    assert_true(context >= 0);
    assert_int_equal(fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0), 0);
    int fd = fsmount(context, FSMOUNT_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(mknodat(fd, "node", S_IFCHR | 0600, makedev(number->major, number->minor)), 0);
    return fd;
}

static void try_forever(int directory_fd)
{
    cgroup_scene_leave();
    for (;;) {
        int fd = openat(directory_fd, "node", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (fd >= 0)
            tries->opened++;
        else if (errno == EPERM)
            tries->refused++;
        else
            tries->other++;
        if (fd >= 0)
            close(fd);
    }
}

static pid_t fork_in_group(const struct cgroup_scene *scene)
{
    char path[300];
    snprintf(path, sizeof(path), "%s/cgroup.procs", scene->group);
    _cleanup_close_ int own_fd = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
    _cleanup_close_ int procs_fd = open(path, O_WRONLY | O_CLOEXEC);
    _cleanup_close_ int directory_fd = node_directory(&cgroup_scene_kmsg);
    assert_true(own_fd >= 0 && procs_fd >= 0);
    /* in the box's pid namespace, or the group would be one that others share */
    assert_int_equal(setns(scene->box.namespaces.pid_fd, CLONE_NEWPID), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (write(procs_fd, "0", 1) == 1)
            try_forever(directory_fd);
        _exit(1);
    }
    assert_int_equal(setns(own_fd, CLONE_NEWPID), 0);
    assert_true(pid > 0);
    return pid;
}

static void let_in_intruder(const struct cgroup_scene *scene)
{
    if (!tries)
        tries =
            mmap(NULL, sizeof(*tries), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(tries, MAP_FAILED);
    *tries = (struct tries){0};
    intruder = fork_in_group(scene);
    for (uint64_t end = now_us() + DEADLINE_US; tries->refused + tries->opened + tries->other == 0;)
        assert_true(now_us() < end);
}

static void end_intruder(void)
{
    if (intruder <= 0)
        return;
    kill(intruder, SIGKILL);
    waitpid(intruder, NULL, 0);
    intruder = 0;
}

/* Ends the intruder, too, before its box, whose end would wait for somebody to reap it. */
static int stop_with_intruder(void **state)
{
    end_intruder();
    return cgroup_scene_stop(state);
}

/* How often somebody looked, so that "never" means something, and what they saw. */
static void assert_watched(struct cgroup_scene *scene, uint32_t cycles)
{
    end_intruder();
    cgroup_scene_assert_never_none(scene);
    assert_int_equal(tries->opened, 0);
    assert_int_equal(tries->other, 0);
    assert_in_range(scene->counts->polls, 10 * cycles, UINT32_MAX);
    assert_in_range(tries->refused, 10 * cycles, UINT32_MAX);
}

/* ---- each shape, each way of hanging there, blinded and not ---- */

static bool can_splice(enum shape shape, char harden)
{
    return harden == '0' && shape <= SHAPE_SYSTEMD;
}

static void grant_and_revoke(struct cgroup_scene *scene, bool spliced)
{
    char text[128];
    cgroup_scene_open_gates(scene, cgroup_scene_directory);
    cgroup_scene_assert_opens(scene, -EPERM);
    assert_int_equal(cgroup_scene_only_program(scene->group_fd), scene->original);
    for (int i = 0; i < 2; i++) {
        cgroup_scene_allow(scene, &cgroup_scene_tun, READ_WRITE);
        cgroup_scene_assert_opens(scene, 0);
        assert_int_not_equal(cgroup_scene_only_program(scene->group_fd), scene->original);
        assert_int_equal(cgroup_device_repair(scene->gates, NULL), 0);
        cgroup_scene_deny(scene, &cgroup_scene_tun);
        cgroup_scene_assert_opens(scene, -EPERM);
    }
    cgroup_scene_allow(scene, &cgroup_scene_tun, READ_WRITE);
    cgroup_device_describe(scene->gates, text, sizeof(text));
    assert_non_null(strstr(text, spliced ? "/own spliced" : "/own tail-called"));
    cgroup_scene_close_gates(scene);
    cgroup_scene_assert_opens(scene, -EPERM);
    assert_int_equal(cgroup_scene_only_program(scene->group_fd), scene->original);
    assert_int_equal(cgroup_scene_pins(), 0);
}

/* A predecessor that gives the device and is killed. */
static void grant_and_be_killed(const struct cgroup_scene *scene)
{
    int ends[2];
    char ready = 0;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct cgroup_device *gates;
        cgroup_scene_leave();
        if (cgroup_device_open("box", &scene->box.namespaces, cgroup_scene_directory, NULL, &gates,
                               NULL) == 0 &&
            cgroup_device_allow(gates, &cgroup_scene_tun, READ_WRITE, NULL) == 0)
            ready = 1;
        (void)!write(ends[1], &ready, 1);
        for (;;)
            pause();
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &ready, 1), 1);
    close(ends[0]);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(ready, 1);
}

static void outlive_and_be_adopted(struct cgroup_scene *scene)
{
    grant_and_be_killed(scene);
    cgroup_scene_assert_opens(scene, 0);
    assert_int_equal(cgroup_device_clean(cgroup_scene_directory), 0);
    cgroup_scene_assert_opens(scene, 0);
    uint32_t predecessors = cgroup_scene_only_program(scene->group_fd);

    cgroup_scene_open_gates(scene, cgroup_scene_directory);
    cgroup_scene_assert_opens(scene, -EPERM); /* its map is empty now */
    cgroup_scene_allow(scene, &cgroup_scene_tun, READ_WRITE);
    cgroup_scene_assert_opens(scene, 0);
    assert_int_equal(cgroup_scene_only_program(scene->group_fd), predecessors);
    cgroup_scene_close_gates(scene);
    cgroup_scene_assert_opens(scene, -EPERM);
    assert_int_equal(cgroup_scene_only_program(scene->group_fd), scene->original);
    assert_int_equal(cgroup_scene_pins(), 0);
}

static void outlive_and_be_gone_on_with(struct cgroup_scene *scene)
{
    struct refusal why = {0};
    json_t *nothing = json_array();
    grant_and_be_killed(scene);
    uint32_t predecessors = cgroup_scene_only_program(scene->group_fd);
    for (int i = 0; i < 2; i++) { /* by one that is left, too */
        if (cgroup_device_open("box", &scene->box.namespaces, cgroup_scene_directory, nothing,
                               &scene->gates, &why) < 0)
            fail_msg("%s", why.text);
        cgroup_scene_assert_opens(scene, 0);
        cgroup_scene_allow(scene, &cgroup_scene_tun, READ_WRITE);
        assert_int_equal(cgroup_device_prune(scene->gates), 0);
        cgroup_scene_assert_opens(scene, 0);
        cgroup_device_leave(scene->gates);
        scene->gates = NULL;
        assert_int_equal(cgroup_scene_only_program(scene->group_fd), predecessors);
    }
    /* what is not allowed again goes */
    assert_int_equal(cgroup_device_open("box", &scene->box.namespaces, cgroup_scene_directory,
                                        nothing, &scene->gates, &why),
                     0);
    cgroup_scene_assert_opens(scene, 0);
    assert_int_equal(cgroup_device_prune(scene->gates), 0);
    cgroup_scene_assert_opens(scene, -EPERM);
    cgroup_scene_close_gates(scene);
    assert_int_equal(cgroup_scene_only_program(scene->group_fd), scene->original);
    assert_int_equal(cgroup_scene_pins(), 0);
    json_decref(nothing);
}

static void behind(void **state, enum shape shape)
{
    cgroup_scene_need();
    for (char harden = '0'; harden <= '2'; harden += 2) {
        for (enum shape_flags flags = 0; flags < SHAPE_FLAGS_COUNT; flags++) {
            struct cgroup_scene *scene = *state;
            cgroup_scene_harden(harden);
            cgroup_scene_set(scene, shape, flags);
            cgroup_scene_watch(scene);
            let_in_intruder(scene);
            grant_and_revoke(scene, can_splice(shape, harden));
            outlive_and_be_adopted(scene);
            outlive_and_be_gone_on_with(scene);
            assert_watched(scene, 4);
            assert_int_equal(stop_with_intruder(state), 0);
            cgroup_scene_start(state);
        }
    }
}

static void the_granted_device_and_no_other_opens_behind_a_program_like_runc_s(void **state)
{
    behind(state, SHAPE_RUNC);
}

static void the_granted_device_and_no_other_opens_behind_a_program_like_crun_s(void **state)
{
    behind(state, SHAPE_CRUN);
}

static void the_granted_device_and_no_other_opens_behind_a_program_like_lxc_s(void **state)
{
    behind(state, SHAPE_LXC);
}

static void the_granted_device_and_no_other_opens_behind_a_program_like_systemd_s(void **state)
{
    behind(state, SHAPE_SYSTEMD);
}

static void the_granted_device_and_no_other_opens_behind_a_program_with_a_map(void **state)
{
    behind(state, SHAPE_MAP);
}

static void the_granted_device_and_no_other_opens_behind_a_program_with_a_helper(void **state)
{
    behind(state, SHAPE_HELPER);
}

static void the_granted_device_and_no_other_opens_behind_a_program_with_a_subprogram(void **state)
{
    behind(state, SHAPE_SUBPROG);
}

/* A program that was loaded before the machine was hardened is spliced, and ours is blinded. */
static void hardening_that_comes_later_changes_nothing(void **state)
{
    struct cgroup_scene *scene = *state;
    cgroup_scene_need();
    cgroup_scene_harden('0');
    cgroup_scene_set(scene, SHAPE_RUNC, SHAPE_MULTI);
    cgroup_scene_harden('2');
    grant_and_revoke(scene, true);
}

/* ---- many ---- */

static void at_no_moment_of_two_hundred_cycles_is_there_no_program(void **state)
{
    static const enum shape shapes[] = {SHAPE_RUNC, SHAPE_MAP};
    cgroup_scene_need();
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
        for (enum shape_flags flags = 0; flags < SHAPE_FLAGS_COUNT; flags++) {
            struct cgroup_scene *scene = *state;
            cgroup_scene_set(scene, shapes[i], flags);
            cgroup_scene_watch(scene);
            let_in_intruder(scene);
            cgroup_scene_open_gates(scene, cgroup_scene_directory);
            for (int cycle = 0; cycle < 200; cycle++) {
                cgroup_scene_allow(scene, &cgroup_scene_tun, READ_WRITE);
                assert_int_equal(cgroup_box_open(&scene->box, &cgroup_scene_tun, O_RDWR), 0);
                cgroup_scene_deny(scene, &cgroup_scene_tun);
                assert_int_equal(cgroup_box_open(&scene->box, &cgroup_scene_tun, O_RDWR), -EPERM);
                if (cycle % 4 == 0) { /* the exchange itself, there and back */
                    cgroup_scene_close_gates(scene);
                    cgroup_scene_open_gates(scene, cgroup_scene_directory);
                }
            }
            assert_watched(scene, 200);
            assert_int_equal(stop_with_intruder(state), 0);
            cgroup_scene_start(state);
        }
}

static void a_hundred_devices_are_one_program(void **state)
{
    struct cgroup_scene *scene = *state;
    struct devnum number = {NODE_CHARACTER, 240, 0}; /* no driver: ENXIO behind the gate */
    cgroup_scene_need();
    cgroup_scene_set(scene, SHAPE_RUNC, SHAPE_MULTI);
    cgroup_scene_open_gates(scene, cgroup_scene_directory);
    for (; number.minor < 100; number.minor++)
        cgroup_scene_allow(scene, &number, READ_WRITE);
    cgroup_scene_only_program(scene->group_fd);
    assert_int_equal(cgroup_box_open(&scene->box, &number, O_RDWR), -EPERM);
    for (number.minor = 0; number.minor < 100; number.minor++) {
        assert_int_equal(cgroup_box_open(&scene->box, &number, O_RDWR), -ENXIO);
        if (number.minor % 2)
            cgroup_scene_deny(scene, &number);
    }
    for (number.minor = 0; number.minor < 100; number.minor++)
        assert_int_equal(cgroup_box_open(&scene->box, &number, O_RDWR),
                         number.minor % 2 ? -EPERM : -ENXIO);
}

static void the_bits_and_the_type_are_part_of_a_grant(void **state)
{
    struct cgroup_scene *scene = *state;
    struct devnum block = {NODE_BLOCK, 10, 200};
    cgroup_scene_need();
    cgroup_scene_set(scene, SHAPE_RUNC, SHAPE_MULTI);
    cgroup_scene_open_gates(scene, cgroup_scene_directory);
    cgroup_scene_allow(scene, &cgroup_scene_tun, ACCESS_READ);
    assert_int_equal(cgroup_box_open(&scene->box, &cgroup_scene_tun, O_RDONLY), 0);
    assert_int_equal(cgroup_box_open(&scene->box, &cgroup_scene_tun, O_WRONLY), -EPERM);
    assert_int_equal(cgroup_box_open(&scene->box, &cgroup_scene_tun, O_RDWR), -EPERM);
    assert_int_equal(cgroup_box_open(&scene->box, &block, O_RDONLY), -EPERM);
    cgroup_scene_allow(scene, &cgroup_scene_tun, READ_WRITE);
    assert_int_equal(cgroup_box_open(&scene->box, &cgroup_scene_tun, O_RDWR), 0);
    cgroup_scene_allow(scene, &cgroup_scene_tun, ACCESS_WRITE);
    assert_int_equal(cgroup_box_open(&scene->box, &cgroup_scene_tun, O_RDWR), -EPERM);
    assert_int_equal(cgroup_box_open(&scene->box, &cgroup_scene_tun, O_WRONLY), 0);
}

static void what_is_kept_for_a_dead_group_is_removed(void **state)
{
    struct cgroup_scene *scene = *state;
    cgroup_scene_need();
    cgroup_scene_set(scene, SHAPE_MAP, SHAPE_MULTI);
    grant_and_be_killed(scene);
    assert_int_equal(cgroup_scene_pins(), 1);
    assert_int_equal(cgroup_scene_stop(state), 0);
    cgroup_scene_start(state);
    /* the kernel frees the group's programs some time after the group */
    uint64_t end = now_us() + DEADLINE_US;
    while (cgroup_scene_pins() > 0) {
        assert_int_equal(cgroup_device_clean(cgroup_scene_directory), 0);
        assert_true(now_us() < end);
    }
    assert_int_equal(cgroup_device_clean("/nowhere/at/all"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, cgroup_scene_start, stop_with_intruder)
        TEST(the_granted_device_and_no_other_opens_behind_a_program_like_runc_s),
        TEST(the_granted_device_and_no_other_opens_behind_a_program_like_crun_s),
        TEST(the_granted_device_and_no_other_opens_behind_a_program_like_lxc_s),
        TEST(the_granted_device_and_no_other_opens_behind_a_program_like_systemd_s),
        TEST(the_granted_device_and_no_other_opens_behind_a_program_with_a_map),
        TEST(the_granted_device_and_no_other_opens_behind_a_program_with_a_helper),
        TEST(the_granted_device_and_no_other_opens_behind_a_program_with_a_subprogram),
        TEST(hardening_that_comes_later_changes_nothing),
        TEST(at_no_moment_of_two_hundred_cycles_is_there_no_program),
        TEST(a_hundred_devices_are_one_program),
        TEST(the_bits_and_the_type_are_part_of_a_grant),
        TEST(what_is_kept_for_a_dead_group_is_removed),
    };
    return cmocka_run_group_tests(tests, cgroup_scene_start_all, cgroup_scene_stop_all);
}
