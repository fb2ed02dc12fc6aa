/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "fixture.h"
#include "kernel/mount_api.h"
#include "kernel/node_store.h"

#define NULL_NUMBER                                                                                \
    {                                                                                              \
        NODE_CHARACTER, 1, 3                                                                       \
    } /* /dev/null */

static char directory[] = "/tmp/devolve-store-XXXXXX";
static char store_path[80], peer_path[80];

/*
 * A mount namespace for the test, and in it what systemd makes of the whole host: a shared mount,
 * with a peer at `directory`/peer.
 */
static int start(void **state)
{
    char shared[64], peer[64];
    (void)state;
    if (geteuid() != 0)
        return 0;
    if (!mkdtemp(directory) || unshare(CLONE_NEWNS) < 0 ||
        mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
        return -1;
    snprintf(shared, sizeof(shared), "%s/shared", directory);
    snprintf(peer, sizeof(peer), "%s/peer", directory);
    snprintf(store_path, sizeof(store_path), "%s/store", shared);
    snprintf(peer_path, sizeof(peer_path), "%s/store", peer);
    if (mount("test", directory, "tmpfs", 0, NULL) < 0 || mkdir(shared, 0755) < 0 ||
        mkdir(peer, 0755) < 0 || mount("shared", shared, "tmpfs", 0, NULL) < 0 ||
        mount("none", shared, "none", MS_SHARED, NULL) < 0 ||
        mount(shared, peer, "none", MS_BIND, NULL) < 0)
        return -1;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    if (geteuid() != 0)
        return 0;
    (void)umount2(directory, MNT_DETACH);
    return rmdir(directory);
}

static void need_machine(void)
{
    const char *missing = fixture_missing();
    if (missing) {
        print_message("skipped: %s\n", missing);
        skip();
    }
}

/* For what gets along without the newer system calls, and so runs under valgrind. */
static void need_root(void)
{
    if (geteuid() != 0) {
        print_message("skipped: not root\n");
        skip();
    }
}

static size_t count_mounts(void)
{
    size_t count = 0;
    FILE *file = fopen("/proc/self/mountinfo", "re");
    assert_non_null(file);
    for (int c = getc(file); c != EOF; c = getc(file))
        count += c == '\n';
    fclose(file);
    return count;
}

/* Opens as a user who is not root: 0 or a negative errno. */
static int open_as(uint32_t uid, uint32_t gid, const char *path)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
            _exit(255);
        int fd = open(path, O_RDWR | O_CLOEXEC);
        _exit(fd < 0 ? errno : 0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_not_equal(WEXITSTATUS(status), 255);
    return -WEXITSTATUS(status);
}

/* A file where the node is attached to, as a container would have it. */
static void attach(const struct node *node, const char *path)
{
    int file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    int tree = node_clone_mount(node);
    assert_true(tree >= 0);
    assert_int_equal(mount_attach(tree, file), 0);
    close(tree);
    close(file);
}

static void a_node_has_its_owner_and_mode_and_opens_until_it_is_revoked(void **state)
{
    (void)state;
    need_machine();
    struct node_store *store = NULL;
    struct node *node = NULL;
    struct refusal why = {0};
    struct stat st;
    const struct devnum number = NULL_NUMBER;
    size_t before = count_mounts();
    assert_int_equal(node_store_open(store_path, &store, &why), 0);
    assert_int_equal(
        node_make(store, node_store_reserve(store), &number, 1234, 20, 0660, &node, &why), 0);
    assert_int_equal(node_store_count(store), 1);

    char path[64], copy[64];
    dev_t device;
    ino_t inode;
    snprintf(path, sizeof(path), "%s/a", directory);
    snprintf(copy, sizeof(copy), "%s/b", directory);
    attach(node, path);
    node_identity(node, &device, &inode);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_dev, device);
    assert_int_equal(st.st_ino, inode);
    assert_int_equal(st.st_mode, S_IFCHR | 0660);
    assert_int_equal(st.st_uid, 1234);
    assert_int_equal(st.st_gid, 20);
    assert_int_equal(st.st_rdev, makedev(1, 3));
    assert_int_equal(open_as(1234, 1, path), 0);
    assert_int_equal(open_as(77, 20, path), 0);
    assert_int_equal(open_as(77, 77, path), -EACCES);

    close(open(copy, O_CREAT | O_RDWR | O_CLOEXEC, 0600));
    assert_int_equal(mount(path, copy, NULL, MS_BIND, NULL), 0);
    assert_int_equal(node_change(node, 77, 77, 0600, &why), 0);
    assert_int_equal(open_as(77, 77, copy), 0);
    assert_int_equal(open_as(1234, 20, copy), -EACCES);
    assert_int_equal(node_revoke(node, &why), 0);
    assert_int_equal(node_revoke(node, &why), 0);
    assert_int_equal(open_as(77, 77, path), -EACCES);
    assert_int_equal(open_as(77, 77, copy), -EACCES);
    assert_int_equal(umount(copy), 0);
    assert_int_equal(umount(path), 0);
    node_destroy(node);
    assert_int_equal(node_store_count(store), 0);
    node_store_close(store, false);
    assert_int_equal(count_mounts(), before);
}

static void nothing_crosses_between_the_store_and_a_shared_parent(void **state)
{
    (void)state;
    need_machine();
    struct node_store *store = NULL;
    struct node *node = NULL;
    struct refusal why = {0};
    struct stat st;
    const struct devnum number = NULL_NUMBER;
    char inside[112], peer[112], delivered[64];
    size_t before = count_mounts();
    assert_int_equal(node_store_open(store_path, &store, &why), 0);
    /* The bind and its copy at the peer, and the tmpfs without one. */
    assert_int_equal(count_mounts(), before + 3);
    assert_int_equal(node_make(store, node_store_reserve(store), &number, 0, 0, 0600, &node, &why),
                     0);
    snprintf(inside, sizeof(inside), "%s/1", store_path);
    snprintf(peer, sizeof(peer), "%s/1", peer_path);
    assert_int_equal(stat(inside, &st), 0);
    assert_int_equal(stat(peer, &st), -1);
    assert_int_equal(errno, ENOENT);

    /* What somebody mounts over a delivered node, on a shared mount too, stays with him. */
    dev_t device;
    ino_t inode;
    snprintf(delivered, sizeof(delivered), "%s/shared/delivered", directory);
    attach(node, delivered);
    assert_int_equal(mount("/dev/zero", delivered, NULL, MS_BIND, NULL), 0);
    node_identity(node, &device, &inode);
    assert_int_equal(stat(delivered, &st), 0);
    assert_int_equal(st.st_rdev, makedev(1, 5));
    assert_int_equal(stat(inside, &st), 0);
    assert_int_equal(st.st_ino, inode);
    assert_int_equal(st.st_dev, device);
    assert_int_equal(umount(delivered), 0);
    assert_int_equal(umount(delivered), 0);
    node_destroy(node);
    node_store_close(store, false);
    assert_int_equal(count_mounts(), before);
}

/* A predecessor that was killed, or let go, with nodes 1 and 2 out at these paths. */
static void leave_two(bool let_go, const char *first, const char *second)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct node_store *store = NULL;
        struct node *nodes[2] = {NULL};
        const struct devnum number = NULL_NUMBER;
        if (node_store_open(store_path, &store, NULL) < 0)
            _exit(1);
        for (size_t i = 0; i < 2; i++)
            if (node_make(store, node_store_reserve(store), &number, 1234, 1234, 0600, &nodes[i],
                          NULL) < 0)
                _exit(1);
        attach(nodes[0], first);
        attach(nodes[1], second);
        if (let_go)
            node_store_close(store, true);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void a_successor_goes_on_with_what_it_adopts_and_sweeps_the_rest(bool let_go)
{
    need_machine();
    size_t before = count_mounts();
    char first[64], second[64];
    struct stat st, now;
    const struct devnum number = NULL_NUMBER, other = {NODE_CHARACTER, 1, 5};
    snprintf(first, sizeof(first), "%s/first", directory);
    snprintf(second, sizeof(second), "%s/second", directory);
    leave_two(let_go, first, second);
    assert_int_equal(stat(first, &st), 0);

    struct node_store *store = NULL;
    struct node *node = NULL, *again = NULL;
    struct refusal why = {0};
    assert_int_equal(node_store_open(store_path, &store, &why), 0);
    assert_int_equal(node_store_count(store), 0);
    assert_int_equal(node_adopt(store, 1, &other, &node), -EBADMSG);
    assert_int_equal(node_adopt(store, 7, &number, &node), -ENOENT);
    assert_int_equal(node_adopt(store, 1, &number, &node), 0);
    assert_int_equal(node_adopt(store, 1, &number, &again), -EBADMSG);
    assert_int_equal(node_store_reserve(store), 3);
    assert_int_equal(node_store_sweep(store), 1);
    assert_int_equal(node_store_sweep(store), 0);
    assert_int_equal(open_as(1234, 1234, first), 0);
    assert_int_equal(open_as(1234, 1234, second), -EACCES);
    assert_int_equal(stat(first, &now), 0);
    assert_int_equal(now.st_ino, st.st_ino);
    assert_false(node_is_revoked(node));
    assert_int_equal(node_revoke(node, &why), 0);
    assert_true(node_is_revoked(node));
    assert_int_equal(open_as(1234, 1234, first), -EACCES);
    assert_int_equal(count_mounts(), before + 3 + 2);
    node_destroy(node);
    node_store_close(store, false);
    assert_int_equal(umount(first), 0);
    assert_int_equal(umount(second), 0);
    assert_int_equal(count_mounts(), before);
}

static void the_store_of_a_predecessor_that_was_killed_is_gone_on_with(void **state)
{
    (void)state;
    a_successor_goes_on_with_what_it_adopts_and_sweeps_the_rest(false);
}

static void the_store_of_a_predecessor_that_let_go_is_gone_on_with(void **state)
{
    (void)state;
    a_successor_goes_on_with_what_it_adopts_and_sweeps_the_rest(true);
}

static void a_store_that_is_not_private_is_revoked_and_made_anew(void **state)
{
    (void)state;
    need_machine();
    size_t before = count_mounts();
    char first[64], second[64];
    snprintf(first, sizeof(first), "%s/first", directory);
    snprintf(second, sizeof(second), "%s/second", directory);
    leave_two(false, first, second);
    assert_int_equal(mount(NULL, store_path, NULL, MS_SHARED, NULL), 0);

    struct node_store *store = NULL;
    struct node *node = NULL;
    const struct devnum number = NULL_NUMBER;
    struct refusal why = {0};
    assert_int_equal(node_store_open(store_path, &store, &why), 0);
    assert_int_equal(open_as(1234, 1234, first), -EACCES);
    assert_int_equal(open_as(1234, 1234, second), -EACCES);
    assert_int_equal(node_adopt(store, 1, &number, &node), -ENOENT);
    node_store_close(store, false);
    assert_int_equal(umount(first), 0);
    assert_int_equal(umount(second), 0);
    assert_int_equal(count_mounts(), before);
}

static void closing_the_store_revokes_what_is_still_out(void **state)
{
    (void)state;
    need_machine();
    struct node_store *store = NULL;
    struct node *node = NULL;
    char path[64];
    const struct devnum number = NULL_NUMBER;
    snprintf(path, sizeof(path), "%s/out", directory);
    assert_int_equal(node_store_open(store_path, &store, NULL), 0);
    assert_int_equal(
        node_make(store, node_store_reserve(store), &number, 1234, 1234, 0600, &node, NULL), 0);
    attach(node, path);
    node_store_close(store, false);
    assert_int_equal(open_as(1234, 1234, path), -EACCES);
    assert_int_equal(node_change(node, 1234, 1234, 0600, NULL), -ESTALE);
    node_destroy(node);
    assert_int_equal(umount(path), 0);
}

static void nodes_of_every_kind_are_made_and_go_in_any_order(void **state)
{
    (void)state;
    need_root();
    static const struct devnum numbers[] = {{NODE_CHARACTER, 188, 0},
                                            {NODE_BLOCK, 7, 213},
                                            {NODE_CHARACTER, 511, 1048575},
                                            {NODE_CHARACTER, 188, 0}};
    static const size_t order[] = {2, 0, 3, 1};
    struct node_store *store = NULL;
    struct node *nodes[ARRAY_SIZE(numbers)];
    struct refusal why = {0};
    assert_int_equal(node_store_open(store_path, &store, &why), 0);
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        struct stat st;
        char path[112];
        assert_int_equal(
            node_make(store, node_store_reserve(store), &numbers[i], 0, 0, 0600, &nodes[i], &why),
            0);
        snprintf(path, sizeof(path), "%s/%zu", store_path, i + 1);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(major(st.st_rdev), numbers[i].major);
        assert_int_equal(minor(st.st_rdev), numbers[i].minor);
        assert_int_equal(S_ISBLK(st.st_mode), numbers[i].kind == NODE_BLOCK);
    }
    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        node_destroy(nodes[order[i]]);
        assert_int_equal(node_store_count(store), ARRAY_SIZE(order) - 1 - i);
    }
    const struct devnum none = {NODE_NONE, 0, 0};
    assert_int_equal(
        node_make(store, node_store_reserve(store), &none, 0, 0, 0600, &nodes[0], &why), -EINVAL);
    node_store_close(store, false);
    node_store_close(NULL, false);
    node_destroy(NULL);
}

static void a_directory_that_cannot_be_is_refused_by_name(void **state)
{
    (void)state;
    need_root();
    struct node_store *store = NULL;
    struct refusal why = {0};
    char link[64];
    assert_int_equal(node_store_open("/nowhere/at/all", &store, &why), -ENOENT);
    assert_non_null(strstr(why.text, "/nowhere/at/all"));
    snprintf(link, sizeof(link), "%s/link", directory);
    assert_int_equal(symlink("/tmp", link), 0);
    assert_int_equal(node_store_open(link, &store, &why), -ENOTDIR);
    assert_null(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_has_its_owner_and_mode_and_opens_until_it_is_revoked),
        cmocka_unit_test(nothing_crosses_between_the_store_and_a_shared_parent),
        cmocka_unit_test(the_store_of_a_predecessor_that_was_killed_is_gone_on_with),
        cmocka_unit_test(the_store_of_a_predecessor_that_let_go_is_gone_on_with),
        cmocka_unit_test(a_store_that_is_not_private_is_revoked_and_made_anew),
        cmocka_unit_test(closing_the_store_revokes_what_is_still_out),
        cmocka_unit_test(nodes_of_every_kind_are_made_and_go_in_any_order),
        cmocka_unit_test(a_directory_that_cannot_be_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
