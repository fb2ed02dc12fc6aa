/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kernel/uevent_injector.h"
#include "model/uevent.h"

/*
 * A "container": a child in a user namespace that maps 0 to HOST_ROOT and in a network namespace of
 * that. It listens on group 1 as a program inside would and hands on what it sees, with the
 * credentials as its own user namespace shows them.
 */

#define HOST_ROOT 100000u
#define DEADLINE_MS 5000
#define MESSAGE                                                                                    \
    "add@/devices/virtual/block/zram7\0ACTION=add\0DEVPATH=/devices/virtual/block/zram7\0"         \
    "SUBSYSTEM=block\0MAJOR=253\0MINOR=7\0DEVNAME=zram7\0DEVTYPE=disk"

struct seen {
    uint32_t port;
    uint32_t groups;
    struct ucred credentials;
    uint32_t size;
    char text[4096];
};

static struct container {
    pid_t pid;
    int channel_fd; /* one struct seen a message */
    int netns_fd;
} container = {.channel_fd = -1, .netns_fd = -1};

static void read_event(int fd, struct seen *seen)
{
    struct sockaddr_nl sender = {0};
    struct iovec data = {.iov_base = seen->text, .iov_len = sizeof(seen->text)};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct msghdr header = {.msg_name = &sender,
                            .msg_namelen = sizeof(sender),
                            .msg_iov = &data,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof(control)};

    ssize_t size = recvmsg(fd, &header, 0);
    if (size < 0 || !CMSG_FIRSTHDR(&header))
        _exit(1);
    seen->port = sender.nl_pid;
    seen->groups = sender.nl_groups;
    seen->size = (uint32_t)size;
    memcpy(&seen->credentials, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof(seen->credentials));
}

/* The child: `channel_fd` says when the maps are written, and takes what is seen. */
static void listen_inside(int channel_fd)
{
    static struct seen seen;
    char go;
    int yes = 1;
    struct sockaddr_nl group = {.nl_family = AF_NETLINK, .nl_groups = 1};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 || write(channel_fd, "u", 1) != 1 ||
        read(channel_fd, &go, 1) != 1 || setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 ||
        setresuid(0, 0, 0) < 0)
        _exit(1);
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes)) < 0 ||
        bind(fd, (struct sockaddr *)&group, sizeof(group)) < 0 || write(channel_fd, "r", 1) != 1)
        _exit(1);
    for (;;) {
        read_event(fd, &seen);
        if (write(channel_fd, &seen, sizeof(seen)) != sizeof(seen))
            _exit(0);
    }
}

static int write_file_of(pid_t pid, const char *name, const char *text)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

static int start_container(void **state)
{
    (void)state;
    char path[64], byte;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -1;
    container.pid = fork();
    if (container.pid == 0) {
        close(pair[0]);
        listen_inside(pair[1]);
    }
    close(pair[1]);
    container.channel_fd = pair[0];
    if (container.pid < 0 || read(pair[0], &byte, 1) != 1 ||
        write_file_of(container.pid, "uid_map", "0 100000 65536") < 0 ||
        write_file_of(container.pid, "gid_map", "0 100000 65536") < 0 ||
        write(pair[0], "g", 1) != 1 || read(pair[0], &byte, 1) != 1) {
        fprintf(stderr, "cannot make a user and network namespace (root is needed)\n");
        return -1;
    }
    snprintf(path, sizeof(path), "/proc/%d/ns/net", container.pid);
    container.netns_fd = open(path, O_RDONLY | O_CLOEXEC);
    return container.netns_fd < 0 ? -1 : 0;
}

static int stop_container(void **state)
{
    (void)state;
    container.channel_fd = fd_close(container.channel_fd);
    container.netns_fd = fd_close(container.netns_fd);
    if (container.pid > 0) {
        kill(container.pid, SIGKILL);
        waitpid(container.pid, NULL, 0);
    }
    return 0;
}

static bool next_seen(struct seen *ret, int deadline_ms)
{
    struct pollfd pollfd = {.fd = container.channel_fd, .events = POLLIN};
    return poll(&pollfd, 1, deadline_ms) == 1 &&
           read(container.channel_fd, ret, sizeof(*ret)) == (ssize_t)sizeof(*ret);
}

static unsigned count_seqnums(const struct seen *seen)
{
    unsigned count = 0;
    for (const char *at = seen->text; at < seen->text + seen->size; at += strlen(at) + 1)
        count += after_prefix(at, "SEQNUM=") != NULL;
    return count;
}

static struct uevent_injector *open_injector(void)
{
    struct uevent_injector *injector = NULL;
    struct refusal why = {0};
    if (uevent_injector_open(container.netns_fd, HOST_ROOT, HOST_ROOT, &injector, &why) < 0)
        fail_msg("%s", why.text);
    return injector;
}

static ino_t own_netns(void)
{
    struct stat st;
    assert_int_equal(stat("/proc/thread-self/ns/net", &st), 0);
    return st.st_ino;
}

static void the_reader_inside_sees_the_kernel_and_root_and_one_seqnum(void **state)
{
    (void)state;
    static struct seen seen;
    struct refusal why = {0};
    struct uevent_injector *injector = open_injector();

    if (uevent_injector_send(injector, MESSAGE, sizeof(MESSAGE), &why) < 0)
        fail_msg("%s", why.text);
    assert_true(next_seen(&seen, DEADLINE_MS));
    assert_int_equal(seen.port, 0);
    assert_int_equal(seen.groups, 1);
    assert_int_equal(seen.credentials.pid, getpid());
    assert_int_equal(seen.credentials.uid, 0);
    assert_int_equal(seen.credentials.gid, 0);
    assert_memory_equal(seen.text, MESSAGE, sizeof(MESSAGE));
    assert_non_null(after_prefix(seen.text + sizeof(MESSAGE), "SEQNUM="));
    assert_int_equal(seen.text[seen.size - 1], '\0');
    assert_int_equal(count_seqnums(&seen), 1);
    assert_false(next_seen(&seen, 0));
    uevent_injector_close(injector);
}

static void every_length_up_to_the_limit_is_acknowledged_and_arrives(void **state)
{
    (void)state;
    static struct seen seen;
    char message[UEVENT_INJECT_MAX];
    struct refusal why = {0};
    struct uevent_injector *injector = open_injector();

    for (size_t size = 1; size <= sizeof(message); size++) {
        memset(message, 'x', sizeof(message));
        message[size - 1] = '\0';
        int r = uevent_injector_send(injector, message, size, &why);
        if (r < 0)
            fail_msg("%zu bytes: %s", size, why.text);
        assert_true(next_seen(&seen, DEADLINE_MS));
        assert_memory_equal(seen.text, message, size);
        assert_non_null(after_prefix(seen.text + size, "SEQNUM="));
        assert_int_equal(count_seqnums(&seen), 1);
        assert_int_equal(seen.size, size + strlen(seen.text + size) + 1);
    }
    uevent_injector_close(injector);
}

static void what_cannot_be_sent_is_refused_by_name(void **state)
{
    (void)state;
    static struct seen seen;
    static const char zeros[UEVENT_INJECT_MAX + 1];
    static const struct {
        const char *message;
        size_t size;
        int expected;
        const char *text;
    } cases[] = {
        {zeros, sizeof(zeros), -EMSGSIZE, "2005 bytes is too long"},
        {"add@/devices/x", strlen("add@/devices/x"), -EINVAL, "must end in NUL"},
        {zeros, 0, -EINVAL, "must end in NUL"},
    };
    struct uevent_injector *injector = open_injector();

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct refusal why = {0};
        assert_int_equal(uevent_injector_send(injector, cases[i].message, cases[i].size, &why),
                         cases[i].expected);
        assert_int_equal(why.error, -cases[i].expected);
        assert_non_null(strstr(why.text, cases[i].text));
    }
    assert_false(next_seen(&seen, 0));
    uevent_injector_close(injector);
}

static void the_caller_is_back_in_its_own_namespace(void **state)
{
    (void)state;
    struct stat inside;
    ino_t before = own_netns();
    struct uevent_injector *injector = open_injector();

    assert_int_equal(own_netns(), before);
    assert_int_equal(fstat(container.netns_fd, &inside), 0);
    assert_int_not_equal(inside.st_ino, before);
    uevent_injector_close(injector);
}

static void a_descriptor_that_is_no_namespace_is_refused_by_name(void **state)
{
    (void)state;
    struct uevent_injector *injector = NULL;
    struct refusal why = {0};
    ino_t before = own_netns();
    _cleanup_close_ int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    assert_int_equal(uevent_injector_open(fd, 0, 0, &injector, &why), -EINVAL);
    assert_null(injector);
    assert_non_null(strstr(why.text, "cannot enter"));
    assert_int_equal(uevent_injector_open(-1, 0, 0, &injector, NULL), -EBADF);
    assert_int_equal(own_netns(), before);
}

/*
 * Another user with those of CAP_SETUID and CAP_SETGID in `keep`: the user who made a user
 * namespace has all capabilities in it, whatever was dropped.
 */
static int become_nobody(uint32_t keep)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{.effective = keep, .permitted = keep}};
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setresuid(65534, 65534, 65534) < 0)
        return -1;
    return (int)syscall(SYS_capset, &header, data);
}

static int send_as_nobody(uint32_t keep, struct uevent_injector *injector)
{
    struct refusal why = {0};
    int status = -1;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        if (become_nobody(keep) < 0)
            _exit(99);
        int r = uevent_injector_send(injector, MESSAGE, sizeof(MESSAGE), &why);
        _exit(r == -why.error ? why.error : 98);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void the_kernels_refusal_is_handed_on_and_the_next_event_goes(void **state)
{
    (void)state;
    static struct seen seen;
    struct uevent_injector *injector = open_injector();

    /* First by the acknowledgement, then at the send itself. */
    assert_int_equal(send_as_nobody(1u << CAP_SETUID | 1u << CAP_SETGID, injector), EPERM);
    assert_int_equal(send_as_nobody(0, injector), EPERM);
    assert_false(next_seen(&seen, 0));
    assert_int_equal(uevent_injector_send(injector, MESSAGE, sizeof(MESSAGE), NULL), 0);
    assert_true(next_seen(&seen, DEADLINE_MS));
    uevent_injector_close(injector);
}

/* The injector's port: of the namespace's uevent sockets the one that listens to no group. */
static uint32_t find_injector_port(void)
{
    char line[256];
    unsigned protocol, port, groups;
    uint32_t found = 0;
    FILE *file = fopen("/proc/thread-self/net/netlink", "re");

    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "%*s %u %u %x", &protocol, &port, &groups) == 3 &&
            protocol == NETLINK_KOBJECT_UEVENT && groups == 0 && port != 0)
            found = port;
    if (file)
        fclose(file);
    return found;
}

/* As root of the container could: a message that looks like the kernel's "no". */
static int forge_acknowledgement(void)
{
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
    } forged = {
        .header = {.nlmsg_len = sizeof(forged), .nlmsg_type = NLMSG_ERROR, .nlmsg_seq = 1},
        .error = {.error = -EPERM},
    };
    if (setns(container.netns_fd, CLONE_NEWNET) < 0)
        return 99;
    struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_pid = find_injector_port()};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
    if (fd < 0 || to.nl_pid == 0)
        return 98;
    return sendto(fd, &forged, sizeof(forged), 0, (struct sockaddr *)&to, sizeof(to)) < 0 ? errno
                                                                                          : 0;
}

static void nobody_but_the_kernel_can_answer_the_injector(void **state)
{
    (void)state;
    static struct seen seen;
    int status = -1;
    struct uevent_injector *injector = open_injector();

    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(forge_acknowledgement());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), ECONNREFUSED);
    assert_int_equal(uevent_injector_send(injector, MESSAGE, sizeof(MESSAGE), NULL), 0);
    assert_true(next_seen(&seen, DEADLINE_MS));
    uevent_injector_close(injector);
}

static void closing_none_is_accepted(void **state)
{
    (void)state;
    int before = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(before);
    uevent_injector_close(NULL);
    uevent_injector_close(open_injector());
    int after = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(after);
    assert_int_equal(before, after); /* no descriptor is left */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reader_inside_sees_the_kernel_and_root_and_one_seqnum),
        cmocka_unit_test(every_length_up_to_the_limit_is_acknowledged_and_arrives),
        cmocka_unit_test(what_cannot_be_sent_is_refused_by_name),
        cmocka_unit_test(the_caller_is_back_in_its_own_namespace),
        cmocka_unit_test(a_descriptor_that_is_no_namespace_is_refused_by_name),
        cmocka_unit_test(the_kernels_refusal_is_handed_on_and_the_next_event_goes),
        cmocka_unit_test(nobody_but_the_kernel_can_answer_the_injector),
        cmocka_unit_test(closing_none_is_accepted),
    };
    return cmocka_run_group_tests(tests, start_container, stop_container);
}
