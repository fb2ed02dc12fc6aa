/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/major.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "kernel/sysfs.h"

/*
 * Loop devices of a number far from those in use come and go here: /dev/loop-control makes and
 * removes them with all that belongs to a device, and the same number can be had again.
 */

#define NULL_DEVPATH "/devices/virtual/mem/null"
#define LO_DEVPATH "/devices/virtual/net/lo"
#define DEADLINE_US (5 * 1000000u)

static int loop_number;
static char loop_devpath[64];

static const struct device_source source = {.read_attribute = sysfs_read_attribute};

static int loop_control(unsigned long request)
{
    _cleanup_close_ int fd = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    return fd < 0 || ioctl(fd, request, (long)loop_number) < 0 ? -errno : 0;
}

static void plug(void)
{
    assert_int_equal(loop_control(LOOP_CTL_ADD), 0);
}

/* EBUSY while a prober of the host's has it open. */
static void unplug(void)
{
    uint64_t deadline = now_us() + DEADLINE_US;
    int r;
    do
        r = loop_control(LOOP_CTL_REMOVE);
    while (r == -EBUSY && now_us() < deadline);
    assert_int_equal(r, 0);
}

static struct device *read_device(const char *devpath)
{
    struct device *device = NULL;
    assert_int_equal(sysfs_read_device(devpath, &source, &device), 1);
    return device;
}

static int choose_loop_device(void **state)
{
    (void)state;
    struct stat st;
    for (loop_number = 100000 + getpid() % 10000;; loop_number++) {
        snprintf(loop_devpath, sizeof(loop_devpath), "/devices/virtual/block/loop%d", loop_number);
        char path[80];
        snprintf(path, sizeof(path), "/sys%s", loop_devpath);
        if (stat(path, &st) < 0)
            return 0;
    }
}

static int remove_loop_device(void **state)
{
    (void)state;
    (void)loop_control(LOOP_CTL_REMOVE);
    return 0;
}

static void a_device_is_read_as_the_kernel_shows_it(void **state)
{
    (void)state;
    struct stat node, directory;
    _cleanup_device_ struct device *device = read_device(NULL_DEVPATH);

    assert_int_equal(stat("/dev/null", &node), 0);
    assert_int_equal(stat("/sys" NULL_DEVPATH, &directory), 0);
    assert_string_equal(device->devpath, NULL_DEVPATH);
    assert_string_equal(device->sysname, "null");
    assert_string_equal(device->subsystem, "mem");
    assert_string_equal(device->devname, "null");
    assert_null(device->driver);
    assert_null(device->devtype);
    assert_int_equal(device->devmode, 0666);
    assert_int_equal(device->number.kind, NODE_CHARACTER);
    assert_int_equal(device->number.major, major(node.st_rdev));
    assert_int_equal(device->number.minor, minor(node.st_rdev));
    assert_int_equal(device->inode, directory.st_ino);
    assert_string_equal(property_get(&device->properties, "DEVPATH"), NULL_DEVPATH);
    assert_string_equal(property_get(&device->properties, "SUBSYSTEM"), "mem");
}

static void a_block_device_and_a_net_device_are_read(void **state)
{
    (void)state;
    plug();
    _cleanup_device_ struct device *loop = read_device(loop_devpath);
    _cleanup_device_ struct device *lo = read_device(LO_DEVPATH);

    assert_string_equal(loop->subsystem, "block");
    assert_string_equal(loop->devtype, "disk");
    assert_int_equal(loop->number.kind, NODE_BLOCK);
    assert_int_equal(loop->number.major, LOOP_MAJOR);
    assert_int_equal(loop->number.minor, loop_number);
    assert_string_equal(lo->subsystem, "net");
    assert_int_equal(lo->ifindex, 1);
    assert_int_equal(lo->number.kind, NODE_NONE);
    assert_int_equal(sysfs_lock_incarnation(lo), -ENOENT);
    unplug();
}

static void what_is_no_device_is_none(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "/",
        "null",
        "/devices",
        "/devices/",
        "/devices/virtual",
        "/devices/virtual/mem",
        "/devices/virtual/mem/null/power",
        "/devices/virtual/mem/null/dev",
        "/devices/virtual/mem/nothing",
        "/devices/virtual/mem/../mem/null",
        "/devices/virtual/mem/./null",
        "/devices/virtual/mem//null",
        "/class/mem/null",
        "/module/block",
        "/devices/virtual/mem/null/subsystem",
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct device *device = NULL;
        int r = sysfs_read_device(cases[i], &source, &device);
        if (r != 0 || device)
            fail_msg("'%s': %d", cases[i], r);
    }
}

static void an_unplugged_device_is_none(void **state)
{
    (void)state;
    struct device *device = NULL;
    plug();
    device_free(read_device(loop_devpath));
    unplug();
    assert_int_equal(sysfs_read_device(loop_devpath, &source, &device), 0);
    assert_null(device);
}

static void assert_attribute(const struct device *device, const char *name, const char *expected)
{
    _cleanup_free_ char *value = NULL;
    int r = sysfs_read_attribute(NULL, device, name, &value);
    if (r != (expected ? 1 : 0) || !streq_null(value, expected))
        fail_msg("%s: %d, '%s'", name, r, value ? value : "");
}

static void attributes_are_read_without_their_newline(void **state)
{
    (void)state;
    char number[32];
    plug();
    _cleanup_device_ struct device *device = read_device(loop_devpath);
    snprintf(number, sizeof(number), "%d:%d", LOOP_MAJOR, loop_number);

    assert_attribute(device, "dev", number);
    assert_attribute(device, "size", "0");
    assert_attribute(device, "queue/rotational", "0");
    assert_attribute(device, "subsystem", "block"); /* a link: where it leads */
    assert_attribute(device, "bdi", NULL);          /* another: udevd does not tell either */
    assert_attribute(device, "bdi/subsystem", NULL);
    assert_attribute(device, "bdi/read_ahead_kb", "128");  /* but through a link */
    assert_attribute(device, "queue", NULL);               /* a directory */
    assert_attribute(device, "../../mem/null/dev", "1:3"); /* a device above, and then down */
    assert_attribute(device, "../../../../kernel/profiling", NULL);
    assert_attribute(device, "../../../uevent", NULL);
    assert_attribute(device, "../../../virtual/mem/null/dev", "1:3"); /* as far as /sys/devices */
    assert_attribute(device, "queue//rotational", "0");
    assert_attribute(device, "./dev", number);
    assert_attribute(device, "../subsystem", NULL);
    assert_attribute(device, "..", NULL);
    assert_attribute(device, "nothing", NULL);
    assert_attribute(device, "dev/nothing", NULL);
    assert_attribute(device, "", NULL);
    assert_attribute(device, "/dev", NULL);
    assert_attribute(device, "queue/../dev", NULL);
    assert_attribute(device, "/etc/hostname", NULL);
    unplug();
}

static void an_attribute_that_reads_as_an_error_is_none(void **state)
{
    (void)state;
    struct stat st;
    _cleanup_device_ struct device *device = read_device(LO_DEVPATH);

    /* The loopback interface has no speed: reading it is EINVAL. */
    assert_int_equal(stat("/sys" LO_DEVPATH "/speed", &st), 0);
    assert_attribute(device, "speed", NULL);
    assert_attribute(device, "mtu", "65536");
}

/* zram's `reset` and `compact`: root may open what nobody can read. */
static void an_attribute_that_can_only_be_written_is_none(void **state)
{
    (void)state;
    struct device *device = NULL;
    struct stat st;

    if (stat("/sys/devices/virtual/block/zram0/reset", &st) < 0) {
        print_message("no zram0 here: no write-only attribute to try\n");
        skip();
    }
    assert_int_equal(sysfs_read_device("/devices/virtual/block/zram0", &source, &device), 1);
    assert_attribute(device, "reset", NULL);
    assert_attribute(device, "compact", NULL);
    device_free(device);
}

static void attributes_of_an_earlier_incarnation_are_none(void **state)
{
    (void)state;
    plug();
    _cleanup_device_ struct device *earlier = read_device(loop_devpath);
    unplug();
    assert_attribute(earlier, "size", NULL);
    plug();
    _cleanup_device_ struct device *later = read_device(loop_devpath);
    assert_attribute(earlier, "size", NULL);
    assert_attribute(later, "size", "0");
    assert_false(device_same(earlier, later));
    assert_int_equal(sysfs_lock_incarnation(earlier), -ENODEV);
    unplug();
}

static void a_lock_dies_with_its_incarnation_and_stays_dead(void **state)
{
    (void)state;
    char byte;
    plug();
    _cleanup_device_ struct device *earlier = read_device(loop_devpath);
    _cleanup_close_ int earlier_fd = sysfs_lock_incarnation(earlier);
    assert_true(earlier_fd >= 0);
    assert_true(fcntl(earlier_fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(sysfs_incarnation_alive(earlier_fd), 1);
    assert_int_equal(sysfs_incarnation_alive(earlier_fd), 1);

    unplug();
    assert_int_equal(sysfs_incarnation_alive(earlier_fd), 0);
    assert_int_equal(pread(earlier_fd, &byte, 1, 0), -1);
    assert_int_equal(errno, ENODEV);
    assert_int_equal(sysfs_lock_incarnation(earlier), -ENODEV);

    plug();
    _cleanup_device_ struct device *later = read_device(loop_devpath);
    _cleanup_close_ int later_fd = sysfs_lock_incarnation(later);
    assert_int_equal(sysfs_incarnation_alive(earlier_fd), 0);
    assert_int_equal(sysfs_incarnation_alive(later_fd), 1);
    unplug();
    assert_int_equal(sysfs_incarnation_alive(later_fd), 0);
}

struct walk {
    char **seen;
    size_t count;
    size_t orphans; /* devices whose parent came later */
    bool null, loop;
    size_t stop_after; /* 0: never */
};

static int on_devpath(void *userdata, const char *devpath)
{
    struct walk *walk = userdata;
    for (size_t i = 0; i < walk->count; i++) {
        const char *rest = after_prefix(walk->seen[i], devpath);
        walk->orphans += rest && *rest == '/';
    }
    char **slot = array_add(&walk->seen, &walk->count, sizeof(*walk->seen));
    assert_non_null(slot);
    *slot = strdup(devpath);
    walk->null |= streq(devpath, NULL_DEVPATH);
    walk->loop |= streq(devpath, loop_devpath);
    return walk->stop_after && walk->count == walk->stop_after ? -ECANCELED : 0;
}

static void walk_done(struct walk *walk)
{
    for (size_t i = 0; i < walk->count; i++)
        free(walk->seen[i]);
    free(walk->seen);
}

static void every_device_is_enumerated_behind_its_parents(void **state)
{
    (void)state;
    struct walk walk = {0};
    plug();
    assert_int_equal(sysfs_enumerate(on_devpath, &walk), 0);
    assert_true(walk.null);
    assert_true(walk.loop);
    assert_int_equal(walk.orphans, 0);

    size_t readable = 0;
    for (size_t i = 0; i < walk.count; i++) {
        struct device *device = NULL;
        int r = sysfs_read_device(walk.seen[i], &source, &device);
        assert_in_range(r, 0, 1); /* somebody else may unplug meanwhile */
        readable += r == 1;
        device_free(device);
    }
    assert_true(readable > 50);
    unplug();
    walk_done(&walk);
}

static void a_negative_answer_ends_the_enumeration(void **state)
{
    (void)state;
    struct walk walk = {.stop_after = 3};
    assert_int_equal(sysfs_enumerate(on_devpath, &walk), -ECANCELED);
    assert_int_equal(walk.count, 3);
    walk_done(&walk);
}

static void a_person_may_name_a_device_in_many_ways(void **state)
{
    (void)state;
    char sys_path[96], sys_link[96], sysname[64], node[64];
    plug();
    snprintf(sys_path, sizeof(sys_path), "/sys%s", loop_devpath);
    snprintf(sys_link, sizeof(sys_link), "/sys/class/block/loop%d", loop_number);
    snprintf(sysname, sizeof(sysname), "block:loop%d", loop_number);
    snprintf(node, sizeof(node), "/dev/loop%d", loop_number);
    const struct {
        const char *name;
        const char *devpath;
    } cases[] = {
        {loop_devpath, loop_devpath},
        {sys_path, loop_devpath},
        {sys_link, loop_devpath},
        {sysname, loop_devpath},
        {node, loop_devpath},
        {"/dev/null", NULL_DEVPATH},
        {"/sys/dev/char/1:3", NULL_DEVPATH},
        {"/sys/class/mem/null/", NULL_DEVPATH},
        {"mem:null", NULL_DEVPATH},
        {"net:lo", LO_DEVPATH},
        {"cpu:cpu0", "/devices/system/cpu/cpu0"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *devpath = NULL;
        struct refusal why = {0};
        if (sysfs_find_device(cases[i].name, &devpath, &why) < 0)
            fail_msg("%s: %s", cases[i].name, why.text);
        assert_string_equal(devpath, cases[i].devpath);
    }
    unplug();
}

static void links_to_a_node_are_followed(void **state)
{
    (void)state;
    char link[] = "/tmp/devolve-sysfs-XXXXXX", path[64];
    _cleanup_free_ char *devpath = NULL;

    assert_non_null(mkdtemp(link));
    snprintf(path, sizeof(path), "%s/link", link);
    assert_int_equal(symlink("/dev/null", path), 0);
    snprintf(path, sizeof(path), "/dev/..%s/link", link);
    int r = sysfs_find_device(path, &devpath, NULL);
    snprintf(path, sizeof(path), "%s/link", link);
    unlink(path);
    rmdir(link);
    assert_int_equal(r, 0);
    assert_string_equal(devpath, NULL_DEVPATH);
}

static void what_is_not_found_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int expected;
        const char *text;
    } cases[] = {
        {"/dev/no-such-node", -ENOENT, "/dev/no-such-node"},
        {"/dev/", -ENODEV, "no device node"},
        {"/sys/class/mem", -ENODEV, "no such device"},
        {"/sys/nothing", -ENODEV, "no such device"},
        {"/sys/devices/virtual/mem/null/dev", -ENODEV, "no such device"},
        {"/sys/devices/virtual/mem/null/power", -ENODEV, "no such device"},
        {"/sys/../etc", -ENODEV, "no such device"},
        {"/devices/virtual/mem/nothing", -ENODEV, "no such device"},
        {"/devices/../../etc", -ENODEV, "no such device"},
        {"/devices/platform", -ENODEV, "has no subsystem"},
        {"usb:dead:beef", -ENODEV, "no USB device dead:beef is plugged in"},
        {"usb:DEAD:BEEF:serial:1", -ENODEV, "dead:beef with serial serial:1"},
        {"usb:dead:bee", -ENODEV, "no device of that name"},
        {"usb:99-99", -ENODEV, "no device of that name"},
        {"block:nothing", -ENODEV, "no device of that name"},
        {"nothing:null", -ENODEV, "no device of that name"},
        {"block:..", -ENODEV, "no device of that name"},
        {"..:mem", -ENODEV, "no device of that name"},
        {"", -EINVAL, "not a device"},
        {":", -EINVAL, "not a device"},
        {"block:", -EINVAL, "not a device"},
        {":null", -EINVAL, "not a device"},
        {"null", -EINVAL, "not a device"},
        {"/etc/passwd", -EINVAL, "not a device"},
        {"../mem:null", -EINVAL, "not a device"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *devpath = NULL;
        struct refusal why = {0};
        int r = sysfs_find_device(cases[i].name, &devpath, &why);
        if (r != cases[i].expected || devpath || why.error != -r ||
            !strstr(why.text, cases[i].text))
            fail_msg("'%s': %d, %s", cases[i].name, r, why.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_is_read_as_the_kernel_shows_it),
        cmocka_unit_test_teardown(a_block_device_and_a_net_device_are_read, remove_loop_device),
        cmocka_unit_test(what_is_no_device_is_none),
        cmocka_unit_test_teardown(an_unplugged_device_is_none, remove_loop_device),
        cmocka_unit_test_teardown(attributes_are_read_without_their_newline, remove_loop_device),
        cmocka_unit_test(an_attribute_that_reads_as_an_error_is_none),
        cmocka_unit_test(an_attribute_that_can_only_be_written_is_none),
        cmocka_unit_test_teardown(attributes_of_an_earlier_incarnation_are_none,
                                  remove_loop_device),
        cmocka_unit_test_teardown(a_lock_dies_with_its_incarnation_and_stays_dead,
                                  remove_loop_device),
        cmocka_unit_test_teardown(every_device_is_enumerated_behind_its_parents,
                                  remove_loop_device),
        cmocka_unit_test(a_negative_answer_ends_the_enumeration),
        cmocka_unit_test_teardown(a_person_may_name_a_device_in_many_ways, remove_loop_device),
        cmocka_unit_test(links_to_a_node_are_followed),
        cmocka_unit_test(what_is_not_found_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, choose_loop_device, NULL);
}
