/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "base/file.h"
#include "courier_scene.h"
#include "kernel/mount_api.h"

/* A container that lays things in the way. */

static void what_lies_in_the_way_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int error;
        const char *says;
    } cases[] = {
        {"/dev/file", EEXIST, "a regular file lies at /dev/file"},
        {"/dev/empty", EEXIST, "a regular file lies at /dev/empty"},
        {"/dev/directory", EEXIST, "a directory lies at /dev/directory"},
        {"/dev/link", EEXIST, "a symbolic link lies at /dev/link"},
        {"/dev/bus/x/y", ELOOP, "/dev/bus inside is a symbolic link"},
        {"/dev/file/x", ENOTDIR, "/dev/file inside is not a directory"},
        {"/dev/../etc/x", EINVAL, "not a path below /dev"},
        {"/etc/x", EINVAL, "not a path below /dev"},
        {"/dev/a//b", EINVAL, "not a path below /dev"},
        {"/dev/", EINVAL, "not a path below /dev"},
        {"/dev/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4", ENAMETOOLONG,
         "directories"},
    };
    struct scene scene;
    struct stat st;
    scene_open(&scene, NULL);
    assert_int_equal(fixture_mkdir(scene.fixture, "/tmp/victim"), 0);
    assert_int_equal(fixture_write(scene.fixture, "/dev/file", "text"), 0);
    assert_int_equal(fixture_write(scene.fixture, "/dev/empty", ""), 0);
    assert_int_equal(fixture_mkdir(scene.fixture, "/dev/directory"), 0);
    assert_int_equal(fixture_symlink(scene.fixture, "/tmp/victim/x", "/dev/link"), 0);
    assert_int_equal(fixture_symlink(scene.fixture, "/tmp/victim", "/dev/bus"), 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct courier_reply reply = scene_attach(&scene, cases[i].path);
        assert_int_equal(reply.error, -cases[i].error);
        if (!strstr(reply.text, cases[i].says))
            fail_msg("%s: %s", cases[i].path, reply.text);
    }
    assert_int_equal(fixture_stat(scene.fixture, "/dev/file", &st), 0);
    assert_int_equal(st.st_size, 4);
    assert_int_equal(fixture_stat(scene.fixture, "/tmp/victim", &st), 0);
    assert_int_equal(st.st_nlink, 2);
    assert_int_equal(scene_stat(&scene, "/tmp/victim/x"), -ENOENT);
    assert_int_equal(scene_stat(&scene, "/dev/1"), -ENOENT);

    /* A mount that should be there and has not come along. */
    struct courier_request request = scene_node_request(COURIER_ATTACH, "/dev/y", scene.node);
    assert_int_equal(scene_ask(scene.courier, &request, -1).error, -EBADF);
    assert_int_equal(scene_stat(&scene, "/dev/y"), -ENOENT);
    scene_close(&scene);
}

struct cover {
    int tree_fd;
    const char *path;
};

static int attach_cover(void *argument)
{
    const struct cover *cover = argument;
    _cleanup_close_ int fd = open(cover->path, O_PATH | O_CLOEXEC);
    return fd < 0 || mount_attach(cover->tree_fd, fd) < 0 ? -errno : 0;
}

/* Mounts what the test calls the host's /dev inside. */
static void show_host_dev(const struct scene *scene, const char *path)
{
    _cleanup_close_ int dev_fd = open("/dev", O_PATH | O_CLOEXEC);
    struct cover cover = {.tree_fd = mount_clone_fd(dev_fd), .path = path};
    assert_true(cover.tree_fd >= 0);
    assert_int_equal(fixture_run(scene->fixture, attach_cover, &cover), 0);
    close(cover.tree_fd);
}

/*
 * In the test's mount namespace a tmpfs stands for the host's devtmpfs, so that nothing happens to
 * the real one where the test fails.
 */
static void the_hosts_devtmpfs_is_never_written_to(void **state)
{
    (void)state;
    static const char *const paths[] = {"/dev/sub/x", "/dev/sub/y/z", "/dev/sub/null"};
    struct scene scene;
    scene_open(&scene, &(struct fixture_options){.host_user = true});
    courier_abandon(scene.courier);
    assert_int_equal(mount("dev", "/dev", "tmpfs", 0, NULL), 0);
    assert_int_equal(mknod("/dev/null", S_IFCHR | 0666, makedev(1, 3)), 0);
    assert_int_equal(mkdir("/dev/shm", 0755), 0);
    assert_int_equal(courier_spawn(&scene.namespaces, &scene.courier, NULL), 0);

    assert_int_equal(fixture_mkdir(scene.fixture, "/dev/sub"), 0);
    show_host_dev(&scene, "/dev/sub");
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        struct courier_reply reply = scene_attach(&scene, paths[i]);
        assert_int_equal(reply.error, -EPERM);
        assert_non_null(strstr(reply.text, "the host's own"));
        assert_int_equal(scene_link(&scene, COURIER_LINK, paths[i], "/dev/x", 0).error, -EPERM);
    }
    /* Nor is anything removed there. */
    struct courier_reply claimed = {.placeholder = true, .made_dirs = 1};
    assert_int_equal(scene_detach(&scene, "/dev/sub/shm/x", &claimed).error, 0);
    assert_int_equal(scene_detach(&scene, "/dev/sub/null", &claimed).error, 0);
    assert_int_equal(scene_stat(&scene, "/dev/sub/shm"), 0);

    show_host_dev(&scene, "/dev");
    assert_int_equal(scene_attach(&scene, "/dev/x").error, -EPERM);
    assert_int_equal(scene_count_entries("/dev"), 2 + 2);
    assert_int_equal(umount2("/dev", MNT_DETACH), 0);
    scene_close(&scene);
}

enum race { RACE_GO, RACE_HOLD, RACE_HELD, RACE_END };

/* Exchanges /dev/bus and a link to /tmp/victim. Held, and at the end, /dev/bus is a directory. */
static int exchange(void *argument)
{
    _Atomic int *race = argument;
    for (unsigned long rounds = 0;; rounds++) {
        bool in_place = rounds % 2 == 0;
        while (in_place && *race != RACE_GO) {
            int hold = RACE_HOLD;
            (void)atomic_compare_exchange_strong(race, &hold, RACE_HELD);
            if (*race == RACE_END)
                return 0;
            sched_yield();
        }
        if (renameat2(AT_FDCWD, "/dev/bus", AT_FDCWD, "/dev/link", RENAME_EXCHANGE) < 0)
            return -errno;
    }
}

static void hold_race(_Atomic int *race)
{
    uint64_t deadline = now_us() + DEADLINE_MS * 1000u;
    *race = RACE_HOLD;
    while (*race != RACE_HELD) {
        assert_true(now_us() < deadline);
        sched_yield();
    }
}

static void exchanged_directories_lead_nowhere_else(void **state)
{
    (void)state;
    struct scene scene;
    unsigned given = 0, refused = 0, undone = 0, hidden = 0;
    int result_fd;
    char bus[64], victim[64];
    scene_open(&scene, NULL);
    _Atomic int *race = fixture_shared(sizeof(*race));
    snprintf(bus, sizeof(bus), "/proc/%d/root/dev/bus", fixture_pid(scene.fixture));
    snprintf(victim, sizeof(victim), "/proc/%d/root/tmp/victim", fixture_pid(scene.fixture));
    assert_int_equal(fixture_mkdir(scene.fixture, "/tmp/victim"), 0);
    assert_int_equal(fixture_mkdir(scene.fixture, "/dev/bus"), 0);
    assert_int_equal(fixture_symlink(scene.fixture, "/tmp/victim", "/dev/link"), 0);
    pid_t racer = fixture_launch(scene.fixture, exchange, (void *)race, &result_fd);
    assert_true(racer > 0);

    uint64_t deadline = now_us() + 6 * DEADLINE_MS * 1000u;
    for (unsigned i = 0; (i < 500 || !given || !undone) && now_us() < deadline; i++) {
        struct courier_reply reply = scene_attach(&scene, "/dev/bus/usb/x");
        if (reply.error == 0) {
            struct courier_reply given_reply = reply;
            given++;
            reply = scene_detach(&scene, "/dev/bus/usb/x", &given_reply);
            assert_int_equal(reply.error, 0);
            hold_race(race);
            if (reply.shadowed) { /* the racer slept while the link was there */
                hidden++;
                reply = scene_detach(&scene, "/dev/bus/usb/x", &given_reply);
                assert_int_equal(reply.error, 0);
                assert_false(reply.shadowed);
            }
        } else {
            hold_race(race);
            refused++;
            undone += strstr(reply.text, "was exchanged") != NULL;
        }
        assert_int_equal(scene_count_entries(bus), 2);
        *race = RACE_GO;
    }
    *race = RACE_END;
    assert_int_equal(fixture_finish(racer, result_fd), 0);
    print_message("given %u, %u of them hidden when taken; refused %u, undone %u of them\n", given,
                  hidden, refused, undone);
    assert_true(given > 0);
    assert_true(refused > 0);
    assert_int_equal(scene_count_entries(victim), 2);
    scene_close(&scene);
}

/* Whether it sleeps between two looks: proc_pid_syscall(5). */
static bool is_pausing(pid_t pid)
{
    char path[64], text[256] = "";
    snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
    (void)file_read_at(AT_FDCWD, path, text, sizeof(text));
    long number = strtol(text, NULL, 10);
    return number == SYS_clock_nanosleep || number == SYS_nanosleep;
}

/* The link goes while the courier pauses, or, where that was missed, after its answer. */
static struct courier_reply detach_behind_link(struct scene *scene, const char *bus,
                                               const char *link,
                                               const struct courier_request *request)
{
    struct courier_reply reply = {0};
    int r = 0;
    assert_int_equal(renameat2(AT_FDCWD, bus, AT_FDCWD, link, RENAME_EXCHANGE), 0);
    assert_int_equal(courier_send(scene->courier, request, -1), 0);
    uint64_t deadline = now_us() + DEADLINE_MS * 1000u;
    while (!is_pausing(courier_pid(scene->courier)) && r == 0) {
        r = courier_receive(scene->courier, &reply);
        assert_true(r >= 0 && now_us() < deadline);
    }
    assert_int_equal(renameat2(AT_FDCWD, bus, AT_FDCWD, link, RENAME_EXCHANGE), 0);
    struct pollfd look = {.fd = courier_fd(scene->courier), .events = POLLIN};
    if (r == 0) {
        assert_int_equal(poll(&look, 1, DEADLINE_MS), 1);
        assert_int_equal(courier_receive(scene->courier, &reply), 1);
    }
    assert_int_equal(reply.error, 0);
    return reply;
}

/* On a busy machine the pauses may be over before anybody saw one: then once more. */
static void what_a_link_hides_for_a_moment_is_taken_back(void **state)
{
    (void)state;
    struct scene scene;
    char bus[64], link[64];
    scene_open(&scene, NULL);
    snprintf(bus, sizeof(bus), "/proc/%d/root/dev/bus", fixture_pid(scene.fixture));
    snprintf(link, sizeof(link), "/proc/%d/root/dev/link", fixture_pid(scene.fixture));
    assert_int_equal(fixture_mkdir(scene.fixture, "/dev/bus"), 0);
    assert_int_equal(fixture_symlink(scene.fixture, "/tmp", "/dev/link"), 0);
    struct courier_reply reply = {.shadowed = true};
    for (unsigned i = 0; i < 200 && reply.shadowed; i++) {
        reply = scene_attach(&scene, "/dev/bus/x");
        assert_int_equal(reply.error, 0);
        struct courier_request request =
            scene_node_request(COURIER_DETACH, "/dev/bus/x", scene.node);
        request.placeholder = reply.placeholder;
        request.mount = reply.mount;
        reply = detach_behind_link(&scene, bus, link, &request);
    }
    assert_false(reply.shadowed);
    assert_int_equal(scene_count_entries(bus), 2);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_lies_in_the_way_is_refused_by_name),
        cmocka_unit_test(the_hosts_devtmpfs_is_never_written_to),
        cmocka_unit_test(exchanged_directories_lead_nowhere_else),
        cmocka_unit_test(what_a_link_hides_for_a_moment_is_taken_back),
    };
    return cmocka_run_group_tests(tests, scene_start, scene_stop);
}
