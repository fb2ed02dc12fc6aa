/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <libudev.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "model/udev_inside.h"

/*
 * What the real libudev makes of our records: a child with a /run of its own writes one for a
 * device that every machine has, asks libudev, and says what it was told.
 */

/* A literal that a member without const can point to. */
#define TEXT(literal) ((char[]){literal})

#define DEADLINE_MS 10000

/* A file below /run, and what is in it. */
struct written {
    char path[UDEV_RECORD_PATH_MAX];
    char text[UDEV_RECORD_MAX];
};

static int write_new(const struct written *file)
{
    char directory[UDEV_RECORD_PATH_MAX];
    for (const char *slash = file->path; (slash = strchr(slash + 1, '/'));) {
        snprintf(directory, sizeof(directory), "%.*s", (int)(slash - file->path), file->path);
        (void)mkdir(directory, 0755); /* where it is missing */
    }
    _cleanup_close_ int fd = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    size_t length = strlen(file->text);
    return fd >= 0 && write(fd, file->text, length) == (ssize_t)length ? 0 : -1;
}

static void say_names(FILE *out, const char *what, struct udev_list_entry *first)
{
    struct udev_list_entry *entry;
    udev_list_entry_foreach(entry, first)
    {
        fprintf(out, "%s %s\n", what, udev_list_entry_get_name(entry));
    }
}

/* Who has a tag, found as a program would look for it. */
static void say_tagged(FILE *out, struct udev *udev, const char *tag)
{
    struct udev_enumerate *enumerate = udev_enumerate_new(udev);
    if (!enumerate || udev_enumerate_add_match_tag(enumerate, tag) < 0 ||
        udev_enumerate_scan_devices(enumerate) < 0)
        fprintf(out, "cannot look for %s\n", tag);
    else
        say_names(out, "tagged", udev_enumerate_get_list_entry(enumerate));
    udev_enumerate_unref(enumerate);
}

static void say(FILE *out, struct udev *udev, const char *syspath)
{
    struct udev_list_entry *entry;
    struct udev_device *device = udev_device_new_from_syspath(udev, syspath);
    if (!device) {
        fprintf(out, "no device %s\n", syspath);
        return;
    }
    fprintf(out, "initialised %d\n", udev_device_get_is_initialized(device));
    udev_list_entry_foreach(entry, udev_device_get_properties_list_entry(device))
    {
        fprintf(out, "%s=%s\n", udev_list_entry_get_name(entry), udev_list_entry_get_value(entry));
    }
    say_names(out, "tag", udev_device_get_tags_list_entry(device));
    say_names(out, "current tag", udev_device_get_current_tags_list_entry(device));
    say_names(out, "link", udev_device_get_devlinks_list_entry(device));
    udev_device_unref(device);
}

/* The child. */
static void answer(const struct written *files, size_t count, const char *syspath, int out_fd)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", "/run", "tmpfs", 0, NULL) < 0)
        _exit(1);
    for (size_t i = 0; i < count; i++)
        if (write_new(&files[i]) < 0)
            _exit(1);
    FILE *out = fdopen(out_fd, "we");
    struct udev *udev = udev_new();
    if (!out || !udev)
        _exit(1);
    say(out, udev, syspath);
    say_tagged(out, udev, "zigbee");
    _exit(fclose(out) == 0 ? 0 : 1);
}

/* What libudev says where these files are. */
static void ask(const struct written *files, size_t count, const char *syspath, char *out,
                size_t size)
{
    int pipe_fds[2], status;
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        answer(files, count, syspath, pipe_fds[1]);
    close(pipe_fds[1]);
    struct pollfd pollfd = {.fd = pipe_fds[0], .events = POLLIN};
    if (poll(&pollfd, 1, DEADLINE_MS) != 1)
        kill(pid, SIGKILL);
    assert_true(file_read(pipe_fds[0], out, size) >= 0);
    close(pipe_fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("cannot write below a /run of our own (root is needed)");
}

static struct device *read_device(const char *devpath, const char *subsystem)
{
    struct device *device = NULL;
    char path[256], text[4096];
    snprintf(path, sizeof(path), "/sys%s/uevent", devpath);
    assert_true(file_read_at(AT_FDCWD, path, text, sizeof(text)) >= 0);
    assert_int_equal(device_new(devpath, subsystem, NULL, text, 1, NULL, &device), 0);
    return device;
}

/* Record and tags of a device inside. Returns how many files there are. */
static size_t write_files(const struct device *device, const struct share *share,
                          struct written files[static 4])
{
    _cleanup_grant_ struct grant *grant = NULL;
    struct udev_inside inside;
    char id[UDEV_RECORD_ID_MAX];
    struct refusal why = {0};
    if (grant_new(share, device, &grant, &why) < 0)
        fail_msg("%s", why.text);
    const struct udev_inside_source source = {.device = device, .grant = grant, .now_us = 5000000};
    assert_int_equal(udev_inside_init(&source, &inside), 0);
    assert_int_equal(udev_record_id(device, id), 0);
    assert_int_equal(udev_record_path(id, files[0].path), 0);
    assert_true(udev_record_print(&inside.record, files[0].text, sizeof(files[0].text)) > 0);
    size_t count = 1;
    for (size_t i = 0; i < inside.record.tags.count; i++, count++) {
        assert_true(count < 4);
        assert_int_equal(udev_record_tag_path(inside.record.tags.items[i], id, files[count].path),
                         0);
        files[count].text[0] = '\0';
    }
    udev_inside_done(&inside);
    return count;
}

static void describe_as_udev_would(struct device *device, const char *const *current_tags)
{
    struct property_list properties = {0};
    assert_int_equal(property_set(&properties, "ID_MODEL", "black hole"), 0);
    assert_int_equal(property_set(&properties, "ID_FOR_SEAT", "seat-x"), 0);
    assert_int_equal(property_set(&properties, "USEC_INITIALIZED", "77416877"), 0);
    assert_int_equal(property_set(&properties, "TAGS", ":seat:zigbee:"), 0);
    assert_int_equal(device_set_udev(device, &properties, current_tags,
                                     (const char *const[]){"/dev/there-on-the-host", NULL}),
                     0);
    property_list_done(&properties);
}

static void libudev_reads_properties_tags_and_links_of_a_record(void **state)
{
    static struct written files[4];
    struct property env[] = {{TEXT("MY_NAME"), TEXT("nothing")}};
    const struct share share = {.given = true,
                                .mode = -1,
                                .symlinks = {TEXT("/dev/disk/by-id/nothing")},
                                .symlink_count = 1,
                                .env = {env, ARRAY_SIZE(env)}};
    _cleanup_device_ struct device *device = read_device("/devices/virtual/mem/null", "mem");
    char said[4096];
    (void)state;
    describe_as_udev_would(device, (const char *const[]){"seat", "zigbee", NULL});
    size_t count = write_files(device, &share, files);
    assert_int_equal(count, 2); /* the record, and the tag's */
    ask(files, count, "/sys/devices/virtual/mem/null", said, sizeof(said));
    assert_string_equal(said, "initialised 1\n"
                              "CURRENT_TAGS=:zigbee:\n"
                              "DEVLINKS=/dev/disk/by-id/nothing\n"
                              "DEVMODE=0666\n"
                              "DEVNAME=/dev/null\n"
                              "DEVPATH=/devices/virtual/mem/null\n"
                              "ID_MODEL=black hole\n"
                              "MAJOR=1\n"
                              "MINOR=3\n"
                              "MY_NAME=nothing\n"
                              "SUBSYSTEM=mem\n"
                              "TAGS=:zigbee:\n"
                              "USEC_INITIALIZED=77416877\n"
                              "tag zigbee\n"
                              "current tag zigbee\n"
                              "link /dev/disk/by-id/nothing\n"
                              "tagged /sys/devices/virtual/mem/null\n");
}

static void a_tag_of_an_earlier_event_is_no_current_one(void **state)
{
    static struct written files[4];
    const struct share share = {.given = true, .mode = -1};
    _cleanup_device_ struct device *device = read_device("/devices/virtual/mem/null", "mem");
    char said[4096];
    (void)state;
    describe_as_udev_would(device, (const char *const[]){NULL});
    size_t count = write_files(device, &share, files);
    ask(files, count, "/sys/devices/virtual/mem/null", said, sizeof(said));
    assert_non_null(strstr(said, "\nTAGS=:zigbee:\n"));
    assert_non_null(strstr(said, "\ntag zigbee\n"));
    assert_null(strstr(said, "\nCURRENT_TAGS="));
    assert_null(strstr(said, "\ncurrent tag "));
}

/* The kernel's name stands in sysfs, which nobody can change. */
static void a_node_with_another_name_is_named_in_the_property(void **state)
{
    static struct written files[4];
    const struct share share = {.given = true, .mode = -1, .node = TEXT("/dev/nothing")};
    _cleanup_device_ struct device *device = read_device("/devices/virtual/mem/null", "mem");
    char said[4096];
    (void)state;
    size_t count = write_files(device, &share, files);
    ask(files, count, "/sys/devices/virtual/mem/null", said, sizeof(said));
    assert_non_null(strstr(said, "\nDEVNAME=/dev/nothing\n"));
}

static void a_device_is_initialised_by_its_record_and_not_without(void **state)
{
    static const struct {
        const char *devpath, *subsystem;
    } cases[] = {
        {"/devices/virtual/mem/null", "mem"}, /* c1:3 */
        {"/devices/virtual/net/lo", "net"},   /* n1 */
        {"/devices/system/cpu/cpu0", "cpu"},  /* +cpu:cpu0 */
    };
    const struct share share = {.given = true, .mode = -1};
    static struct written files[4];
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_device_ struct device *device = read_device(cases[i].devpath, cases[i].subsystem);
        char said[8192], syspath[256];
        snprintf(syspath, sizeof(syspath), "/sys%s", cases[i].devpath);
        assert_int_equal(write_files(device, &share, files), 1);
        ask(files, 1, syspath, said, sizeof(said));
        assert_non_null(after_prefix(said, "initialised 1\n"));
        assert_non_null(strstr(said, "\nUSEC_INITIALIZED=5000000\n"));
        ask(files, 0, syspath, said, sizeof(said));
        assert_non_null(after_prefix(said, "initialised 0\n"));
        assert_null(strstr(said, "USEC_INITIALIZED="));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(libudev_reads_properties_tags_and_links_of_a_record),
        cmocka_unit_test(a_tag_of_an_earlier_event_is_no_current_one),
        cmocka_unit_test(a_node_with_another_name_is_named_in_the_property),
        cmocka_unit_test(a_device_is_initialised_by_its_record_and_not_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
