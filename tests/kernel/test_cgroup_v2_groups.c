/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cgroup_scene.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "kernel/device_attachment.h"

/* ---- groups ---- */

static void a_group_without_a_program_is_left_without_one(void **state)
{
    struct cgroup_scene *scene = *state;
    uint32_t ids[PROGRAMS_MAX];
    cgroup_scene_need();
    scene->group_fd = cgroup_scene_make_group("own", scene->group, sizeof(scene->group));
    assert_int_equal(cgroup_box_start(NULL, scene->group, &scene->box), 0);
    cgroup_scene_open_gates(scene, cgroup_scene_directory);
    cgroup_scene_allow(scene, &cgroup_scene_tun, READ_WRITE);
    assert_int_equal(cgroup_box_open(&scene->box, &cgroup_scene_tun, O_RDWR), 0);
    assert_int_equal(cgroup_scene_programs(scene->group_fd, ids), 0);

    /* and one that comes later does not take the device away for long */
    cgroup_scene_attach(scene->group_fd, SHAPE_LXC, SHAPE_MULTI);
    cgroup_scene_assert_opens(scene, -EPERM);
    assert_int_equal(cgroup_device_repair(scene->gates, NULL), 1);
    cgroup_scene_assert_opens(scene, 0);
}

static void each_group_that_holds_the_container_alone_is_edited(void **state)
{
    struct cgroup_scene *scene = *state;
    char parent[256];
    cgroup_scene_need();
    int parent_fd = cgroup_scene_make_group("own", parent, sizeof(parent));
    cgroup_scene_attach(parent_fd, SHAPE_SYSTEMD, SHAPE_MULTI);
    uint32_t above = cgroup_scene_only_program(parent_fd);
    scene->group_fd = cgroup_scene_make_group("own/init", scene->group, sizeof(scene->group));
    cgroup_scene_attach(scene->group_fd, SHAPE_HELPER, SHAPE_MULTI);
    cgroup_scene_attach(scene->group_fd, SHAPE_CRUN, SHAPE_MULTI);
    uint32_t before[PROGRAMS_MAX], after[PROGRAMS_MAX];
    assert_int_equal(cgroup_scene_programs(scene->group_fd, before), 2);
    assert_int_equal(cgroup_box_start(NULL, scene->group, &scene->box), 0);
    cgroup_scene_open_gates(scene, cgroup_scene_directory);
    cgroup_scene_allow(scene, &cgroup_scene_tun, READ_WRITE);
    cgroup_scene_assert_opens(scene, 0);
    assert_int_equal(cgroup_scene_programs(scene->group_fd, after), 2);
    assert_int_not_equal(cgroup_scene_only_program(parent_fd), above);
    cgroup_scene_close_gates(scene);
    assert_int_equal(cgroup_scene_only_program(parent_fd), above);
    assert_int_equal(cgroup_scene_programs(scene->group_fd, after), 2);
    assert_memory_equal(before, after, 2 * sizeof(before[0]));
    close(parent_fd);
}

/* By this a group is known that goes while its programs are looked at: what is kept for it goes
 * too. */
static void the_programs_of_a_removed_group_are_not_found(void **state)
{
    struct cgroup_scene *scene = *state;
    struct device_attachments now;
    cgroup_scene_need();
    int fd = cgroup_scene_make_group("removed", scene->group, sizeof(scene->group));
    assert_int_equal(device_attachments_query(fd, false, &now), 0);
    assert_int_equal(rmdir(scene->group), 0);
    assert_int_equal(device_attachments_query(fd, false, &now), -ENOENT);
    close(fd);
}

struct shared {
    char parent[256], neighbour[256];
    int parent_fd;
    struct cgroup_box other;
};

static void set_shared_scene(struct cgroup_scene *scene, struct shared *shared)
{
    shared->parent_fd = cgroup_scene_make_group("shared", shared->parent, sizeof(shared->parent));
    close(
        cgroup_scene_make_group("shared/neighbour", shared->neighbour, sizeof(shared->neighbour)));
    scene->group_fd = cgroup_scene_make_group("shared/own", scene->group, sizeof(scene->group));
    assert_int_equal(cgroup_box_start(NULL, shared->neighbour, &shared->other), 0);
    assert_int_equal(cgroup_box_start(NULL, scene->group, &scene->box), 0);
}

static void a_shared_group_that_denies_is_a_refusal_by_name(void **state)
{
    struct cgroup_scene *scene = *state;
    struct shared shared;
    struct refusal why = {0};
    cgroup_scene_need();
    set_shared_scene(scene, &shared);
    cgroup_scene_attach(shared.parent_fd, SHAPE_RUNC, SHAPE_MULTI);
    cgroup_scene_attach(scene->group_fd, SHAPE_RUNC, SHAPE_MULTI);
    uint32_t above = cgroup_scene_only_program(shared.parent_fd);
    cgroup_scene_open_gates(scene, cgroup_scene_directory);
    int refused = cgroup_device_allow(scene->gates, &cgroup_scene_tun, READ_WRITE, &why);
    int possible = cgroup_device_allow(scene->gates, &cgroup_scene_null, READ_WRITE, NULL);
    int neighbours = cgroup_box_open(&shared.other, &cgroup_scene_tun, O_RDWR);
    cgroup_box_stop(&shared.other);
    assert_int_equal(refused, -EPERM);
    assert_int_equal(possible, 0);
    assert_int_equal(neighbours, -EPERM);
    assert_non_null(strstr(why.text, "/shared"));
    assert_null(strstr(why.text, "/own"));
    assert_int_equal(cgroup_scene_only_program(shared.parent_fd), above);

    /* what was refused does not lie in wait until the shared group gives way */
    int program_fd = bpf_prog_get_fd_by_id(above);
    assert_int_equal(bpf_prog_detach2(program_fd, shared.parent_fd, BPF_CGROUP_DEVICE), 0);
    close(program_fd);
    close(shared.parent_fd);
    cgroup_scene_assert_opens(scene, -EPERM);
}

static void a_shared_group_that_does_not_deny_is_no_refusal(void **state)
{
    struct cgroup_scene *scene = *state;
    struct shared shared;
    struct refusal why = {0};
    cgroup_scene_need();
    set_shared_scene(scene, &shared);
    int program_fd = cgroup_scene_load_allow_all(NULL);
    assert_int_equal(shape_attach(program_fd, shared.parent_fd, SHAPE_MULTI), 0);
    close(program_fd);
    cgroup_scene_attach(scene->group_fd, SHAPE_RUNC, SHAPE_MULTI);
    uint32_t above = cgroup_scene_only_program(shared.parent_fd);
    cgroup_scene_open_gates(scene, cgroup_scene_directory);
    cgroup_scene_allow(scene, &cgroup_scene_tun, READ_WRITE | ACCESS_MKNOD);
    cgroup_scene_assert_opens(scene, 0);

    /* a frozen container cannot be asked: that is a refusal, and does not take for ever */
    char freeze[300];
    snprintf(freeze, sizeof(freeze), "%s/cgroup.freeze", scene->group);
    int fd = open(freeze, O_WRONLY | O_CLOEXEC);
    assert_int_equal(write(fd, "1", 1), 1);
    uint64_t begin = now_us();
    int frozen = cgroup_device_allow(scene->gates, &cgroup_scene_kmsg, ACCESS_READ, &why);
    uint64_t took = now_us() - begin;
    assert_int_equal(write(fd, "0", 1), 1);
    close(fd);
    cgroup_box_stop(&shared.other);
    assert_int_equal(frozen, -ETIMEDOUT);
    assert_in_range(took, 0, 2000000);
    cgroup_scene_assert_opens(scene, 0);
    assert_int_equal(cgroup_scene_only_program(shared.parent_fd), above);
    close(shared.parent_fd);
}

static void a_group_that_others_share_is_not_edited(void **state)
{
    struct cgroup_scene *scene = *state;
    struct cgroup_box other;
    struct refusal why = {0};
    cgroup_scene_need();
    cgroup_scene_set(scene, SHAPE_RUNC, SHAPE_MULTI);
    assert_int_equal(cgroup_box_start(NULL, scene->group, &other), 0);
    cgroup_scene_open_gates(scene, cgroup_scene_directory);
    int refused = cgroup_device_allow(scene->gates, &cgroup_scene_tun, READ_WRITE, &why);
    cgroup_box_stop(&other);
    assert_int_equal(refused, -EUSERS);
    assert_non_null(strstr(why.text, "/own"));
    assert_int_equal(cgroup_scene_only_program(scene->group_fd), scene->original);

    cgroup_scene_allow(scene, &cgroup_scene_tun, READ_WRITE); /* the other one has left */
    cgroup_scene_assert_opens(scene, 0);
}

/* ---- what cannot be edited ---- */

/* Its storage hangs on the attachment, which would be ours. */
static void a_program_with_storage_of_its_attachment_is_refused(void **state)
{
    struct cgroup_scene *scene = *state;
    struct refusal why = {0};
    cgroup_scene_need();
    scene->group_fd = cgroup_scene_make_group("own", scene->group, sizeof(scene->group));
    int map_fd = bpf_map_create(BPF_MAP_TYPE_CGROUP_STORAGE, NULL,
                                sizeof(struct bpf_cgroup_storage_key), 8, 0, NULL);
    assert_true(map_fd >= 0);
    const struct bpf_insn code[] = {
        {.code = BPF_LD | BPF_DW | BPF_IMM,
         .dst_reg = BPF_REG_1,
         .src_reg = BPF_PSEUDO_MAP_FD,
         .imm = map_fd},
        {.code = 0},
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2},
        {.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_local_storage},
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
        {.code = BPF_JMP | BPF_EXIT},
    };
    int program_fd =
        bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, NULL, "GPL", code, ARRAY_SIZE(code), NULL);
    assert_true(program_fd >= 0);
    assert_int_equal(shape_attach(program_fd, scene->group_fd, SHAPE_MULTI), 0);
    scene->original = cgroup_scene_only_program(scene->group_fd);
    close(program_fd);
    close(map_fd);
    assert_int_equal(cgroup_box_start(NULL, scene->group, &scene->box), 0);
    cgroup_scene_open_gates(scene, cgroup_scene_directory);
    assert_int_equal(cgroup_device_allow(scene->gates, &cgroup_scene_tun, READ_WRITE, &why),
                     -ENOTSUP);
    assert_non_null(strstr(why.text, "storage"));
    assert_int_equal(cgroup_scene_only_program(scene->group_fd), scene->original);
    assert_int_equal(cgroup_scene_pins(), 0);
}

static void write_list(const char *group, const char *file, const char *text)
{
    char path[300];
    snprintf(path, sizeof(path), "%s/%s", group, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void on_a_hybrid_host_both_hierarchies_give_and_either_refuses_for_both(void **state)
{
    struct cgroup_scene *scene = *state;
    struct cgroup_box other;
    char v1[256], text[300];
    cgroup_scene_need();
    if (cgroup_box_missing_v1()) {
        print_message("skipped: %s\n", cgroup_box_missing_v1());
        skip();
    }
    assert_int_equal(cgroup_box_make_v1("own", v1, sizeof(v1)), 0);
    write_list(v1, "devices.deny", "a");
    write_list(v1, "devices.allow", "c 1:3 rw");
    scene->group_fd = cgroup_scene_make_group("own", scene->group, sizeof(scene->group));
    cgroup_scene_attach(scene->group_fd, SHAPE_RUNC, SHAPE_MULTI);
    assert_int_equal(cgroup_box_start(v1, scene->group, &scene->box), 0);
    cgroup_scene_open_gates(scene, cgroup_scene_directory);
    cgroup_scene_allow(scene, &cgroup_scene_tun, READ_WRITE);
    assert_int_equal(cgroup_box_open(&scene->box, &cgroup_scene_tun, O_RDWR), 0);
    cgroup_scene_deny(scene, &cgroup_scene_tun);
    assert_int_equal(cgroup_box_open(&scene->box, &cgroup_scene_tun, O_RDWR), -EPERM);
    cgroup_scene_close_gates(scene);

    /* somebody else in the v2 group: it cannot be edited, and v1 is as it was */
    assert_int_equal(cgroup_box_start(NULL, scene->group, &other), 0);
    cgroup_scene_open_gates(scene, cgroup_scene_directory);
    int refused = cgroup_device_allow(scene->gates, &cgroup_scene_tun, READ_WRITE, NULL);
    cgroup_box_stop(&other);
    assert_int_equal(refused, -EUSERS);
    snprintf(text, sizeof(text), "%s/devices.list", v1);
    int fd = open(text, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    assert_string_equal(text, "c 1:3 rw\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, cgroup_scene_start, cgroup_scene_stop)
        TEST(a_group_without_a_program_is_left_without_one),
        TEST(each_group_that_holds_the_container_alone_is_edited),
        TEST(a_shared_group_that_denies_is_a_refusal_by_name),
        TEST(a_shared_group_that_does_not_deny_is_no_refusal),
        TEST(a_group_that_others_share_is_not_edited),
        TEST(the_programs_of_a_removed_group_are_not_found),
        TEST(a_program_with_storage_of_its_attachment_is_refused),
        TEST(on_a_hybrid_host_both_hierarchies_give_and_either_refuses_for_both),
    };
    return cmocka_run_group_tests(tests, cgroup_scene_start_all, cgroup_scene_stop_all);
}
