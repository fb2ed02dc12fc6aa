/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kernel/uevent_socket.h"

/*
 * The tests run in a network namespace and a mount namespace of their own, with sysfs mounted anew,
 * so that events of class/net/lo are seen by nobody else. The namespace belongs to the initial user
 * namespace: what happens to the host's devices meanwhile arrives too and is passed over.
 */

#define BUFFER (1u << 20)
#define DEADLINE_US (5 * 1000000u)
#define LO_UEVENT "/sys/class/net/lo/uevent"
#define SPOOF                                                                                      \
    "add@/devices/virtual/mem/spoof\0ACTION=add\0DEVPATH=/devices/virtual/mem/spoof\0"             \
    "SUBSYSTEM=mem\0MAJOR=1\0MINOR=3\0DEVNAME=spoof\0SEQNUM=1"

/* What the next recvmsg(2) answers, for what no kernel can be made to say. */
static int (*scripted_receive)(struct msghdr *header);

ssize_t recvmsg(int fd, struct msghdr *header, int flags)
{
    int (*script)(struct msghdr *) = scripted_receive;
    scripted_receive = NULL;
    return script ? script(header) : syscall(SYS_recvmsg, fd, header, flags);
}

static int open_socket(size_t buffer)
{
    struct refusal why = {0};
    int fd = uevent_socket_open(buffer, &why);
    if (fd < 0)
        fail_msg("%s", why.text);
    return fd;
}

static uint32_t port_of(int fd)
{
    struct sockaddr_nl address;
    socklen_t length = sizeof(address);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    return address.nl_pid;
}

/* Any but a true event of the host's. */
static int next_but_true_events(int fd)
{
    static char buffer[UEVENT_MESSAGE_MAX];
    uint64_t deadline = now_us() + DEADLINE_US;
    size_t size = 0;

    while (now_us() < deadline) {
        int arrival = uevent_socket_receive(fd, buffer, &size);
        if (arrival == UEVENT_NOTHING)
            (void)poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 100);
        else if (arrival != UEVENT_ARRIVED)
            return arrival;
    }
    return -ETIMEDOUT;
}

/* A synthetic event of lo; `mark`, of letters and digits, tells it from all others. */
static void fire(const char *mark)
{
    char text[128];
    int length =
        snprintf(text, sizeof(text), "change fe4d7c9d-b8c6-4a70-9ef1-3d8a58d18eed MARK=%s", mark);
    _cleanup_close_ int fd = open(LO_UEVENT, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, (size_t)length), length);
}

static bool has_property(const char *message, size_t size, const char *property)
{
    for (const char *at = message; at < message + size; at += strlen(at) + 1)
        if (streq(at, property))
            return true;
    return false;
}

/* Whether the event of fire(mark) arrives; overruns on the way are passed over. */
static bool arrives(int fd, const char *mark)
{
    static char buffer[UEVENT_MESSAGE_MAX];
    char property[64];
    uint64_t deadline = now_us() + DEADLINE_US;
    size_t size = 0;

    snprintf(property, sizeof(property), "SYNTH_ARG_MARK=%s", mark);
    while (now_us() < deadline) {
        int arrival = uevent_socket_receive(fd, buffer, &size);
        if (arrival == UEVENT_NOTHING)
            (void)poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 100);
        else if (arrival == UEVENT_ARRIVED && has_property(buffer, size, property))
            return size > 0 && buffer[size - 1] == '\0' && after_prefix(buffer, "change@/devices/");
        else if (arrival != UEVENT_ARRIVED && arrival != UEVENT_OVERRUN)
            return false;
    }
    return false;
}

struct spoof {
    uint32_t to_port;
    uint32_t to_groups;
    bool through_kernel;       /* a netlink header, so that the kernel sends it on */
    struct ucred *credentials; /* or NULL: our own */
    size_t size;               /* 0: SPOOF as it is; else padded with zeros */
};

/* Returns 0 or a negative errno. */
static int send_spoof(const struct spoof *spoof)
{
    static char text[UEVENT_MESSAGE_MAX * 2];
    size_t size = spoof->size ? spoof->size : sizeof(SPOOF);
    struct nlmsghdr netlink = {
        .nlmsg_len = (uint32_t)(sizeof(netlink) + size),
        .nlmsg_type = NLMSG_MIN_TYPE,
        .nlmsg_flags = NLM_F_REQUEST,
    };
    struct sockaddr_nl to = {
        .nl_family = AF_NETLINK, .nl_pid = spoof->to_port, .nl_groups = spoof->to_groups};
    struct iovec parts[] = {
        {.iov_base = &netlink, .iov_len = spoof->through_kernel ? sizeof(netlink) : 0},
        {.iov_base = text, .iov_len = size},
    };
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } control = {0};
    struct msghdr header = {
        .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = parts, .msg_iovlen = 2};

    memcpy(text, SPOOF, sizeof(SPOOF));
    if (spoof->credentials) {
        header.msg_control = &control;
        header.msg_controllen = sizeof(control);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_CREDENTIALS;
        control.header.cmsg_len = CMSG_LEN(sizeof(struct ucred));
        memcpy(CMSG_DATA(&control.header), spoof->credentials, sizeof(struct ucred));
    }
    _cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
    return fd < 0 || sendmsg(fd, &header, 0) < 0 ? -errno : 0;
}

/* Drops all capabilities but `keep`, in a child. */
static int keep_capability(unsigned keep)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {0};
    data[keep / 32].effective = data[keep / 32].permitted = 1u << (keep % 32);
    return (int)syscall(SYS_capset, &header, data);
}

/* The exit status of `run` in a child. */
static int in_child(int (*run)(void *), void *argument)
{
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(run(argument));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int send_with_net_admin_alone(void *argument)
{
    return keep_capability(CAP_NET_ADMIN) < 0 ? 99 : -send_spoof(argument);
}

static int send_without_capabilities(void *argument)
{
    return keep_capability(CAP_SYSLOG) < 0 ? 99 : -send_spoof(argument);
}

static void a_true_event_arrives_whole(void **state)
{
    (void)state;
    _cleanup_close_ int fd = open_socket(BUFFER);
    fire("whole");
    assert_true(arrives(fd, "whole"));
}

static void an_empty_socket_says_nothing(void **state)
{
    (void)state;
    static char buffer[UEVENT_MESSAGE_MAX];
    _cleanup_close_ int fd = open_socket(BUFFER);
    uint64_t deadline = now_us() + DEADLINE_US;
    size_t size = 4711;
    int arrival;

    do
        arrival = uevent_socket_receive(fd, buffer, &size);
    while (arrival == UEVENT_ARRIVED && now_us() < deadline);
    assert_int_equal(arrival, UEVENT_NOTHING);
}

static void the_socket_is_nonblocking_cloexec_and_has_its_buffer(void **state)
{
    (void)state;
    int bytes = 0;
    socklen_t length = sizeof(bytes);
    _cleanup_close_ int fd = open_socket(UEVENT_SOCKET_BUFFER);

    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, &length), 0);
    /* The kernel doubles what is asked for, for its own bookkeeping. */
    assert_int_equal(bytes, 2 * UEVENT_SOCKET_BUFFER);
}

static int open_without_capabilities(void *argument)
{
    (void)argument;
    return keep_capability(CAP_SYSLOG) < 0 || uevent_socket_open(BUFFER, NULL) < 0;
}

static void without_net_admin_the_buffer_is_what_the_system_allows(void **state)
{
    (void)state;
    assert_int_equal(in_child(open_without_capabilities, NULL), 0);
}

static void every_spoof_is_told_apart_by_reason(void **state)
{
    (void)state;
    _cleanup_close_ int fd = open_socket(BUFFER);
    struct ucred of_init = {.pid = 1};
    struct ucred of_nobody = {.pid = getpid(), .uid = 65534, .gid = 65534};
    const struct {
        const char *what;
        struct spoof spoof;
        int expected;
    } cases[] = {
        {"multicast to group 1", {.to_groups = 1}, UEVENT_SPOOF_PORT},
        {"multicast to both groups", {.to_groups = 3}, UEVENT_SPOOF_PORT},
        {"multicast as init", {.to_groups = 1, .credentials = &of_init}, UEVENT_SPOOF_PORT},
        {"unicast to our port", {.to_port = port_of(fd)}, UEVENT_SPOOF_PORT},
        {"unicast as init", {.to_port = port_of(fd), .credentials = &of_init}, UEVENT_SPOOF_PORT},
        {"injected through the kernel", {.through_kernel = true}, UEVENT_SPOOF_PID},
        {"injected as init", {.through_kernel = true, .credentials = &of_init}, UEVENT_SPOOF_PID},
        {"injected as nobody",
         {.through_kernel = true, .credentials = &of_nobody},
         UEVENT_SPOOF_PID},
        {"longer than any event",
         {.to_groups = 1, .size = UEVENT_MESSAGE_MAX + 1000},
         UEVENT_SPOOF_PORT},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int r = send_spoof(&cases[i].spoof);
        int arrival = r < 0 ? r : next_but_true_events(fd);
        if (arrival != cases[i].expected)
            fail_msg("%s: %d instead of %d", cases[i].what, arrival, cases[i].expected);
    }
    fire("afterspoofs");
    assert_true(arrives(fd, "afterspoofs"));
}

static void net_admin_alone_suffices_to_spoof_and_is_seen(void **state)
{
    (void)state;
    _cleanup_close_ int fd = open_socket(BUFFER);
    struct spoof spoof = {.to_groups = 1};

    assert_int_equal(in_child(send_with_net_admin_alone, &spoof), 0);
    assert_int_equal(next_but_true_events(fd), UEVENT_SPOOF_PORT);
    assert_int_equal(in_child(send_without_capabilities, &spoof), EPERM);
}

static void nobody_can_claim_the_pid_of_the_kernel(void **state)
{
    (void)state;
    struct ucred of_the_kernel = {.pid = 0};
    struct spoof injected = {.through_kernel = true, .credentials = &of_the_kernel};
    struct spoof multicast = {.to_groups = 1, .credentials = &of_the_kernel};

    assert_int_equal(send_spoof(&injected), -ESRCH);
    assert_int_equal(send_spoof(&multicast), -ESRCH);
}

static int arrival_in_a_user_namespace(void *argument)
{
    char buffer[UEVENT_MESSAGE_MAX];
    uint64_t deadline = now_us() + DEADLINE_US;
    size_t size = 0;
    int arrival;

    if (unshare(CLONE_NEWUSER) < 0)
        return 99;
    do
        arrival = uevent_socket_receive(*(int *)argument, buffer, &size);
    while (arrival == UEVENT_NOTHING && now_us() < deadline);
    return arrival;
}

static void a_reader_who_does_not_see_the_hosts_root_trusts_nobody(void **state)
{
    (void)state;
    _cleanup_close_ int fd = open_socket(BUFFER);
    fire("noroot");
    assert_int_equal(in_child(arrival_in_a_user_namespace, &fd), UEVENT_SPOOF_UID);
}

static void a_message_without_a_sender_is_told(void **state)
{
    (void)state;
    char buffer[UEVENT_MESSAGE_MAX];
    size_t size = 0;
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(send(pair[0], SPOOF, sizeof(SPOOF), 0), sizeof(SPOOF));
    assert_int_equal(uevent_socket_receive(pair[1], buffer, &size), UEVENT_SPOOF_NO_SENDER);
    close(pair[0]);
    close(pair[1]);
}

static int truncated_from_the_kernel(struct msghdr *header)
{
    struct ucred credentials = {0};
    struct cmsghdr *control = CMSG_FIRSTHDR(header);
    memcpy(header->msg_name, &(struct sockaddr_nl){.nl_family = AF_NETLINK},
           sizeof(struct sockaddr_nl));
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_CREDENTIALS;
    control->cmsg_len = CMSG_LEN(sizeof(credentials));
    memcpy(CMSG_DATA(control), &credentials, sizeof(credentials));
    header->msg_flags = MSG_TRUNC;
    return UEVENT_MESSAGE_MAX;
}

static int interrupted(struct msghdr *header)
{
    (void)header;
    errno = EINTR;
    return -1;
}

static int out_of_memory(struct msghdr *header)
{
    (void)header;
    errno = ENOMEM;
    return -1;
}

static void an_event_longer_than_the_buffer_asks_for_a_new_look(void **state)
{
    (void)state;
    char buffer[UEVENT_MESSAGE_MAX];
    size_t size = 4711;

    scripted_receive = truncated_from_the_kernel;
    assert_int_equal(uevent_socket_receive(-1, buffer, &size), UEVENT_TRUNCATED);
    assert_int_equal(size, 4711);
}

static void an_interrupted_call_goes_on_and_an_error_is_told(void **state)
{
    (void)state;
    char buffer[UEVENT_MESSAGE_MAX];
    size_t size = 0;

    scripted_receive = interrupted;
    assert_int_equal(uevent_socket_receive(-1, buffer, &size), -EBADF);
    scripted_receive = out_of_memory;
    assert_int_equal(uevent_socket_receive(-1, buffer, &size), -ENOMEM);
}

static void a_full_buffer_is_an_overrun_and_the_socket_goes_on(void **state)
{
    (void)state;
    static char buffer[UEVENT_MESSAGE_MAX];
    _cleanup_close_ int fd = open_socket(16384);
    size_t size = 0;

    for (int i = 0; i < 200; i++)
        fire("flood");
    assert_int_equal(next_but_true_events(fd), UEVENT_OVERRUN);
    while (uevent_socket_receive(fd, buffer, &size) == UEVENT_ARRIVED)
        assert_true(size > 0);
    fire("afterflood");
    assert_true(arrives(fd, "afterflood"));
}

static void every_arrival_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < UEVENT_ARRIVALS; i++) {
        const char *name = uevent_arrival_name((enum uevent_arrival)i);
        assert_true(*name);
        assert_string_not_equal(name, "unknown");
        for (int j = 0; j < i; j++)
            assert_string_not_equal(name, uevent_arrival_name((enum uevent_arrival)j));
    }
}

static int enter_namespaces(void **state)
{
    (void)state;
    if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 ||
        mount("none", "/", "none", MS_REC | MS_PRIVATE, "") < 0 ||
        mount("sysfs", "/sys", "sysfs", 0, "") < 0) {
        perror("own network namespace and sysfs (root is needed)");
        return -1;
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_true_event_arrives_whole),
        cmocka_unit_test(an_empty_socket_says_nothing),
        cmocka_unit_test(the_socket_is_nonblocking_cloexec_and_has_its_buffer),
        cmocka_unit_test(without_net_admin_the_buffer_is_what_the_system_allows),
        cmocka_unit_test(every_spoof_is_told_apart_by_reason),
        cmocka_unit_test(net_admin_alone_suffices_to_spoof_and_is_seen),
        cmocka_unit_test(nobody_can_claim_the_pid_of_the_kernel),
        cmocka_unit_test(a_reader_who_does_not_see_the_hosts_root_trusts_nobody),
        cmocka_unit_test(a_message_without_a_sender_is_told),
        cmocka_unit_test(an_event_longer_than_the_buffer_asks_for_a_new_look),
        cmocka_unit_test(an_interrupted_call_goes_on_and_an_error_is_told),
        cmocka_unit_test(a_full_buffer_is_an_overrun_and_the_socket_goes_on),
        cmocka_unit_test(every_arrival_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, enter_namespaces, NULL);
}
