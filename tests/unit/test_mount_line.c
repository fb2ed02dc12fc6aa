/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "model/cgroup_line.h"
#include "model/mount_line.h"

static void a_line_of_mountinfo_is_taken_apart(void **state)
{
    static const struct {
        const char *line;
        struct mount_line parsed;
    } cases[] = {
        {"24 1 0:22 / /sys rw,relatime - sysfs sysfs rw\n",
         {24, "/", "/sys", false, "sysfs", "rw"}},
        {"36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue",
         {36, "/mnt1", "/mnt2", true, "ext3", "rw,errors=continue"}},
        {"36 35 98:0 / /a\\040b\\011c\\134d\\012e rw shared:1 master:2 - ext3 x rw",
         {36, "/", "/a b\tc\\d\ne", true, "ext3", "rw"}},
        {"36 35 98:0 / /\\400\\08\\04 rw - ext3 x rw",
         {36, "/", "/\\400\\08\\04", false, "ext3", "rw"}},
        {"36 35 98:0 \\000 /\\000 rw - ext3 x rw", {36, "\\000", "/\\000", false, "ext3", "rw"}},
        {"40 35 0:4 net:[4026532201] /run/netns/a rw - nsfs nsfs rw",
         {40, "net:[4026532201]", "/run/netns/a", false, "nsfs", "rw"}},
        {"41 35 0:5 / /a\\040-\\040b rw - tmpfs - rw\n", {41, "/", "/a - b", false, "tmpfs", "rw"}},
        {"42 35 0:5 / /none rw - tmpfs  rw\n", {42, "/", "/none", false, "tmpfs", "rw"}},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct mount_line mount;
        char line[256];
        snprintf(line, sizeof(line), "%s", cases[i].line);
        assert_int_equal(mount_line_parse(line, &mount), 0);
        assert_true(mount.id == cases[i].parsed.id);
        assert_string_equal(mount.root, cases[i].parsed.root);
        assert_string_equal(mount.point, cases[i].parsed.point);
        assert_int_equal(mount.has_peers, cases[i].parsed.has_peers);
        assert_string_equal(mount.type, cases[i].parsed.type);
        assert_string_equal(mount.options, cases[i].parsed.options);
    }
}

static void what_is_no_line_of_mountinfo_is_refused(void **state)
{
    static const char *const lines[] = {
        "",
        "\n",
        "24 1 0:22 / /sys rw,relatime",
        "24 1 0:22 / /sys rw,relatime -",
        "24 1 0:22 / /sys rw,relatime - sysfs",
        "24 1 0:22 / /sys rw,relatime - sysfs sysfs",
        "24 1 0:22 / /sys rw,relatime - sysfs sysfs ",
        "24 1 0:22 / /sys rw,relatime shared:1 sysfs sysfs rw",
        "24 1 0:22 /  rw - sysfs sysfs rw",
        "x 1 0:22 / /sys rw - sysfs sysfs rw",
        " 24 1 0:22 / /sys rw - sysfs sysfs rw",
        "24 1 0:22 / /sys rw -  sysfs rw",
        "99999999999999999999 1 0:22 / /sys rw - sysfs sysfs rw",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct mount_line mount;
        char line[256];
        snprintf(line, sizeof(line), "%s", lines[i]);
        assert_int_equal(mount_line_parse(line, &mount), -EBADMSG);
    }
}

static void a_word_of_a_list_is_found_whole(void **state)
{
    static const struct {
        const char *list, *word;
        bool has;
    } cases[] = {
        {"devices", "devices", true},
        {"cpu,devices", "devices", true},
        {"devices,cpu", "devices", true},
        {"a,devices,b", "devices", true},
        {"devicesx,cpu", "devices", false},
        {"xdevices", "devices", false},
        {"", "devices", false},
        {"dev,ices", "devices", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(comma_list_has(cases[i].list, cases[i].word), cases[i].has);
}

static void a_line_of_a_process_cgroups_is_taken_apart(void **state)
{
    static const struct {
        const char *line;
        int r;
        struct cgroup_line parsed;
    } cases[] = {
        {"0::/user.slice\n", 0, {true, "", "/user.slice"}},
        {"4:devices:/lxc/a", 0, {false, "devices", "/lxc/a"}},
        {"4:cpu,devices:/a:b\n", 0, {false, "cpu,devices", "/a:b"}},
        {"1:name=systemd:/", 0, {false, "name=systemd", "/"}},
        {"0:devices:/", 0, {false, "devices", "/"}},
        {"12::/", 0, {false, "", "/"}},
        {"0:/", -EBADMSG, {0}},
        {"", -EBADMSG, {0}},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct cgroup_line it;
        char line[64];
        snprintf(line, sizeof(line), "%s", cases[i].line);
        assert_int_equal(cgroup_line_parse(line, &it), cases[i].r);
        if (cases[i].r < 0)
            continue;
        assert_int_equal(it.unified, cases[i].parsed.unified);
        assert_string_equal(it.controllers, cases[i].parsed.controllers);
        assert_string_equal(it.group, cases[i].parsed.group);
    }
}

static void a_group_is_found_below_a_mount_that_shows_it(void **state)
{
    static const struct {
        const char *root, *group, *path; /* NULL: it is not shown */
    } cases[] = {
        {"/", "/", "/cg"},        {"/", "/a/b", "/cg/a/b"},    {"/a", "/a/b", "/cg/b"},
        {"/a", "/a", "/cg"},      {"/a", "/ab", NULL},         {"/a", "/b", NULL},
        {"/", "/../other", NULL}, {"/", "/a (deleted)", NULL}, {"/a", "/", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *path = NULL;
        assert_int_equal(cgroup_line_path("/cg", cases[i].root, cases[i].group, &path),
                         cases[i].path != NULL);
        if (cases[i].path)
            assert_string_equal(path, cases[i].path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_of_mountinfo_is_taken_apart),
        cmocka_unit_test(what_is_no_line_of_mountinfo_is_refused),
        cmocka_unit_test(a_word_of_a_list_is_found_whole),
        cmocka_unit_test(a_line_of_a_process_cgroups_is_taken_apart),
        cmocka_unit_test(a_group_is_found_below_a_mount_that_shows_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
