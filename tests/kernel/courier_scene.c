/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include "courier_scene.h"

static char store_path[] = "/tmp/devolve-store-XXXXXX";
struct node_store *scene_store;

int scene_start(void **state)
{
    (void)state;
    if (fixture_missing())
        return 0;
    /* Orphans of ours are ours to wait for. */
    if (!mkdtemp(store_path) || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ||
        unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -1;
    return node_store_open(store_path, &scene_store, NULL);
}

int scene_stop(void **state)
{
    (void)state;
    node_store_close(scene_store, false);
    return fixture_missing() ? 0 : rmdir(store_path);
}

struct node *scene_make_node(const struct scene *scene, const struct devnum *number)
{
    struct node *node = NULL;
    struct refusal why = {0};
    uint32_t uid = 0, gid = 0;
    assert_int_equal(idmap_to_host(&scene->namespaces.uids, 0, &uid), 1);
    assert_int_equal(idmap_to_host(&scene->namespaces.gids, 20, &gid), 1);
    assert_int_equal(node_make(scene_store, node_store_reserve(scene_store), number, uid, gid, 0660,
                               &node, &why),
                     0);
    return node;
}

void scene_open(struct scene *scene, const struct fixture_options *options)
{
    const struct devnum null_number = {NODE_CHARACTER, 1, 3};
    struct refusal why = {0};
    const char *missing = fixture_missing();
    if (missing) {
        print_message("skipped: %s\n", missing);
        skip();
    }
    *scene = (struct scene){.namespaces = NAMESPACES_EMPTY};
    assert_int_equal(fixture_start(options, &scene->fixture), 0);
    assert_int_equal(namespaces_open(fixture_pid(scene->fixture), NULL, &scene->namespaces, &why),
                     0);
    assert_int_equal(courier_spawn(&scene->namespaces, &scene->courier, &why), 0);
    scene->node = scene_make_node(scene, &null_number);
}

/* Waits until no abandoned courier lingers. */
void scene_reap(void)
{
    uint64_t deadline = now_us() + DEADLINE_MS * 1000u;
    while (courier_reap() > 0) {
        assert_true(now_us() < deadline);
        sched_yield();
    }
}

void scene_close(struct scene *scene)
{
    courier_abandon(scene->courier);
    scene_reap();
    node_destroy(scene->node);
    namespaces_close(&scene->namespaces);
    fixture_stop(scene->fixture);
}

struct courier_reply scene_ask(struct courier *courier, const struct courier_request *request,
                               int tree_fd)
{
    struct courier_reply reply = {0};
    struct pollfd look = {.fd = courier_fd(courier), .events = POLLIN};
    assert_int_equal(courier_send(courier, request, tree_fd), 0);
    assert_int_equal(poll(&look, 1, DEADLINE_MS), 1);
    assert_int_equal(courier_receive(courier, &reply), 1);
    return reply;
}

struct courier_request scene_node_request(enum courier_verb verb, const char *path,
                                          const struct node *node)
{
    struct courier_request request = {.verb = verb};
    snprintf(request.path, sizeof(request.path), "%s", path);
    node_identity(node, &request.device, &request.inode);
    return request;
}

struct courier_reply scene_attach_node(struct scene *scene, const char *path,
                                       const struct node *node)
{
    struct courier_request request = scene_node_request(COURIER_ATTACH, path, node);
    int tree_fd = node_clone_mount(node);
    assert_true(tree_fd >= 0);
    struct courier_reply reply = scene_ask(scene->courier, &request, tree_fd);
    close(tree_fd);
    return reply;
}

struct courier_reply scene_attach(struct scene *scene, const char *path)
{
    return scene_attach_node(scene, path, scene->node);
}

struct courier_reply scene_detach(struct scene *scene, const char *path,
                                  const struct courier_reply *attached)
{
    struct courier_request request = scene_node_request(COURIER_DETACH, path, scene->node);
    request.placeholder = attached->placeholder;
    request.mount = attached->mount;
    request.made_dirs = attached->made_dirs;
    return scene_ask(scene->courier, &request, -1);
}

struct courier_reply scene_link(struct scene *scene, enum courier_verb verb, const char *path,
                                const char *target, unsigned made_dirs)
{
    struct courier_request request = {.verb = verb, .made_dirs = made_dirs};
    snprintf(request.path, sizeof(request.path), "%s", path);
    snprintf(request.target, sizeof(request.target), "%s", target);
    return scene_ask(scene->courier, &request, -1);
}

struct courier_reply scene_identify(struct scene *scene, const char *owner, const char *group)
{
    struct courier_request request = {.verb = COURIER_IDENTIFY};
    snprintf(request.owner, sizeof(request.owner), "%s", owner);
    snprintf(request.group, sizeof(request.group), "%s", group);
    return scene_ask(scene->courier, &request, -1);
}

int scene_stat(const struct scene *scene, const char *path)
{
    struct stat st;
    return fixture_stat(scene->fixture, path, &st);
}

int scene_open_inside(const struct scene *scene, const char *path)
{
    return fixture_open(scene->fixture, path, O_RDWR);
}

size_t scene_count_entries(const char *path)
{
    size_t count = 0;
    DIR *directory = opendir(path);
    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

size_t scene_count_lines(pid_t pid, const char *name)
{
    char path[64];
    size_t count = 0;
    snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    for (int c = getc(file); c != EOF; c = getc(file))
        count += c == '\n';
    fclose(file);
    return count;
}
