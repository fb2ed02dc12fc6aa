/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cgroup_scene.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

/* ---- what others do ---- */

static void a_program_that_took_the_place_of_ours_is_put_behind_ours_again(void **state)
{
    struct cgroup_scene *scene = *state;
    cgroup_scene_need();
    for (enum shape_flags flags = 0; flags <= SHAPE_MULTI; flags++) {
        scene = *state;
        cgroup_scene_set(scene, SHAPE_RUNC, flags);
        cgroup_scene_open_gates(scene, cgroup_scene_directory);
        cgroup_scene_allow(scene, &cgroup_scene_tun, READ_WRITE);
        /* runc, crun: replace the one that is there, whosever it is */
        int old_fd = bpf_prog_get_fd_by_id(cgroup_scene_only_program(scene->group_fd));
        int new_fd = shape_load_program(SHAPE_CRUN);
        LIBBPF_OPTS(bpf_prog_attach_opts, options, .flags = BPF_F_ALLOW_MULTI | BPF_F_REPLACE,
                    .replace_prog_fd = old_fd);
        int r = flags == SHAPE_MULTI
                    ? bpf_prog_attach_opts(new_fd, scene->group_fd, BPF_CGROUP_DEVICE, &options)
                    : shape_attach(new_fd, scene->group_fd, flags);
        close(old_fd);
        close(new_fd);
        assert_int_equal(r, 0);
        uint32_t theirs = cgroup_scene_only_program(scene->group_fd);
        cgroup_scene_assert_opens(scene, -EPERM);
        cgroup_scene_watch(scene);
        assert_int_equal(cgroup_device_repair(scene->gates, NULL), 1);
        cgroup_scene_assert_never_none(scene);
        cgroup_scene_assert_opens(scene, 0);
        assert_int_equal(cgroup_device_repair(scene->gates, NULL), 0);
        cgroup_scene_close_gates(scene);
        assert_int_equal(cgroup_scene_only_program(scene->group_fd), theirs);
        assert_int_equal(cgroup_scene_pins(), 0);
        assert_int_equal(cgroup_scene_stop(state), 0);
        cgroup_scene_start(state);
    }
}

/* LXC and systemd add theirs, as they no longer find the one that they would replace. */
static void the_same_program_added_beside_ours_takes_its_place(void **state)
{
    static const enum shape shapes[] = {SHAPE_LXC, SHAPE_SYSTEMD};
    cgroup_scene_need();
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        struct cgroup_scene *scene = *state;
        cgroup_scene_set(scene, shapes[i], SHAPE_MULTI);
        cgroup_scene_open_gates(scene, cgroup_scene_directory);
        cgroup_scene_allow(scene, &cgroup_scene_tun, READ_WRITE);
        cgroup_scene_watch(scene);
        for (int reload = 0; reload < 5; reload++) {
            cgroup_scene_attach(scene->group_fd, shapes[i], SHAPE_MULTI);
            cgroup_scene_assert_opens(scene, -EPERM);
            assert_int_equal(cgroup_device_repair(scene->gates, NULL), 1);
            cgroup_scene_only_program(scene->group_fd);
            cgroup_scene_assert_opens(scene, 0);
        }
        cgroup_scene_assert_never_none(scene);
        assert_in_range(scene->counts->polls, 10 * 5, UINT32_MAX);
        cgroup_scene_close_gates(scene);
        assert_int_not_equal(cgroup_scene_only_program(scene->group_fd), scene->original);
        cgroup_scene_assert_opens(scene, -EPERM);
        assert_int_equal(cgroup_scene_pins(), 0);
        assert_int_equal(cgroup_scene_stop(state), 0);
        cgroup_scene_start(state);
    }
}

static void another_program_added_beside_ours_is_a_gate_of_its_own(void **state)
{
    struct cgroup_scene *scene = *state;
    uint32_t ids[PROGRAMS_MAX];
    cgroup_scene_need();
    cgroup_scene_set(scene, SHAPE_LXC, SHAPE_MULTI);
    cgroup_scene_open_gates(scene, cgroup_scene_directory);
    cgroup_scene_allow(scene, &cgroup_scene_tun, READ_WRITE);
    cgroup_scene_attach(scene->group_fd, SHAPE_MAP, SHAPE_MULTI);
    cgroup_scene_assert_opens(scene, -EPERM);
    assert_int_equal(cgroup_device_repair(scene->gates, NULL), 1);
    assert_int_equal(cgroup_scene_programs(scene->group_fd, ids), 2);
    cgroup_scene_assert_opens(scene, 0);
}

static void a_program_that_was_detached_is_not_put_back(void **state)
{
    struct cgroup_scene *scene = *state;
    uint32_t ids[PROGRAMS_MAX];
    cgroup_scene_need();
    cgroup_scene_set(scene, SHAPE_HELPER, SHAPE_MULTI);
    cgroup_scene_open_gates(scene, cgroup_scene_directory);
    cgroup_scene_allow(scene, &cgroup_scene_tun, READ_WRITE);
    int fd = bpf_prog_get_fd_by_id(cgroup_scene_only_program(scene->group_fd));
    assert_int_equal(bpf_prog_detach2(fd, scene->group_fd, BPF_CGROUP_DEVICE), 0);
    close(fd);
    assert_int_equal(cgroup_device_repair(scene->gates, NULL), 0);
    assert_int_equal(cgroup_scene_programs(scene->group_fd, ids), 0);
    cgroup_scene_deny(scene, &cgroup_scene_tun);
    cgroup_scene_allow(scene, &cgroup_scene_tun, READ_WRITE);
    cgroup_scene_attach(scene->group_fd, SHAPE_RUNC, SHAPE_MULTI);
    assert_int_equal(cgroup_device_repair(scene->gates, NULL), 1);
    cgroup_scene_assert_opens(scene, 0);
    cgroup_scene_close_gates(scene);
    assert_int_equal(cgroup_scene_pins(), 0);
}

/* A program of systemd's that changed: the old one, which systemd no longer finds, has to go. */
static void the_next_version_of_systemd_s_program_is_the_one_in_force(void **state)
{
    struct cgroup_scene *scene = *state;
    cgroup_scene_need();
    cgroup_scene_set(scene, SHAPE_SYSTEMD, SHAPE_MULTI);
    cgroup_scene_open_gates(scene, cgroup_scene_directory);
    cgroup_scene_allow(scene, &cgroup_scene_tun, READ_WRITE);
    int program_fd = cgroup_scene_load_allow_all("sd_devices");
    assert_int_equal(shape_attach(program_fd, scene->group_fd, SHAPE_MULTI), 0);
    close(program_fd);
    assert_int_equal(cgroup_box_open(&scene->box, &cgroup_scene_kmsg, O_RDONLY), -EPERM);
    assert_int_equal(cgroup_device_repair(scene->gates, NULL), 1);
    cgroup_scene_only_program(scene->group_fd);
    assert_int_equal(cgroup_box_open(&scene->box, &cgroup_scene_kmsg, O_RDONLY), 0);
}

/* ---- what is left behind ---- */

static void without_a_bpffs_only_what_can_be_spliced_is_edited(void **state)
{
    struct cgroup_scene *scene = *state;
    struct refusal why = {0};
    cgroup_scene_need();
    cgroup_scene_set(scene, SHAPE_RUNC, SHAPE_MULTI);
    cgroup_scene_open_gates(scene, NULL);
    cgroup_scene_allow(scene, &cgroup_scene_tun, READ_WRITE);
    cgroup_scene_assert_opens(scene, 0);
    cgroup_scene_close_gates(scene);
    assert_int_equal(cgroup_scene_only_program(scene->group_fd), scene->original);
    assert_int_equal(cgroup_scene_stop(state), 0);

    cgroup_scene_start(state);
    cgroup_scene_set(scene, SHAPE_HELPER, SHAPE_MULTI);
    cgroup_scene_open_gates(scene, NULL);
    assert_int_equal(cgroup_device_allow(scene->gates, &cgroup_scene_tun, READ_WRITE, &why),
                     -ENOTSUP);
    assert_non_null(strstr(why.text, "helper"));
    cgroup_scene_assert_opens(scene, -EPERM);
    assert_int_equal(cgroup_scene_only_program(scene->group_fd), scene->original);
}

static void closing_works_when_the_group_is_gone(void **state)
{
    struct cgroup_scene *scene = *state;
    cgroup_scene_need();
    cgroup_scene_set(scene, SHAPE_HELPER, SHAPE_MULTI);
    cgroup_scene_open_gates(scene, cgroup_scene_directory);
    cgroup_scene_allow(scene, &cgroup_scene_tun, READ_WRITE);
    cgroup_box_stop(&scene->box);
    fd_close(scene->group_fd);
    scene->group_fd = -1;
    assert_int_equal(cgroup_box_remove_all(), 0);
    assert_int_equal(cgroup_device_deny(scene->gates, &cgroup_scene_tun, NULL), 0);
    assert_true(cgroup_device_allow(scene->gates, &cgroup_scene_tun, READ_WRITE, NULL) < 0);
    cgroup_scene_close_gates(scene);
    assert_int_equal(cgroup_scene_pins(), 0);
}

static size_t open_files(void)
{
    size_t count = 0;
    DIR *stream = opendir("/proc/self/fd");
    assert_non_null(stream);
    while (readdir(stream))
        count++;
    closedir(stream);
    return count;
}

static void a_container_with_grants_holds_no_descriptor(void **state)
{
    struct cgroup_scene *scene = *state;
    cgroup_scene_need();
    cgroup_scene_set(scene, SHAPE_MAP, SHAPE_MULTI);
    size_t before = open_files();
    cgroup_scene_open_gates(scene, cgroup_scene_directory);
    cgroup_scene_allow(scene, &cgroup_scene_tun, READ_WRITE);
    cgroup_scene_allow(scene, &cgroup_scene_kmsg, ACCESS_READ);
    assert_int_equal(open_files(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, cgroup_scene_start, cgroup_scene_stop)
        TEST(a_program_that_took_the_place_of_ours_is_put_behind_ours_again),
        TEST(the_same_program_added_beside_ours_takes_its_place),
        TEST(another_program_added_beside_ours_is_a_gate_of_its_own),
        TEST(a_program_that_was_detached_is_not_put_back),
        TEST(the_next_version_of_systemd_s_program_is_the_one_in_force),
        TEST(without_a_bpffs_only_what_can_be_spliced_is_edited),
        TEST(closing_works_when_the_group_is_gone),
        TEST(a_container_with_grants_holds_no_descriptor),
    };
    return cmocka_run_group_tests(tests, cgroup_scene_start_all, cgroup_scene_stop_all);
}
