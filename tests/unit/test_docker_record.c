/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "hooks/docker_record.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

struct docker {
    char top[64], folder[160], record[200];
};

static int make_docker(void **state)
{
    static struct docker docker;
    char containers[80];
    snprintf(docker.top, sizeof(docker.top), "/tmp/devolve-unit.XXXXXX");
    if (!mkdtemp(docker.top))
        return -1;
    snprintf(containers, sizeof(containers), "%s/containers", docker.top);
    snprintf(docker.folder, sizeof(docker.folder), "%s/" ID, containers);
    snprintf(docker.record, sizeof(docker.record), "%s/config.v2.json", docker.folder);
    *state = &docker;
    return mkdir(containers, 0700) < 0 || mkdir(docker.folder, 0700) < 0;
}

static int remove_docker(void **state)
{
    struct docker *docker = *state;
    char containers[80];
    snprintf(containers, sizeof(containers), "%s/containers", docker->top);
    (void)unlink(docker->record);
    return rmdir(docker->folder) < 0 || rmdir(containers) < 0 || rmdir(docker->top) < 0;
}

static void put_record(const struct docker *docker, const char *text)
{
    int fd = open(docker->record, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

/* The bundle's configuration with these mounts, in which %s is docker's data directory. */
static int name_by(const struct docker *docker, const char *mounts, const char *id, char **ret)
{
    char list[2048], config[2200];
    struct refusal why;
    const char *top = docker->top;
    *ret = NULL;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(list, sizeof(list), mounts, top, top, top);
#pragma GCC diagnostic pop
    snprintf(config, sizeof(config), "{\"max\":18446744073709551615,\"mounts\":%s}", list);
    return docker_record_name(config, strlen(config), id, ret, &why);
}

#define MOUNT(to, id, file)                                                                        \
    "{\"destination\":\"" to "\",\"type\":\"bind\",\"source\":\"%s/containers/" id "/" file "\"}"

static void the_name_is_dockers_own(void **state)
{
    struct docker *docker = *state;
    static const char *const cases[] = {
        "[" MOUNT("/etc/hostname", ID, "hostname") "]",
        "[{\"destination\":\"/proc\",\"source\":\"proc\"}," MOUNT("/etc/hosts", ID, "hosts") "]",
        /* in the network of another container */
        "[" MOUNT("/etc/resolv.conf", OTHER, "resolv.conf") "]",
        /* somebody's own file over one of them */
        "[" MOUNT("/etc/hostname", ID,
                  "hostname") ",{\"destination\":\"/etc/hostname\",\"source\":"
                              "\"/home/me/" ID "/hostname\"}," MOUNT("/etc/hosts", ID, "hosts") "]",
    };
    put_record(docker, "{\"ID\":\"" ID "\",\"x\":1e400,\"Name\":\"/web-1\",\"Config\":{}}");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *name;
        if (name_by(docker, cases[i], ID, &name) != 1)
            fail_msg("no name by %s", cases[i]);
        assert_string_equal(name, "web-1");
        free(name);
    }
}

static void a_bundle_that_is_not_dockers_has_no_name(void **state)
{
    struct docker *docker = *state;
    static const char *const cases[] = {
        "[]",
        "[{\"destination\":\"/etc/hostname\"}]",
        "[{\"destination\":\"/etc/hostname\",\"source\":\"containers/" ID "/hostname\"}]",
        "[{\"destination\":\"/etc/hostname\",\"source\":\"%s/elsewhere/" ID "/hostname\"}]",
        "[{\"destination\":\"/etc/hostname\",\"source\":\"/hostname\"}]",
        "[" MOUNT("/etc/hostname", "short", "hostname") "]",
        "[" MOUNT("/etc/passwd", ID, "hostname") "]",
        "{}",
    };
    put_record(docker, "{\"ID\":\"" ID "\",\"Name\":\"/web-1\"}");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *name;
        if (name_by(docker, cases[i], ID, &name) != 0)
            fail_msg("a name by %s", cases[i]);
    }
    char *name;
    assert_int_equal(
        name_by(docker, "[" MOUNT("/etc/hostname", ID, "hostname") "]", "../" ID, &name), 0);
    assert_int_equal(name_by(docker, "[" MOUNT("/etc/hostname", ID, "hostname") "]", "box", &name),
                     0);
}

static void a_record_that_cannot_be_believed_is_refused(void **state)
{
    struct docker *docker = *state;
    static const char mounts[] = "[" MOUNT("/etc/hostname", ID, "hostname") "]";
    static const char *const records[] = {
        "",
        "{}",
        "{\"ID\":\"" OTHER "\",\"Name\":\"/web-1\"}",
        "{\"ID\":\"" ID "\"}",
        "{\"ID\":\"" ID "\",\"Name\":7}",
        "{\"ID\":\"" ID "\",\"Name\":\"web-1\"}",
        "{\"ID\":\"" ID "\",\"Name\":\"/\"}",
        "{\"ID\":\"" ID "\",\"Name\":\"/a\",\"Name\":\"/b\"}",
    };
    char *name;
    assert_int_equal(name_by(docker, mounts, ID, &name), -ENOENT);
    for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
        put_record(docker, records[i]);
        if (name_by(docker, mounts, ID, &name) != -EBADMSG)
            fail_msg("%s was believed", records[i]);
    }
    put_record(docker, "{\"ID\":\"" ID "\",\"Name\":\"/web-1\"}");
    assert_int_equal(chmod(docker->record, 0620), 0);
    assert_int_equal(name_by(docker, mounts, ID, &name), -EPERM);
    assert_int_equal(unlink(docker->record), 0);
    assert_int_equal(mkfifo(docker->record, 0600), 0);
    assert_int_equal(name_by(docker, mounts, ID, &name), -EPERM);
    assert_int_equal(unlink(docker->record), 0);
    assert_int_equal(symlink("/etc/passwd", docker->record), 0);
    assert_int_equal(name_by(docker, mounts, ID, &name), -ELOOP);
}

static void a_record_of_another_user_is_refused(void **state)
{
    struct docker *docker = *state;
    char *name;
    if (geteuid() != 0)
        skip(); /* only root gives files away */
    put_record(docker, "{\"ID\":\"" ID "\",\"Name\":\"/web-1\"}");
    assert_int_equal(chown(docker->record, 1, 0), 0);
    assert_int_equal(name_by(docker, "[" MOUNT("/etc/hostname", ID, "hostname") "]", ID, &name),
                     -EPERM);
}

int main(void)
{
#define IN_DOCKER(test) cmocka_unit_test_setup_teardown(test, make_docker, remove_docker)
    static const struct CMUnitTest tests[] = {
        IN_DOCKER(the_name_is_dockers_own),
        IN_DOCKER(a_bundle_that_is_not_dockers_has_no_name),
        IN_DOCKER(a_record_that_cannot_be_believed_is_refused),
        IN_DOCKER(a_record_of_another_user_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
