/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/uevent_injector.h"
#include "kernel/uevent_room.h"

#define MESSAGE "add@/devices/x\0ACTION=add\0DEVPATH=/devices/x\0SUBSYSTEM=x"

struct scene {
    int netns_fd; /* of this program from now on, and nobody else's */
    struct uevent_injector *injector;
};

static int write_file(const char *path, const char *text)
{
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

static int open_scene(void **state)
{
    static struct scene scene;
    /* in a namespace of the initial user namespace the kernel's own events would be heard, too */
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 ||
        write_file("/proc/self/setgroups", "deny") < 0 ||
        write_file("/proc/self/uid_map", "0 0 1") < 0 ||
        write_file("/proc/self/gid_map", "0 0 1") < 0)
        return -1;
    scene.netns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    *state = &scene;
    return uevent_injector_open(scene.netns_fd, 0, 0, &scene.injector, NULL);
}

static int close_scene(void **state)
{
    struct scene *scene = *state;
    uevent_injector_close(scene->injector);
    close(scene->netns_fd);
    return 0;
}

static int listen_to(unsigned groups, int buffer)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
    assert_true(fd >= 0);
    if (buffer)
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer)), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static unsigned room(const struct scene *scene, unsigned group)
{
    unsigned count = 0;
    assert_int_equal(uevent_room(scene->netns_fd, group, sizeof(MESSAGE), &count), 0);
    return count;
}

static void send_event(const struct scene *scene)
{
    assert_int_equal(uevent_injector_send(scene->injector, MESSAGE, sizeof(MESSAGE), NULL), 0);
}

/* How many can be read: not those that were lost. */
static unsigned read_all(int fd)
{
    char bytes[4096];
    unsigned count = 0;
    for (;;) {
        ssize_t size = recv(fd, bytes, sizeof(bytes), 0);
        if (size < 0 && errno == EAGAIN)
            return count;
        count += size > 0;
    }
}

static void where_nobody_listens_there_is_room_without_end(void **state)
{
    assert_true(room(*state, UEVENT_GROUP_KERNEL) == UINT_MAX);
    assert_true(room(*state, UEVENT_GROUP_UDEV) == UINT_MAX);
}

static void as_long_as_there_is_room_nothing_is_lost(void **state)
{
    const struct scene *scene = *state;
    int fd = listen_to(UEVENT_GROUP_KERNEL, 20000);
    unsigned sent = 0;
    for (; room(scene, UEVENT_GROUP_KERNEL) > 0; sent++)
        send_event(scene);
    assert_true(sent > 10);
    assert_int_equal(read_all(fd), sent);
    assert_true(room(scene, UEVENT_GROUP_KERNEL) > 0);
    close(fd);
}

static void an_answer_holds_for_as_many_as_it_says(void **state)
{
    const struct scene *scene = *state;
    int fd = listen_to(UEVENT_GROUP_KERNEL, 100000);
    unsigned sent = 0;
    for (unsigned left = room(scene, UEVENT_GROUP_KERNEL); left > 0; left--, sent++)
        send_event(scene);
    assert_true(sent > 10);
    assert_true(room(scene, UEVENT_GROUP_KERNEL) > 0);
    assert_int_equal(read_all(fd), sent);
    close(fd);
}

static void who_lost_something_has_room_when_he_has_read_everything(void **state)
{
    const struct scene *scene = *state;
    char bytes[4096];
    int fd = listen_to(UEVENT_GROUP_KERNEL, 20000);
    for (unsigned i = 0; i < 200; i++)
        send_event(scene);
    assert_int_equal(recv(fd, bytes, sizeof(bytes), 0), -1);
    assert_int_equal(errno, ENOBUFS);
    assert_true(recv(fd, bytes, sizeof(bytes), 0) > 0);
    assert_true(recv(fd, bytes, sizeof(bytes), 0) > 0);
    assert_true(room(scene, UEVENT_GROUP_KERNEL) == 0);
    send_event(scene); /* the kernel does not deliver it */
    unsigned left = read_all(fd);
    assert_true(left > 5);
    assert_true(room(scene, UEVENT_GROUP_KERNEL) > 0);
    send_event(scene);
    assert_int_equal(read_all(fd), 1);
    close(fd);
}

static void the_fullest_of_all_listeners_counts_and_only_those_of_the_group(void **state)
{
    const struct scene *scene = *state;
    int large = listen_to(UEVENT_GROUP_KERNEL, 200000);
    unsigned before = room(scene, UEVENT_GROUP_KERNEL);
    int small = listen_to(UEVENT_GROUP_KERNEL, 20000);
    int udev = listen_to(UEVENT_GROUP_UDEV, 3000);
    int none = listen_to(0, 2500);
    unsigned after = room(scene, UEVENT_GROUP_KERNEL);
    assert_true(after > 0 && after < before);
    assert_true(room(scene, UEVENT_GROUP_UDEV) < after);
    int both = listen_to(UEVENT_GROUP_KERNEL | UEVENT_GROUP_UDEV, 2500);
    assert_true(room(scene, UEVENT_GROUP_KERNEL) < after);
    while (room(scene, UEVENT_GROUP_KERNEL) > 0)
        send_event(scene);
    assert_true(read_all(both) > 0);
    assert_true(room(scene, UEVENT_GROUP_KERNEL) > 0);
    assert_true(read_all(small) > 0 && read_all(large) > 0);
    assert_int_equal(read_all(udev), 0);
    close(both);
    close(none);
    close(udev);
    close(small);
    close(large);
}

static void what_is_no_namespace_is_refused(void **state)
{
    unsigned count;
    (void)state;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(uevent_room(fd, UEVENT_GROUP_KERNEL, sizeof(MESSAGE), &count) < 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_nobody_listens_there_is_room_without_end),
        cmocka_unit_test(as_long_as_there_is_room_nothing_is_lost),
        cmocka_unit_test(an_answer_holds_for_as_many_as_it_says),
        cmocka_unit_test(who_lost_something_has_room_when_he_has_read_everything),
        cmocka_unit_test(the_fullest_of_all_listeners_counts_and_only_those_of_the_group),
        cmocka_unit_test(what_is_no_namespace_is_refused),
    };
    return cmocka_run_group_tests(tests, open_scene, close_scene);
}
