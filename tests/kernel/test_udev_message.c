/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <grp.h>
#include <libudev.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../unit/udev_retelling.h"
#include "model/udev_message.h"

/*
 * What the real libudev makes of our messages. A "container" is a child in user, network and mount
 * namespaces of its own, with /run/udev/control; its monitor hands on what it hears. We multicast
 * to it as devolved does: through a socket that was opened in its network namespace, with its
 * root's ids.
 */

#define HOST_ROOT 100000u
#define DEADLINE_MS 5000
#define UDEV_GROUP 2

struct filter {
    const char *subsystem, *devtype, *tag; /* each may be NULL */
};

struct container {
    pid_t pid;
    int channel_fd; /* one text a message */
    int socket_fd;  /* in its network namespace */
};

/* Inside: /run as a container without udevd has it once devolved was there. */
static int make_run(void)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", "/run", "tmpfs", 0, NULL) < 0 || mkdir("/run/udev", 0755) < 0)
        return -1;
    int fd = open("/run/udev/control", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    return fd < 0 ? -1 : close(fd);
}

/* Inside: a monitor with a filter, as a program would open it. */
static struct udev_monitor *open_monitor(const struct filter *filter)
{
    struct udev *udev = udev_new();
    struct udev_monitor *monitor = udev ? udev_monitor_new_from_netlink(udev, "udev") : NULL;
    if (!monitor)
        return NULL;
    if (filter->subsystem && udev_monitor_filter_add_match_subsystem_devtype(
                                 monitor, filter->subsystem, filter->devtype) < 0)
        return NULL;
    if (filter->tag && udev_monitor_filter_add_match_tag(monitor, filter->tag) < 0)
        return NULL;
    return udev_monitor_enable_receiving(monitor) < 0 ? NULL : monitor;
}

/* Inside: "KEY=VALUE\n" lines of what was heard, those of libudev's other answers among them. */
static size_t describe(struct udev_device *device, char *out, size_t size)
{
    struct udev_list_entry *entry;
    const char *node = udev_device_get_devnode(device);
    size_t used =
        (size_t)snprintf(out, size, ".initialised=%d\n.action=%s\n.node=%s\n.seqnum=%llu\n",
                         udev_device_get_is_initialized(device), udev_device_get_action(device),
                         node ? node : "", udev_device_get_seqnum(device));
    udev_list_entry_foreach(entry, udev_device_get_properties_list_entry(device))
    {
        used += (size_t)snprintf(out + used, size - used, "%s=%s\n",
                                 udev_list_entry_get_name(entry), udev_list_entry_get_value(entry));
    }
    return used;
}

/* Inside, for ever. */
static void hand_on(struct udev_monitor *monitor, int channel_fd)
{
    static char text[2 * UDEV_MESSAGE_MAX];
    struct pollfd pollfd = {.fd = udev_monitor_get_fd(monitor), .events = POLLIN};
    for (;;) {
        struct udev_device *device = udev_monitor_receive_device(monitor);
        if (!device) {
            (void)poll(&pollfd, 1, -1);
            continue;
        }
        size_t length = describe(device, text, sizeof(text));
        if (write(channel_fd, text, length) != (ssize_t)length)
            _exit(0);
        udev_device_unref(device);
    }
}

static void listen_inside(const struct filter *filter, int channel_fd)
{
    char go;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) < 0 || write(channel_fd, "u", 1) != 1 ||
        read(channel_fd, &go, 1) != 1 || setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 ||
        setresuid(0, 0, 0) < 0 || make_run() < 0)
        _exit(1);
    struct udev_monitor *monitor = open_monitor(filter);
    if (!monitor || write(channel_fd, "r", 1) != 1)
        _exit(1);
    hand_on(monitor, channel_fd);
}

static bool write_file_of(pid_t pid, const char *name, const char *text)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* A socket in the network namespace of a process; we are back in our own then. */
static int open_socket_of(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
    _cleanup_close_ int inside = open(path, O_RDONLY | O_CLOEXEC);
    _cleanup_close_ int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    assert_true(inside >= 0 && own >= 0);
    assert_int_equal(setns(inside, CLONE_NEWNET), 0);
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
    assert_int_equal(setns(own, CLONE_NEWNET), 0);
    assert_true(fd >= 0);
    return fd;
}

static struct container start_container(const struct filter *filter)
{
    int pair[2];
    char byte;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(pair[0]);
        listen_inside(filter, pair[1]);
    }
    close(pair[1]);
    if (read(pair[0], &byte, 1) != 1 || !write_file_of(pid, "uid_map", "0 100000 65536") ||
        !write_file_of(pid, "gid_map", "0 100000 65536") || write(pair[0], "g", 1) != 1 ||
        read(pair[0], &byte, 1) != 1)
        fail_msg("cannot make a container with a monitor (root is needed)");
    return (struct container){.pid = pid, .channel_fd = pair[0], .socket_fd = open_socket_of(pid)};
}

static void stop_container(struct container *container)
{
    fd_close(container->channel_fd);
    fd_close(container->socket_fd);
    kill(container->pid, SIGKILL);
    waitpid(container->pid, NULL, 0);
}

static void multicast(const struct container *container, const void *message, size_t size)
{
    struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_groups = UDEV_GROUP};
    struct iovec data = {.iov_base = (void *)message, .iov_len = size};
    struct ucred credentials = {.pid = getpid(), .uid = HOST_ROOT, .gid = HOST_ROOT};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(credentials)),
                            .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_CREDENTIALS}};
    struct msghdr header = {.msg_name = &to,
                            .msg_namelen = sizeof(to),
                            .msg_iov = &data,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof(control)};
    memcpy(CMSG_DATA(&control.header), &credentials, sizeof(credentials));
    assert_int_equal(sendmsg(container->socket_fd, &header, 0), size);
}

static void tell(const struct container *container, const struct property_list *properties)
{
    char message[UDEV_MESSAGE_MAX];
    int length = udev_message_encode(properties, message, sizeof(message));
    assert_true(length > 0);
    multicast(container, message, (size_t)length);
}

/* What the monitor has heard next, as a list of what describe() wrote. */
static struct property_list hear(const struct container *container)
{
    static char text[2 * UDEV_MESSAGE_MAX];
    struct pollfd pollfd = {.fd = container->channel_fd, .events = POLLIN};
    struct property_list heard = {0};
    if (poll(&pollfd, 1, DEADLINE_MS) != 1)
        fail_msg("libudev has heard nothing");
    ssize_t length = read(container->channel_fd, text, sizeof(text) - 1);
    assert_true(length > 0);
    text[length] = '\0';
    for (char *line = text, *end; *line; line = end + 1) {
        end = strchr(line, '\n');
        char *equals = strchr(line, '=');
        assert_true(end && equals && equals < end);
        *equals = *end = '\0';
        assert_int_equal(property_set(&heard, line, equals + 1), 0);
    }
    return heard;
}

/* libudev puts tags and links together anew, in another order. */
static void assert_same_names(const char *a, const char *b)
{
    struct name_list as = udev_retelling_split(a, ": "), bs = udev_retelling_split(b, ": ");
    assert_int_equal(as.count, bs.count);
    for (size_t i = 0; i < as.count; i++)
        assert_true(name_list_has(&bs, as.items[i]));
    name_list_done(&as);
    name_list_done(&bs);
}

static void assert_heard(const struct property_list *heard, const struct property_list *told)
{
    const char *node = property_get(told, "DEVNAME");
    assert_string_equal(property_get(heard, ".initialised"), "1");
    assert_string_equal(property_get(heard, ".node"), node ? node : "");
    assert_string_equal(property_get(heard, ".action"), property_get(told, "ACTION"));
    assert_string_equal(property_get(heard, ".seqnum"), property_get(told, "SEQNUM"));
    for (size_t i = 0; i < told->count; i++) {
        const char *key = told->items[i].key, *value = property_get(heard, key);
        if (streq(key, "UDEV_DATABASE_VERSION"))
            continue; /* libudev keeps it to itself */
        if (!value)
            fail_msg("libudev has no %s", key);
        if (streq(key, "TAGS") || streq(key, "CURRENT_TAGS") || streq(key, "DEVLINKS"))
            assert_same_names(value, told->items[i].value);
        else
            assert_string_equal(value, told->items[i].value);
    }
    size_t kept = property_get(told, "UDEV_DATABASE_VERSION") != NULL;
    assert_int_equal(heard->count, told->count - kept + 4);
}

static void libudev_hears_every_message_that_a_container_is_told(void **state)
{
    const struct filter all = {0};
    struct container container = start_container(&all);
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(udev_captures_kernels); i++) {
        struct udev_captures captures;
        struct udev_captures_message message;
        udev_captures_load(udev_captures_kernels[i], &captures);
        for (size_t at = 0; udev_captures_next_message(&captures, &at, &message);) {
            struct property_list said = udev_retelling_decode(&message);
            struct property_list told = udev_retelling_tell(&said);
            tell(&container, &told);
            struct property_list heard = hear(&container);
            assert_heard(&heard, &told);
            property_list_done(&said);
            property_list_done(&told);
            property_list_done(&heard);
        }
        udev_captures_done(&captures);
    }
    stop_container(&container);
}

/* Messages that differ in what filters look at. */
static struct property_list message_of(const char *subsystem, const char *devtype, const char *tags)
{
    struct property_list list = {0};
    assert_int_equal(property_set(&list, "ACTION", "add"), 0);
    assert_int_equal(property_set(&list, "DEVPATH", "/devices/virtual/x/y"), 0);
    assert_int_equal(property_set(&list, "SUBSYSTEM", subsystem), 0);
    assert_int_equal(property_set(&list, "SEQNUM", "7"), 0);
    if (devtype)
        assert_int_equal(property_set(&list, "DEVTYPE", devtype), 0);
    if (tags)
        assert_int_equal(property_set(&list, "TAGS", tags), 0);
    return list;
}

static void a_monitor_with_a_filter_hears_what_it_asked_for(void **state)
{
    static const struct {
        struct filter filter;
        const char *other[3], *asked[3]; /* subsystem, devtype, tags */
    } cases[] = {
        {{"tty", NULL, NULL}, {"usb", NULL, NULL}, {"tty", NULL, NULL}},
        {{"usb", "usb_device", NULL}, {"usb", "usb_interface", NULL}, {"usb", "usb_device", NULL}},
        {{"block", "disk", NULL}, {"block", NULL, NULL}, {"block", "disk", ":a:"}},
        {{NULL, NULL, "zigbee"}, {"tty", NULL, ":other:"}, {"tty", NULL, ":a:zigbee:b:"}},
        {{"tty", NULL, "zigbee"}, {"tty", NULL, NULL}, {"tty", NULL, ":zigbee:"}},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *const *no = cases[i].other, *const *yes = cases[i].asked;
        struct container container = start_container(&cases[i].filter);
        struct property_list other = message_of(no[0], no[1], no[2]);
        struct property_list asked = message_of(yes[0], yes[1], yes[2]);
        tell(&container, &other);
        tell(&container, &asked);
        struct property_list heard = hear(&container);
        assert_heard(&heard, &asked);
        property_list_done(&other);
        property_list_done(&asked);
        property_list_done(&heard);
        stop_container(&container);
    }
}

/* So that the tests above mean something: a wrong hash is not heard. */
static void a_message_with_a_wrong_hash_is_not_heard(void **state)
{
    const struct filter tty = {"tty", NULL, NULL};
    struct container container = start_container(&tty);
    struct property_list good = message_of("tty", NULL, ":good:");
    char message[256];
    (void)state;
    int length = udev_message_encode(&good, message, sizeof(message));
    assert_true(length > 0);
    message[24] ^= 1;
    multicast(&container, message, (size_t)length);
    assert_int_equal(property_set(&good, "SEQNUM", "8"), 0);
    tell(&container, &good);
    struct property_list heard = hear(&container);
    assert_string_equal(property_get(&heard, ".seqnum"), "8");
    property_list_done(&good);
    property_list_done(&heard);
    stop_container(&container);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(libudev_hears_every_message_that_a_container_is_told),
        cmocka_unit_test(a_monitor_with_a_filter_hears_what_it_asked_for),
        cmocka_unit_test(a_message_with_a_wrong_hash_is_not_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
