/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cgroup_scene.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define HARDEN "/proc/sys/net/core/bpf_jit_harden"

const struct devnum cgroup_scene_null = {NODE_CHARACTER, 1, 3};
const struct devnum cgroup_scene_tun = {NODE_CHARACTER, 10, 200};
const struct devnum cgroup_scene_kmsg = {NODE_CHARACTER, 1, 11};
char cgroup_scene_directory[] = "/tmp/devolve-bpf-XXXXXX";

static char harden_before;
static int guard_fd = -1;
static pid_t guard_pid;

/* ---- the sysctl ---- */

static char read_harden(void)
{
    char level = '0';
    int fd = open(HARDEN, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, &level, 1) != 1)
        level = '0';
    fd_close(fd);
    return level;
}

void cgroup_scene_harden(char level)
{
    int fd = open(HARDEN, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, &level, 1) != 1)
        print_message("%s cannot be set to %c\n", HARDEN, level);
    fd_close(fd);
}

/* A process that sets the machine's own value again however this one ends: it sees the pipe's end.
 */
static void guard_harden(void)
{
    int ends[2];
    char byte;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return;
    guard_pid = fork();
    if (guard_pid == 0) {
        (void)setsid();
        close(ends[1]);
        while (read(ends[0], &byte, 1) < 0 && errno == EINTR)
            ;
        cgroup_scene_harden(harden_before);
        _exit(0);
    }
    close(ends[0]);
    guard_fd = ends[1];
}

void cgroup_scene_leave(void)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    guard_fd = fd_close(guard_fd);
}

/* ---- the scene ---- */

void cgroup_scene_need(void)
{
    const char *missing = cgroup_box_missing_v2();
    if (missing) {
        print_message("skipped: %s\n", missing);
        skip();
    }
}

int cgroup_scene_start_all(void **state)
{
    (void)state;
    if (cgroup_box_missing_v2())
        return 0;
    harden_before = read_harden();
    guard_harden();
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        !mkdtemp(cgroup_scene_directory) ||
        mount("bpf", cgroup_scene_directory, "bpf", 0, NULL) < 0)
        return -1;
    return 0;
}

int cgroup_scene_stop_all(void **state)
{
    (void)state;
    if (cgroup_box_missing_v2())
        return 0;
    cgroup_scene_harden(harden_before);
    fd_close(guard_fd);
    (void)waitpid(guard_pid, NULL, 0);
    (void)umount2(cgroup_scene_directory, MNT_DETACH);
    return rmdir(cgroup_scene_directory);
}

int cgroup_scene_start(void **state)
{
    static struct cgroup_scene scene;
    static struct counts *counts;
    if (!counts)
        counts =
            mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (counts == MAP_FAILED)
        return -1;
    scene = (struct cgroup_scene){.counts = counts,
                                  .group_fd = -1,
                                  .link_fd = -1,
                                  .box = {.request_fd = -1, .namespaces = NAMESPACES_EMPTY}};
    *state = &scene;
    return 0;
}

static void stop_watching(struct cgroup_scene *scene)
{
    if (scene->watcher <= 0)
        return;
    kill(scene->watcher, SIGKILL);
    waitpid(scene->watcher, NULL, 0);
    scene->watcher = 0;
}

int cgroup_scene_stop(void **state)
{
    struct cgroup_scene *scene = *state;
    if (!cgroup_box_missing_v2())
        cgroup_scene_harden(harden_before);
    stop_watching(scene);
    cgroup_device_close(scene->gates);
    cgroup_box_stop(&scene->box);
    fd_close(scene->group_fd);
    fd_close(scene->link_fd);
    return cgroup_box_missing_v2() ? 0 : cgroup_box_remove_all();
}

size_t cgroup_scene_programs(int group_fd, uint32_t ids[PROGRAMS_MAX])
{
    LIBBPF_OPTS(bpf_prog_query_opts, options, .prog_ids = ids, .prog_cnt = PROGRAMS_MAX);
    assert_int_equal(bpf_prog_query_opts(group_fd, BPF_CGROUP_DEVICE, &options), 0);
    return options.prog_cnt;
}

uint32_t cgroup_scene_only_program(int group_fd)
{
    uint32_t ids[PROGRAMS_MAX];
    assert_int_equal(cgroup_scene_programs(group_fd, ids), 1);
    return ids[0];
}

int cgroup_scene_make_group(const char *name, char *out, size_t size)
{
    assert_int_equal(cgroup_box_make_v2(name, out, size), 0);
    int fd = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

/* Attaches and returns the link, or 0. */
int cgroup_scene_attach(int group_fd, enum shape shape, enum shape_flags flags)
{
    int program_fd = shape_load_program(shape);
    assert_true(program_fd >= 0);
    int r = shape_attach(program_fd, group_fd, flags);
    close(program_fd);
    assert_true(r >= 0);
    return r;
}

void cgroup_scene_set(struct cgroup_scene *scene, enum shape shape, enum shape_flags flags)
{
    scene->group_fd = cgroup_scene_make_group("own", scene->group, sizeof(scene->group));
    int link_fd = cgroup_scene_attach(scene->group_fd, shape, flags);
    scene->link_fd = link_fd ? link_fd : -1;
    scene->original = cgroup_scene_only_program(scene->group_fd);
    assert_int_equal(cgroup_box_start(NULL, scene->group, &scene->box), 0);
}

void cgroup_scene_open_gates(struct cgroup_scene *scene, const char *bpf_directory)
{
    struct refusal why = {0};
    if (cgroup_device_open("box", &scene->box.namespaces, bpf_directory, NULL, &scene->gates,
                           &why) < 0)
        fail_msg("%s", why.text);
}

void cgroup_scene_close_gates(struct cgroup_scene *scene)
{
    cgroup_device_close(scene->gates);
    scene->gates = NULL;
}

void cgroup_scene_allow(struct cgroup_scene *scene, const struct devnum *number, unsigned access)
{
    struct refusal why = {0};
    if (cgroup_device_allow(scene->gates, number, access, &why) < 0)
        fail_msg("%s", why.text);
}

void cgroup_scene_deny(struct cgroup_scene *scene, const struct devnum *number)
{
    assert_int_equal(cgroup_device_deny(scene->gates, number, NULL), 0);
}

/* What the container may do: the granted device when it is, and always what the runtime allowed. */
void cgroup_scene_assert_opens(const struct cgroup_scene *scene, int granted)
{
    assert_int_equal(cgroup_box_open(&scene->box, &cgroup_scene_tun, O_RDWR), granted);
    assert_int_equal(cgroup_box_open(&scene->box, &cgroup_scene_kmsg, O_RDONLY), -EPERM);
    assert_int_equal(cgroup_box_open(&scene->box, &cgroup_scene_null, O_RDWR), 0);
    assert_int_equal(cgroup_box_mknod(&scene->box, &cgroup_scene_kmsg), 0);
}

size_t cgroup_scene_pins(void)
{
    size_t count = 0;
    DIR *stream = opendir(cgroup_scene_directory);
    assert_non_null(stream);
    for (struct dirent *entry; (entry = readdir(stream));)
        count += after_prefix(entry->d_name, "held_") !=
                 NULL; /* the kernel has files of its own there */
    closedir(stream);
    return count;
}

/* ---- somebody who counts ---- */

static void watch_forever(int group_fd, struct counts *counts)
{
    cgroup_scene_leave();
    for (;;) {
        uint32_t ids[PROGRAMS_MAX], count = PROGRAMS_MAX;
        if (bpf_prog_query(group_fd, BPF_CGROUP_DEVICE, 0, NULL, ids, &count) < 0)
            count = 0;
        if (count < counts->lowest)
            counts->lowest = count;
        counts->polls++;
    }
}

void cgroup_scene_watch(struct cgroup_scene *scene)
{
    scene->counts->lowest = UINT32_MAX;
    scene->counts->polls = 0;
    scene->watcher = fork();
    if (scene->watcher == 0)
        watch_forever(scene->group_fd, scene->counts);
    assert_true(scene->watcher > 0);
    for (uint64_t end = now_us() + DEADLINE_US; scene->counts->polls == 0;)
        assert_true(now_us() < end);
}

void cgroup_scene_assert_never_none(struct cgroup_scene *scene)
{
    stop_watching(scene);
    assert_in_range(scene->counts->lowest, 1, PROGRAMS_MAX);
}

int cgroup_scene_load_allow_all(const char *name)
{
    static const struct bpf_insn code[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
        {.code = BPF_JMP | BPF_EXIT}};
    int fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, name, "GPL", code, ARRAY_SIZE(code), NULL);
    assert_true(fd >= 0);
    return fd;
}
