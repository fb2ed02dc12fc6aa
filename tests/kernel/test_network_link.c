/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include "fixture.h"
#include "kernel/network_link.h"

/*
 * "The host" is a network namespace that the test makes for itself, with a pair "eth0" and "peer";
 * each test has a container of its own. ip(8) sees and sets what is there.
 */

#define DEADLINE_MS 5000
#define MAC "02:00:00:00:00:01"

struct scene {
    struct fixture *fixture;
    int host_fd, netns_fd;
    struct network_link *link;
    json_t *home; /* as it was told when it left */
};

/* Runs ip(8) where we are; whether it went well. */
static _printf_(1, 2) bool ip(const char *format, ...)
{
    char arguments[256], command[320];
    va_list list;
    va_start(list, format);
    vsnprintf(arguments, sizeof(arguments), format, list);
    va_end(list);
    snprintf(command, sizeof(command), "ip %s 2>/dev/null", arguments);
    return system(command) == 0;
}

static bool ip_inside(const struct scene *scene, const char *arguments)
{
    assert_int_equal(setns(scene->netns_fd, CLONE_NEWNET), 0);
    bool r = ip("%s", arguments);
    assert_int_equal(setns(scene->host_fd, CLONE_NEWNET), 0);
    return r;
}

/* What ip(8) says of an interface, on one line; "" where there is none. */
static const char *show(const char *name)
{
    static char text[1024];
    char command[128];
    snprintf(command, sizeof(command), "ip -o -d link show dev %s 2>/dev/null", name);
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    text[fread(text, 1, sizeof(text) - 1, pipe)] = '\0';
    (void)pclose(pipe);
    return text;
}

static const char *show_inside(const struct scene *scene, const char *name)
{
    assert_int_equal(setns(scene->netns_fd, CLONE_NEWNET), 0);
    const char *text = show(name);
    assert_int_equal(setns(scene->host_fd, CLONE_NEWNET), 0);
    return text;
}

static void assert_says(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in \"%s\"", part, text);
}

static int index_of(const char *name)
{
    return atoi(show(name));
}

/* sysfs shows the interfaces of the namespace that mounted it. */
static int mount_sysfs(void)
{
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -1;
    return mount("sys", "/sys", "sysfs", 0, NULL);
}

static int set_up(void **state)
{
    static struct scene scene;
    char path[64];
    scene = (struct scene){.host_fd = -1, .netns_fd = -1};
    *state = &scene;
    if (fixture_missing())
        return 0;
    if (unshare(CLONE_NEWNET) < 0 || fixture_start(NULL, &scene.fixture) < 0 || mount_sysfs() < 0)
        return -1;
    scene.host_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof(path), "/proc/%d/ns/net", fixture_pid(scene.fixture));
    scene.netns_fd = open(path, O_RDONLY | O_CLOEXEC);
    return scene.netns_fd >= 0 && ip("link add eth0 address " MAC " type veth peer name peer") ? 0
                                                                                               : -1;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    network_link_free(scene->link);
    json_decref(scene->home);
    fixture_stop(scene->fixture);
    fd_close(scene->netns_fd);
    fd_close(scene->host_fd);
    return 0;
}

static struct scene *get_scene(void **state)
{
    const char *missing = fixture_missing();
    if (missing) {
        print_message("skipped: %s\n", missing);
        skip();
    }
    return *state;
}

static int keep_home(void *userdata, json_t *home_take, struct refusal *why)
{
    struct scene *scene = userdata;
    (void)why;
    assert_non_null(home_take);
    json_decref(scene->home);
    scene->home = home_take;
    return 0;
}

static void move(struct scene *scene, const char *from, const char *to)
{
    struct refusal why = {.error = 0};
    if (network_link_move(index_of(from), to, scene->netns_fd, keep_home, scene, &scene->link,
                          &why) < 0)
        fail_msg("%s", why.text);
    assert_string_equal(show(from), "");
    assert_says(show_inside(scene, to), "state DOWN");
}

static void bring_home(struct scene *scene, const char *name)
{
    struct refusal why = {.error = 0}, remark = {.error = 0};
    if (network_link_return(scene->link, &remark, &why) != NETWORK_RETURN_HOME)
        fail_msg("%s", why.text);
    assert_int_equal(remark.error, 0);
    assert_says(show(name), "state DOWN");
    assert_says(show(name), "link/ether " MAC);
}

static void an_interface_moves_and_comes_home_as_it_was(void **state)
{
    struct scene *scene = get_scene(state);
    assert_true(ip("link set eth0 up mtu 1400 group 7 alias 'to the lab'"));
    move(scene, "eth0", "lan0");
    assert_true(ip_inside(
        scene, "link set lan0 up mtu 1300 group 9 alias other address 02:00:00:00:00:99"));
    assert_true(ip_inside(scene, "address add 192.0.2.1/24 dev lan0"));
    assert_false(network_link_lost(scene->link));
    bring_home(scene, "eth0");
    assert_says(show("eth0"), " mtu 1400 ");
    assert_says(show("eth0"), " group 7 ");
    assert_says(show("eth0"), "alias to the lab");
    assert_null(strstr(show("eth0"), "<UP"));
    assert_string_equal(show_inside(scene, "lan0"), "");
    assert_true(network_link_lost(scene->link));
}

static void an_alias_that_was_made_inside_stays_there(void **state)
{
    struct scene *scene = get_scene(state);
    move(scene, "eth0", "eth0");
    assert_true(ip_inside(scene, "link set eth0 alias mine"));
    bring_home(scene, "eth0");
    assert_null(strstr(show("eth0"), "alias"));
}

static void one_that_was_renamed_inside_comes_home_all_the_same(void **state)
{
    struct scene *scene = get_scene(state);
    move(scene, "eth0", "lan0");
    assert_true(ip_inside(scene, "link set lan0 name wan0"));
    assert_true(ip_inside(scene, "link add lan0 type ifb"));
    bring_home(scene, "eth0");
    assert_says(show_inside(scene, "lan0"), "lan0");
}

static void a_number_that_is_taken_inside_or_at_home_does_no_harm(void **state)
{
    struct scene *scene = get_scene(state);
    char command[64];
    int number = index_of("eth0");
    snprintf(command, sizeof(command), "link add other index %d type ifb", number);
    assert_true(ip_inside(scene, command));
    move(scene, "eth0", "lan0");
    assert_int_not_equal(atoi(show_inside(scene, "lan0")), number);
    /* Where "peer" has not that number anyway. */
    (void)ip("link add third index %d type ifb", atoi(show_inside(scene, "lan0")));
    bring_home(scene, "eth0");
    assert_says(show_inside(scene, "other"), "other");
}

static void a_name_that_is_taken_inside_is_refused_and_nothing_changes(void **state)
{
    struct scene *scene = get_scene(state);
    struct refusal why = {.error = 0};
    assert_true(ip("link set eth0 up") && ip("link set peer up"));
    assert_true(ip_inside(scene, "link add lan0 type ifb"));
    assert_int_equal(network_link_move(index_of("eth0"), "lan0", scene->netns_fd, keep_home, scene,
                                       &scene->link, &why),
                     -EEXIST);
    assert_says(why.text, "has an interface lan0 already");
    assert_says(show("eth0"), ",UP");
}

/* The kernel renames when it has moved, and does not take this name. */
static void one_that_arrives_under_a_wrong_name_can_be_brought_home(void **state)
{
    struct scene *scene = get_scene(state);
    struct refusal why = {.error = 0};
    assert_true(network_link_move(index_of("eth0"), "a/b", scene->netns_fd, keep_home, scene,
                                  &scene->link, &why) < 0);
    assert_non_null(scene->link);
    assert_string_equal(show("eth0"), "");
    bring_home(scene, "eth0");
}

/* Whatever was heard of it: at home it is found by its inode number. */
static void one_that_was_sent_home_from_inside_is_settled_there(void **state)
{
    struct scene *scene = get_scene(state);
    char command[96];
    move(scene, "eth0", "lan0");
    snprintf(command, sizeof(command), "link set lan0 netns /proc/%d/fd/%d", (int)getpid(),
             scene->host_fd);
    assert_true(ip_inside(scene, command));
    assert_says(show("lan0"), "link/ether " MAC);
    bring_home(scene, "eth0");
}

/* The one who moved it is gone; what was told before it moved is all that is left. */
static void resume(struct scene *scene, int ifindex)
{
    struct refusal why = {.error = 0};
    _cleanup_free_ char *text = json_dumps(scene->home, 0);
    network_link_free(scene->link);
    scene->link = NULL;
    json_t *home = json_loads(text, JSON_ALLOW_NUL, NULL);
    if (network_link_resume(home, ifindex, scene->netns_fd, &scene->link, &why) < 0)
        fail_msg("%s", why.text);
    json_decref(home);
}

static void a_successor_brings_it_home_as_it_was(void **state)
{
    struct scene *scene = get_scene(state);
    assert_true(ip("link set eth0 mtu 1400 alias \"the first\" group 7"));
    assert_true(ip("link property add dev eth0 altname wan-one"));
    move(scene, "eth0", "lan0");
    assert_true(ip_inside(scene, "link set lan0 name x mtu 900 alias none group 9"));
    assert_true(ip_inside(scene, "link set x address 02:00:00:00:00:99"));
    assert_true(ip_inside(scene, "link property del dev x altname wan-one"));
    resume(scene, network_link_ifindex(scene->link));
    bring_home(scene, "eth0");
    assert_says(show("eth0"), "mtu 1400");
    assert_says(show("eth0"), "group 7");
    assert_says(show("eth0"), "the first");
    assert_says(show("eth0"), "altname wan-one");
}

/* Killed between the move and its note. */
static void a_successor_finds_it_by_the_number_that_it_had(void **state)
{
    struct scene *scene = get_scene(state);
    move(scene, "eth0", "lan0");
    resume(scene, 0);
    bring_home(scene, "eth0");
}

/* Killed before the move, or it is home already. */
static void a_successor_finds_it_at_home(void **state)
{
    struct scene *scene = get_scene(state);
    move(scene, "eth0", "lan0");
    bring_home(scene, "eth0");
    resume(scene, 0);
    bring_home(scene, "eth0");
}

static void a_damaged_note_of_its_home_is_refused(void **state)
{
    struct scene *scene = get_scene(state);
    static const char *const cases[] = {
        "{}",
        "{\"inode\":0,\"name\":\"eth0\"}",
        "{\"inode\":7,\"name\":\"\"}",
        "{\"inode\":7,\"name\":\"a-name-that-is-too-long\"}",
        "{\"inode\":7,\"name\":\"eth0\",\"address\":\"0123456789012345678901234567890123\"}",
        "{\"inode\":7,\"name\":\"eth0\",\"mtu\":\"1500\"}",
        "{\"inode\":7,\"name\":\"eth0\",\"altnames\":[7]}",
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct refusal why = {.error = 0};
        json_t *home = json_loads(cases[i], 0, NULL);
        assert_non_null(home);
        if (network_link_resume(home, 0, scene->netns_fd, &scene->link, &why) != -EBADMSG)
            fail_msg("%s was taken", cases[i]);
        assert_null(scene->link);
        json_decref(home);
    }
}

static void a_name_that_is_taken_at_home_is_replaced_and_said(void **state)
{
    struct scene *scene = get_scene(state);
    struct refusal why = {.error = 0}, remark = {.error = 0};
    move(scene, "eth0", "lan0");
    assert_true(ip("link add eth0 type ifb"));
    assert_true(ip_inside(scene, "link set lan0 mtu 1300"));
    assert_int_equal(network_link_return(scene->link, &remark, &why), NETWORK_RETURN_HOME);
    assert_int_equal(remark.error, EEXIST);
    assert_says(remark.text, "eth0 is taken: the interface came home as dev0");
    assert_says(show("dev0"), "link/ether " MAC);
    assert_says(show("dev0"), " mtu 1500 ");
}

/* What must stay: how it comes about, the interface, what is said. */
static void what_the_host_needs_is_refused_by_name(void **state)
{
    static const struct {
        const char *setup[3], *name, *reason;
        int error;
    } cases[] = {
        {{NULL}, "lo", "loopback", EBUSY},
        {{"link add br0 type bridge", "link set eth0 master br0"},
         "eth0",
         "eth0 is a member of bridge br0",
         EBUSY},
        {{"link set eth0 up", "address add 192.0.2.2/24 dev eth0",
          "route add default via 192.0.2.1"},
         "eth0",
         "default route goes through eth0",
         EBUSY},
        {{"link set eth0 up", "address add 192.0.2.2/24 dev eth0",
          "route add default table 77 nexthop dev peer weight 1 nexthop dev eth0 weight 1"},
         "eth0",
         "default route goes through eth0",
         EBUSY},
        {{"link set eth0 up", "-6 route add default dev eth0"},
         "eth0",
         "default route goes through eth0",
         EBUSY},
        {{"link set eth0 up", "address add 192.0.2.2/24 dev eth0",
          "route add table 77 default via 192.0.2.1"},
         "eth0",
         "default route goes through eth0",
         EBUSY},
        {{"link set eth0 up", "route add 0.0.0.0/1 dev eth0", "route add 128.0.0.0/1 dev eth0"},
         "eth0",
         "default route goes through eth0",
         EBUSY},
        {{"link set eth0 up", "-6 route add ::/1 dev eth0", "-6 route add 8000::/1 dev eth0"},
         "eth0",
         "default route goes through eth0",
         EBUSY},
        {{"link set eth0 up", "nexthop add id 5 dev eth0", "route add default nhid 5"},
         "eth0",
         "default route goes through eth0",
         EBUSY},
        {{"link set eth0 up", "nexthop add id 5 dev eth0",
          "nexthop add id 6 group 5 && echo 0 >/proc/sys/net/ipv4/nexthop_compat_mode && "
          "ip route add default nhid 6"},
         "eth0",
         "default route goes through eth0",
         EBUSY},
        {{"link add link eth0 name mv0 type macvlan"}, "eth0", "eth0 carries mv0", EBUSY},
        {{"link add br0 type bridge"}, "br0", "its kind of interface stays", EINVAL},
    };
    struct scene *scene = get_scene(state);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct refusal why = {.error = 0};
        assert_int_equal(unshare(CLONE_NEWNET), 0);
        assert_int_equal(mount_sysfs(), 0);
        assert_true(ip("link add eth0 type veth peer name peer") && ip("link set peer up"));
        for (size_t s = 0; s < ARRAY_SIZE(cases[i].setup) && cases[i].setup[s]; s++)
            if (!ip("%s", cases[i].setup[s]))
                fail_msg("ip %s", cases[i].setup[s]);
        assert_int_equal(network_link_move(index_of(cases[i].name), "lan0", scene->netns_fd,
                                           keep_home, scene, &scene->link, &why),
                         -cases[i].error);
        assert_says(why.text, cases[i].reason);
        assert_says(show(cases[i].name), cases[i].name);
    }
}

static void a_route_through_another_interface_is_no_hindrance(void **state)
{
    struct scene *scene = get_scene(state);
    assert_true(ip("link set peer up") && ip("link set eth0 up"));
    assert_true(ip("address add 192.0.2.2/24 dev peer"));
    assert_true(ip("route add default via 192.0.2.1 dev peer"));
    assert_true(ip("route add 198.51.100.0/24 dev eth0"));
    assert_true(ip("route add 0.0.0.0/1 dev eth0")); /* half the world is not all of it */
    assert_true(ip("-6 route add 8000::/1 dev eth0"));
    move(scene, "eth0", "lan0");
    bring_home(scene, "eth0");
}

static void an_interface_that_is_not_there_is_gone(void **state)
{
    struct scene *scene = get_scene(state);
    struct refusal why = {.error = 0};
    assert_int_equal(
        network_link_move(4711, "lan0", scene->netns_fd, keep_home, scene, &scene->link, &why),
        -ENODEV);
    assert_says(why.text, "gone already");
}

static void wait_until_lost(struct scene *scene)
{
    struct pollfd look = {.fd = network_link_fd(scene->link), .events = POLLIN};
    while (!network_link_lost(scene->link))
        if (poll(&look, 1, DEADLINE_MS) <= 0)
            fail_msg("nobody said that the interface went");
    assert_int_equal(network_link_return(scene->link, NULL, NULL), NETWORK_RETURN_LOST);
}

static void one_that_ends_inside_is_lost(void **state)
{
    struct scene *scene = get_scene(state);
    move(scene, "eth0", "lan0");
    assert_true(ip("link delete peer"));
    wait_until_lost(scene);
}

static void one_that_moves_on_is_lost(void **state)
{
    struct refusal remark = {.error = 0};
    struct scene *scene = get_scene(state);
    struct fixture *other = NULL;
    char command[64];
    move(scene, "eth0", "lan0");
    assert_int_equal(fixture_start(NULL, &other), 0);
    snprintf(command, sizeof(command), "link set lan0 netns %d", fixture_pid(other));
    assert_true(ip_inside(scene, command));
    wait_until_lost(scene);
    (void)network_link_return(scene->link, &remark, NULL);
    assert_string_equal(remark.text,
                        "eth0 was moved on by the container, to another network namespace");
    fixture_stop(other);
}

/* More departures than the socket has room for. */
static void make_noise(const struct scene *scene)
{
    for (unsigned i = 0; i < 4; i++) {
        assert_true(ip_inside(scene, "link add noise type ifb"));
        assert_true(ip_inside(scene, "link delete noise"));
    }
}

static void what_was_not_heard_is_looked_at(void **state)
{
    struct scene *scene = get_scene(state);
    int little = 0;
    move(scene, "eth0", "lan0");
    assert_int_equal(
        setsockopt(network_link_fd(scene->link), SOL_SOCKET, SO_RCVBUF, &little, sizeof(little)),
        0);
    make_noise(scene);
    assert_false(network_link_lost(scene->link));
    make_noise(scene);
    assert_true(ip("link delete peer"));
    assert_true(network_link_lost(scene->link));
}

/* Its departure is drowned in noise, and another one gets its number. */
static void another_interface_of_its_number_is_not_taken_for_it(void **state)
{
    struct scene *scene = get_scene(state);
    int little = 0, ifindex;
    char command[64];
    move(scene, "eth0", "lan0");
    ifindex = atoi(show_inside(scene, "lan0"));
    assert_int_equal(
        setsockopt(network_link_fd(scene->link), SOL_SOCKET, SO_RCVBUF, &little, sizeof(little)),
        0);
    make_noise(scene);
    assert_true(ip_inside(scene, "link delete lan0"));
    snprintf(command, sizeof(command), "link add other index %d type ifb", ifindex);
    assert_true(ip_inside(scene, command));
    assert_int_equal(network_link_return(scene->link, NULL, NULL), NETWORK_RETURN_LOST);
    assert_says(show_inside(scene, "other"), "other");
}

static void changes_inside_wake_nobody(void **state)
{
    struct scene *scene = get_scene(state);
    move(scene, "eth0", "lan0");
    struct pollfd look = {.fd = network_link_fd(scene->link), .events = POLLIN};
    assert_true(ip_inside(scene, "link set lan0 mtu 1400"));
    assert_true(ip_inside(scene, "link set lan0 name lan1"));
    assert_int_equal(poll(&look, 1, 0), 0);
}

static void the_death_of_the_container_deletes_nothing(void **state)
{
    struct scene *scene = get_scene(state);
    move(scene, "eth0", "lan0");
    fixture_stop(TAKE_PTR(scene->fixture));
    scene->netns_fd = fd_close(scene->netns_fd);
    bring_home(scene, "eth0");
}

/* The next event of the namespace that `fd` listens in, without its SEQNUM. */
static const char *read_uevent(int fd)
{
    static char text[4096];
    struct pollfd look = {.fd = fd, .events = POLLIN};
    if (poll(&look, 1, DEADLINE_MS) <= 0)
        return "nothing";
    ssize_t size = recv(fd, text, sizeof(text) - 1, 0);
    assert_true(size > 0);
    text[size] = '\0';
    return text; /* the head: ACTION@DEVPATH */
}

static void the_kernel_itself_tells_programs_inside(void **state)
{
    struct scene *scene = get_scene(state);
    struct sockaddr_nl group = {.nl_family = AF_NETLINK, .nl_groups = 1};
    assert_int_equal(setns(scene->netns_fd, CLONE_NEWNET), 0);
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
    assert_int_equal(bind(fd, (const struct sockaddr *)&group, sizeof(group)), 0);
    assert_int_equal(setns(scene->host_fd, CLONE_NEWNET), 0);

    move(scene, "eth0", "lan0");
    assert_string_equal(read_uevent(fd), "add@/devices/virtual/net/eth0");
    assert_string_equal(read_uevent(fd), "move@/devices/virtual/net/lan0");
    bring_home(scene, "eth0");
    assert_string_equal(read_uevent(fd), "remove@/devices/virtual/net/lan0");
    (void)close(fd);
}

#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(an_interface_moves_and_comes_home_as_it_was),
        SCENE_TEST(an_alias_that_was_made_inside_stays_there),
        SCENE_TEST(one_that_was_renamed_inside_comes_home_all_the_same),
        SCENE_TEST(a_number_that_is_taken_inside_or_at_home_does_no_harm),
        SCENE_TEST(a_name_that_is_taken_inside_is_refused_and_nothing_changes),
        SCENE_TEST(a_successor_brings_it_home_as_it_was),
        SCENE_TEST(a_successor_finds_it_by_the_number_that_it_had),
        SCENE_TEST(a_successor_finds_it_at_home),
        SCENE_TEST(a_damaged_note_of_its_home_is_refused),
        SCENE_TEST(a_name_that_is_taken_at_home_is_replaced_and_said),
        SCENE_TEST(what_the_host_needs_is_refused_by_name),
        SCENE_TEST(a_route_through_another_interface_is_no_hindrance),
        SCENE_TEST(an_interface_that_is_not_there_is_gone),
        SCENE_TEST(one_that_arrives_under_a_wrong_name_can_be_brought_home),
        SCENE_TEST(one_that_ends_inside_is_lost),
        SCENE_TEST(one_that_was_sent_home_from_inside_is_settled_there),
        SCENE_TEST(one_that_moves_on_is_lost),
        SCENE_TEST(what_was_not_heard_is_looked_at),
        SCENE_TEST(another_interface_of_its_number_is_not_taken_for_it),
        SCENE_TEST(changes_inside_wake_nobody),
        SCENE_TEST(the_death_of_the_container_deletes_nothing),
        SCENE_TEST(the_kernel_itself_tells_programs_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
