/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>

#include "model/gate.h"

/* What is seen at a path, and the gate that it means. */

#define DIRECTORY SIGHT_DIRECTORY
#define OURS .device = 5, .inode = 7, .mode = S_IFCHR | 0660, .number = 48128
#define SEEN DIRECTORY | SIGHT_FOUND | SIGHT_MOUNT

/* Its root is 100000 on the host; 70000 inside is not mapped, and 1 on the host is nobody's. */
struct maps {
    struct idmap uids;
    struct gate_node node;
};

static int set_up(void **state)
{
    static struct maps maps;
    assert_int_equal(idmap_parse(&maps.uids, "0 100000 65536\n", NULL), 0);
    maps.node = (struct gate_node){.path = "/dev/ttyUSB0",
                                   .device = 5,
                                   .inode = 7,
                                   .uid = 100000,
                                   .gid = 100020,
                                   .mode = S_IFCHR | 0660,
                                   .uids = &maps.uids,
                                   .gids = &maps.uids,
                                   .overrides = true};
    *state = &maps;
    return 0;
}

static int tear_down(void **state)
{
    idmap_done(&((struct maps *)*state)->uids);
    return 0;
}

static void the_first_gate_of_a_node_is_named(void **state)
{
    static const struct {
        struct sight sight;
        enum gate gate;
        const char *why;
    } cases[] = {
        {{.flags = SEEN, OURS}, GATE_NONE, ""},
        {{.flags = 0}, GATE_NODE, "is not there any more"},
        {{.flags = DIRECTORY}, GATE_NODE, "is not there any more"},
        {{.flags = DIRECTORY | SIGHT_HOST}, GATE_DEV, "the host's own"},
        {{.flags = DIRECTORY | SIGHT_FOUND, .device = 9, .inode = 1, .mode = S_IFCHR},
         GATE_NODE,
         "only the placeholder"},
        {{.flags = DIRECTORY | SIGHT_FOUND, .device = 9, .inode = 1, .mode = S_IFREG | 0644},
         GATE_NODE,
         "only the placeholder"},
        {{.flags = DIRECTORY | SIGHT_FOUND, .device = 9, .mode = S_IFLNK | 0777},
         GATE_SHADOWED,
         "something else lies at /dev/ttyUSB0 inside (mode 120777)"},
        {{.flags = DIRECTORY | SIGHT_FOUND, .device = 9, .mode = S_IFCHR, .number = 48128},
         GATE_SHADOWED,
         "something else lies"},
        {{.flags = SEEN, .device = 9, .inode = 7, .mode = S_IFREG}, GATE_SHADOWED, "is shadowed"},
        {{.flags = SEEN, .device = 5, .inode = 8, .mode = S_IFCHR}, GATE_SHADOWED, "is shadowed"},
        {{.flags = SEEN | SIGHT_NODEV, OURS}, GATE_NODEV, "with nodev"},
        {{.flags = SEEN | SIGHT_NODEV, OURS, .access = -EACCES}, GATE_NODEV, "with nodev"},
        {{.flags = SEEN, OURS, .access = -EPERM}, GATE_NONE, ""},
        {{.flags = SEEN, OURS, .access = -EIO}, GATE_NODE, "Input/output error"},
    };
    const struct maps *maps = *state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct refusal why = {.error = 0};
        assert_int_equal(gate_of_node(&maps->node, &cases[i].sight, &why), cases[i].gate);
        assert_non_null(strstr(why.text, cases[i].why));
        assert_int_equal(why.error != 0, cases[i].gate != GATE_NONE);
    }
}

static void who_is_denied_by_the_mode_depends_on_ids_and_capabilities(void **state)
{
    static const struct {
        uint32_t uid, gid;
        bool overrides;
        int access;
        enum gate gate;
    } cases[] = {
        {101000, 100020, true, -EACCES, GATE_NONE},
        {101000, 100020, false, -EACCES, GATE_MODE},
        {1, 100020, true, -EACCES, GATE_IDS},
        {101000, 1, true, -EACCES, GATE_IDS},
        {100000 + 65536, 100020, true, -EACCES, GATE_IDS},
        {1, 1, false, -EACCES, GATE_IDS},
        {1, 1, false, 0, GATE_NONE}, /* 0666 */
    };
    const struct maps *maps = *state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct gate_node node = maps->node;
        const struct sight sight = {.flags = SEEN, OURS, .access = cases[i].access};
        struct refusal why = {.error = 0};
        node.uid = cases[i].uid;
        node.gid = cases[i].gid;
        node.overrides = cases[i].overrides;
        assert_int_equal(gate_of_node(&node, &sight, &why), cases[i].gate);
    }
}

static void dev_is_closed_where_nothing_can_be_made_in_it(void **state)
{
    static const struct {
        struct sight sight;
        enum gate gate;
        const char *why;
    } cases[] = {
        {{.flags = DIRECTORY}, GATE_NONE, ""},
        {{.flags = 0}, GATE_DEV, "there is no /dev"},
        {{.flags = DIRECTORY | SIGHT_HOST}, GATE_DEV, "the host's own"},
        {{.flags = DIRECTORY, .directory_access = -EROFS}, GATE_DEV, "read-only"},
        {{.flags = DIRECTORY, .directory_access = -EACCES}, GATE_DEV, "Permission denied"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct refusal why = {.error = 0};
        assert_int_equal(gate_of_dev(&cases[i].sight, &why), cases[i].gate);
        assert_non_null(strstr(why.text, cases[i].why));
    }
}

static void what_libudev_does_not_find_is_named(void **state)
{
    static const struct {
        enum gate asked;
        struct sight sight;
        enum gate gate;
        const char *why;
    } cases[] = {
        {GATE_MARKER, {.flags = DIRECTORY | SIGHT_FOUND}, GATE_NONE, ""},
        {GATE_MARKER, {.flags = DIRECTORY | SIGHT_HOST}, GATE_NONE, ""},
        {GATE_MARKER, {.flags = 0}, GATE_MARKER, "stay deaf"},
        {GATE_MARKER, {.flags = DIRECTORY, .directory_access = -EROFS}, GATE_MARKER, "read-only"},
        {GATE_RECORD, {.flags = DIRECTORY}, GATE_RECORD, "uninitialised"},
        {GATE_RECORD, {.flags = DIRECTORY | SIGHT_FOUND}, GATE_NONE, ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct refusal why = {.error = 0};
        assert_int_equal(gate_of_udev(cases[i].asked, "/run/udev/x", &cases[i].sight, &why),
                         cases[i].gate);
        assert_non_null(strstr(why.text, cases[i].why));
    }
}

static void a_step_that_fails_has_its_gate(void **state)
{
    static const struct {
        enum step_kind kind;
        int error;
        enum gate gate;
    } cases[] = {
        {STEP_IDENTIFY, ENOENT, GATE_IDS},       {STEP_NODE_MAKE, EOVERFLOW, GATE_IDS},
        {STEP_NODE_MAKE, ENODEV, GATE_NODE},     {STEP_NODE_ATTACH, EROFS, GATE_DEV},
        {STEP_NODE_ATTACH, EEXIST, GATE_NODE},   {STEP_LINK_MAKE, EROFS, GATE_DEV},
        {STEP_ACCESS_ALLOW, EPERM, GATE_CGROUP}, {STEP_INTERFACE_MOVE, EBUSY, GATE_INTERFACE},
        {STEP_EVENT, ENOBUFS, GATE_NETNS},       {STEP_RECORD_WRITE, EROFS, GATE_RECORD},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(gate_of_step(cases[i].kind, cases[i].error), cases[i].gate);
}

static void every_gate_has_a_name(void **state)
{
    (void)state;
    assert_null(gate_name(GATE_NONE));
    for (enum gate gate = GATE_CONTAINER; gate <= GATE_RECORD; gate++)
        assert_non_null(gate_name(gate));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_gate_of_a_node_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_denied_by_the_mode_depends_on_ids_and_capabilities,
                                        set_up, tear_down),
        cmocka_unit_test(dev_is_closed_where_nothing_can_be_made_in_it),
        cmocka_unit_test(what_libudev_does_not_find_is_named),
        cmocka_unit_test(a_step_that_fails_has_its_gate),
        cmocka_unit_test(every_gate_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
