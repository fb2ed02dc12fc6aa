/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/grant.h"

/* A literal that a member without const can point to. */
#define TEXT(literal) ((char[]){literal})

#define TTY "MAJOR=188\nMINOR=0\nDEVNAME=ttyUSB0\n"

static struct device *new_device(const char *uevent_text)
{
    struct device *device = NULL;
    assert_int_equal(
        device_new("/devices/usb1/ttyUSB0", "tty", NULL, uevent_text, 77, NULL, &device), 0);
    return device;
}

/* Tests write shares as literals: grant_new() only reads them. */
static struct grant *new_grant(const struct share *share, const char *uevent_text)
{
    _cleanup_device_ struct device *device = new_device(uevent_text);
    struct grant *grant = NULL;
    struct refusal why = {0};
    if (grant_new(share, device, &grant, &why) < 0)
        fail_msg("%s", why.text);
    return grant;
}

static void assert_refused(const struct share *share, const char *reason)
{
    _cleanup_device_ struct device *device = new_device(TTY);
    struct grant *grant = NULL;
    struct refusal why = {0};
    assert_int_equal(grant_new(share, device, &grant, &why), -EINVAL);
    assert_string_equal(why.text, reason);
    assert_int_equal(why.error, EINVAL);
    assert_null(grant);
}

static void an_empty_share_gives_the_kernels_name_to_root(void **state)
{
    const struct share share = {.given = true, .mode = -1};
    _cleanup_grant_ struct grant *grant = new_grant(&share, TTY);
    (void)state;
    assert_string_equal(grant->devpath, "/devices/usb1/ttyUSB0");
    assert_int_equal(grant->inode, 77);
    assert_string_equal(grant->node, "/dev/ttyUSB0");
    assert_int_equal(grant->number.kind, NODE_CHARACTER);
    assert_int_equal(grant->number.major, 188);
    assert_int_equal(grant->uid, 0);
    assert_int_equal(grant->gid, 0);
    assert_null(grant->owner);
    assert_null(grant->group);
    assert_int_equal(grant->mode, 0600);
    assert_int_equal(grant->access, ACCESS_READ | ACCESS_WRITE);
    assert_int_equal(grant->symlink_count, 0);
    assert_null(grant->rule_file);
}

static void all_that_a_share_says_is_taken_over(void **state)
{
    struct property env[] = {{TEXT("A"), TEXT("1")}};
    char *const link = TEXT("/dev/serial/by-id/x");
    struct share share = {.given = true,
                          .node = TEXT("/dev/zigbee"),
                          .owner = TEXT("1000"),
                          .group = TEXT("dialout"),
                          .mode = 0640,
                          .access = ACCESS_READ | ACCESS_MKNOD,
                          .options = OPTION_SUBTREE | OPTION_EXCLUSIVE,
                          .symlinks = {link},
                          .symlink_count = 1,
                          .env = {env, 1},
                          .rule_file = TEXT("70-lab.rules"),
                          .rule_line = 12};
    _cleanup_grant_ struct grant *grant = new_grant(&share, TTY);
    (void)state;
    assert_string_equal(grant->node, "/dev/zigbee");
    assert_int_equal(grant->uid, 1000);
    assert_null(grant->owner);
    assert_string_equal(grant->group, "dialout");
    assert_int_equal(grant->mode, 0640);
    assert_int_equal(grant->access, ACCESS_READ | ACCESS_MKNOD);
    assert_int_equal(grant->options, OPTION_SUBTREE | OPTION_EXCLUSIVE);
    assert_int_equal(grant->symlink_count, 1);
    assert_string_equal(grant->symlinks[0], link);
    assert_string_equal(property_get(&grant->env, "A"), "1");
    assert_string_equal(grant->rule_file, "70-lab.rules");
    assert_int_equal(grant->rule_line, 12);
}

static void the_mode_is_the_rules_or_the_kernels_or_udevs_default(void **state)
{
    static const struct {
        int mode;
        const char *group;
        const char *devmode;
        mode_t expected;
    } cases[] = {
        {-1, NULL, "", 0600},         {-1, "20", "", 0660},
        {-1, "dialout", "", 0660},    {-1, "20", "DEVMODE=0666\n", 0666},
        {-1, NULL, "DEVMODE=0\n", 0}, {0, "20", "DEVMODE=0666\n", 0},
        {0400, NULL, "", 0400},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[128];
        const struct share share = {.mode = cases[i].mode, .group = (char *)cases[i].group};
        strcpy(stpcpy(text, TTY), cases[i].devmode);
        _cleanup_grant_ struct grant *grant = new_grant(&share, text);
        assert_int_equal(grant->mode, cases[i].expected);
    }
}

static void a_device_without_node_gets_no_path_and_no_links(void **state)
{
    const struct share share = {
        .node = TEXT("/dev/x"), .symlinks = {TEXT("/dev/y")}, .symlink_count = 1, .mode = -1};
    _cleanup_grant_ struct grant *grant = new_grant(&share, "IFINDEX=2\n");
    (void)state;
    assert_null(grant->node);
    assert_int_equal(grant->number.kind, NODE_NONE);
    assert_int_equal(grant->symlink_count, 0);
}

static void no_node_keeps_the_number(void **state)
{
    const struct share share = {.options = OPTION_NO_NODE, .mode = -1};
    _cleanup_grant_ struct grant *grant = new_grant(&share, TTY);
    (void)state;
    assert_null(grant->node);
    assert_int_equal(grant->number.kind, NODE_CHARACTER);
}

static void a_path_that_leaves_dev_is_refused(void **state)
{
    static const struct {
        const char *path;
        const char *reason;
    } cases[] = {
        {"/etc/passwd", "r:3: NODE \"/etc/passwd\" is not below /dev"},
        {"/dev", "r:3: NODE \"/dev\" is not below /dev"},
        {"/device", "r:3: NODE \"/device\" is not below /dev"},
        {"dev/x", "r:3: NODE \"dev/x\" is not below /dev"},
        {"", "r:3: NODE \"\" is not below /dev"},
        {"/dev/", "r:3: NODE \"/dev/\" has an empty, \".\" or \"..\" component"},
        {"/dev/..", "r:3: NODE \"/dev/..\" has an empty, \".\" or \"..\" component"},
        {"/dev/a/../../etc",
         "r:3: NODE \"/dev/a/../../etc\" has an empty, \".\" or \"..\" component"},
        {"/dev/./a", "r:3: NODE \"/dev/./a\" has an empty, \".\" or \"..\" component"},
        {"/dev//a", "r:3: NODE \"/dev//a\" has an empty, \".\" or \"..\" component"},
        {"/dev/a/", "r:3: NODE \"/dev/a/\" has an empty, \".\" or \"..\" component"},
        {"/dev/a\nb", "r:3: NODE \"/dev/a\\x0ab\" is not printable UTF-8"},
        {"/dev/\x92", "r:3: NODE \"/dev/\\x92\" is not printable UTF-8"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct share share = {
            .node = (char *)cases[i].path, .mode = -1, .rule_file = TEXT("r"), .rule_line = 3};
        assert_refused(&share, cases[i].reason);
    }
}

static void dots_inside_a_name_are_no_way_out(void **state)
{
    const struct share share = {.node = TEXT("/dev/..a/b../.c/..."), .mode = -1};
    _cleanup_grant_ struct grant *grant = new_grant(&share, TTY);
    (void)state;
    assert_string_equal(grant->node, "/dev/..a/b../.c/...");
}

static void a_path_may_be_as_long_as_the_limit_and_no_longer(void **state)
{
    char path[GRANT_PATH_MAX + 1];
    struct share share = {.node = path, .mode = -1, .rule_file = TEXT("attach")};
    (void)state;
    memset(path, 'a', sizeof(path));
    memcpy(path, "/dev/", 5);
    path[GRANT_PATH_MAX] = '\0';
    assert_refused(&share, "attach: NODE is longer than 255 bytes");
    path[GRANT_PATH_MAX - 1] = '\0';
    _cleanup_grant_ struct grant *grant = new_grant(&share, TTY);
    assert_string_equal(grant->node, path);
}

static void symlinks_are_judged_like_nodes(void **state)
{
    static const struct {
        const char *link;
        const char *reason;
    } cases[] = {
        {"/dev", "SYMLINK \"/dev\" is not below /dev"},
        {"/etc/x", "SYMLINK \"/etc/x\" is not below /dev"},
        {"/dev/../x", "SYMLINK \"/dev/../x\" has an empty, \".\" or \"..\" component"},
        {"/dev/a", "SYMLINK \"/dev/a\" and \"/dev/a/node\" exclude each other"},
        {"/dev/a/node/x", "SYMLINK \"/dev/a/node/x\" and \"/dev/a/node\" exclude each other"},
        {"/dev/b", "SYMLINK \"/dev/b\" and \"/dev/b/first\" exclude each other"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct share share = {.node = TEXT("/dev/a/node"),
                                    .mode = -1,
                                    .symlinks = {TEXT("/dev/b/first"), (char *)cases[i].link},
                                    .symlink_count = 2};
        assert_refused(&share, cases[i].reason);
    }
}

static void a_symlink_that_is_there_already_is_left_out(void **state)
{
    const struct share share = {
        .mode = -1,
        .symlinks = {TEXT("/dev/ttyUSB0"), TEXT("/dev/a"), TEXT("/dev/ttyUSB"), TEXT("/dev/a")},
        .symlink_count = 4};
    _cleanup_grant_ struct grant *grant = new_grant(&share, TTY);
    (void)state;
    assert_int_equal(grant->symlink_count, 2);
    assert_string_equal(grant->symlinks[0], "/dev/a");
    assert_string_equal(grant->symlinks[1], "/dev/ttyUSB");
}

static void owners_are_numbers_or_names(void **state)
{
    char long_name[GRANT_NAME_MAX + 1];
    (void)state;
    memset(long_name, 'u', sizeof(long_name));
    long_name[GRANT_NAME_MAX] = '\0';

    assert_refused(&(struct share){.owner = TEXT("4294967295"), .mode = -1},
                   "OWNER 4294967295 is above the largest id");
    assert_refused(&(struct share){.owner = TEXT("99999999999999999999"), .mode = -1},
                   "OWNER 99999999999999999999 is above the largest id");
    assert_refused(&(struct share){.group = TEXT(""), .mode = -1},
                   "GROUP \"\" is neither a number nor a name");
    assert_refused(&(struct share){.group = TEXT("a:b"), .mode = -1},
                   "GROUP \"a:b\" is neither a number nor a name");
    assert_refused(&(struct share){.group = TEXT("-1"), .mode = -1},
                   "GROUP \"-1\" is neither a number nor a name");
    assert_refused(&(struct share){.group = TEXT("a\n"), .mode = -1},
                   "GROUP \"a\\x0a\" is neither a number nor a name");
    _cleanup_device_ struct device *device = new_device(TTY);
    struct grant *none = NULL;
    assert_int_equal(
        grant_new(&(struct share){.owner = long_name, .mode = -1}, device, &none, NULL), -EINVAL);

    _cleanup_grant_ struct grant *grant = new_grant(
        &(struct share){.owner = TEXT("4294967294"), .group = TEXT("games"), .mode = -1}, TTY);
    assert_true(grant->uid == UINT32_MAX - 1);
    assert_string_equal(grant->group, "games");
}

static void a_key_is_incarnation_and_path(void **state)
{
    const struct share plain = {.mode = -1};
    const struct share other_path = {.mode = -1, .node = TEXT("/dev/x")};
    const struct share no_node = {.mode = -1, .options = OPTION_NO_NODE};
    _cleanup_grant_ struct grant *a = new_grant(&plain, TTY), *b = new_grant(&plain, TTY);
    _cleanup_grant_ struct grant *path = new_grant(&other_path, TTY);
    _cleanup_grant_ struct grant *none = new_grant(&no_node, TTY);
    _cleanup_grant_ struct grant *none_again = new_grant(&no_node, TTY);
    (void)state;
    assert_true(grant_same_key(a, b));
    assert_false(grant_same_key(a, path));
    assert_false(grant_same_key(a, none));
    assert_true(grant_same_key(none, none_again));
    b->inode++;
    assert_false(grant_same_key(a, b));
}

static void grants_are_equal_when_all_that_is_delivered_is(void **state)
{
    struct property one[] = {{TEXT("A"), TEXT("1")}};
    const struct share base = {.mode = 0600, .owner = TEXT("1")};
    const struct share same[] = {
        {.mode = 0600, .owner = TEXT("1"), .rule_file = TEXT("elsewhere"), .rule_line = 9},
        {.mode = 0600, .owner = TEXT("1"), .link_priority = 1},
        {.mode = -1,
         .owner = TEXT("1"),
         .access = ACCESS_READ | ACCESS_WRITE,
         .node = TEXT("/dev/ttyUSB0")},
    };
    const struct share different[] = {
        {.mode = 0601, .owner = TEXT("1")},
        {.mode = 0600, .owner = TEXT("2")},
        {.mode = 0600, .owner = TEXT("root")},
        {.mode = 0600, .owner = TEXT("1"), .group = TEXT("1")},
        {.mode = 0600, .owner = TEXT("1"), .group = TEXT("wheel")},
        {.mode = 0600, .owner = TEXT("1"), .access = ACCESS_READ},
        {.mode = 0600, .owner = TEXT("1"), .options = OPTION_NO_EVENT},
        {.mode = 0600, .owner = TEXT("1"), .symlinks = {TEXT("/dev/a")}, .symlink_count = 1},
        {.mode = 0600, .owner = TEXT("1"), .env = {one, 1}},
        {.mode = 0600, .owner = TEXT("1"), .node = TEXT("/dev/other")},
    };
    _cleanup_grant_ struct grant *grant = new_grant(&base, TTY);
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
        _cleanup_grant_ struct grant *other = new_grant(&same[i], TTY);
        assert_true(grant_equal(grant, other));
    }
    for (size_t i = 0; i < ARRAY_SIZE(different); i++) {
        _cleanup_grant_ struct grant *other = new_grant(&different[i], TTY);
        if (grant_equal(grant, other) || grant_equal(other, grant))
            fail_msg("case %zu", i);
    }
}

static void ids_go_through_the_containers_maps_or_nowhere(void **state)
{
    const struct share share = {.mode = -1, .rule_file = TEXT("70-lab.rules"), .rule_line = 12};
    _cleanup_grant_ struct grant *grant = new_grant(&share, TTY);
    _cleanup_(idmap_done) struct idmap uids = {0}, gids = {0};
    uint32_t uid = 7, gid = 7;
    struct refusal why;
    (void)state;
    assert_int_equal(idmap_parse(&uids, "0 100000 1001\n", NULL), 0);
    assert_int_equal(idmap_parse(&gids, "0 200000 10\n", NULL), 0);

    assert_int_equal(grant_translate(grant, 1001, 0, &uids, &gids, &uid, &gid, &why), -EOVERFLOW);
    assert_string_equal(why.text,
                        "70-lab.rules:12: uid 1001 is not in the container's uid_map, which has "
                        "0-1000: OWNER must be one of those");
    assert_int_equal(grant_translate(grant, 0, 20, &uids, &gids, &uid, &gid, &why), -EOVERFLOW);
    assert_string_equal(why.text,
                        "70-lab.rules:12: gid 20 is not in the container's gid_map, which has "
                        "0-9: GROUP must be one of those");
    assert_int_equal(uid, 7);
    assert_int_equal(gid, 7);

    assert_int_equal(grant_translate(grant, 1000, 9, &uids, &gids, &uid, &gid, NULL), 0);
    assert_int_equal(uid, 101000);
    assert_int_equal(gid, 200009);
}

static int new_interface_grant(char *name, unsigned options, const char *subsystem,
                               struct grant **ret, struct refusal *why)
{
    char file[] = "r";
    const struct share share = {.given = true,
                                .mode = -1,
                                .name = name,
                                .options = options,
                                .rule_file = file,
                                .rule_line = 3};
    _cleanup_device_ struct device *device = NULL;
    assert_int_equal(device_new("/devices/virtual/net/v", subsystem, NULL,
                                "INTERFACE=v\nIFINDEX=7\n", 9, NULL, &device),
                     0);
    return grant_new(&share, device, ret, why);
}

static void a_network_interface_has_a_name_inside_in_place_of_a_node(void **state)
{
    const struct {
        char *name;
        unsigned options;
        const char *inside;
    } cases[] = {{NULL, 0, "v"},
                 {TEXT("eth5"), 0, "eth5"},
                 {TEXT("fifteen-bytes-x"), 0, "fifteen-bytes-x"},
                 {TEXT("eth5"), OPTION_NO_NODE, NULL}};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_grant_ struct grant *grant = NULL;
        assert_int_equal(new_interface_grant(cases[i].name, cases[i].options, "net", &grant, NULL),
                         0);
        assert_true(streq_null(grant->interface, cases[i].inside));
        assert_int_equal(grant->ifindex, cases[i].inside ? 7 : 0);
        assert_null(grant->node);
    }
}

static void a_name_that_is_none_for_an_interface_is_refused(void **state)
{
    char *const names[] = {TEXT(""),    TEXT("."),   TEXT(".."),
                           TEXT("a/b"), TEXT("a:b"), TEXT("eth%d"),
                           TEXT("a b"), TEXT("a\n"), TEXT("sixteen-bytes-xy")};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct refusal why = {.error = 0};
        struct grant *grant = NULL;
        assert_int_equal(new_interface_grant(names[i], 0, "net", &grant, &why), -EINVAL);
        assert_non_null(strstr(why.text, "r:3: NAME \""));
    }
}

static void a_name_for_what_is_no_interface_is_refused(void **state)
{
    struct refusal why = {.error = 0};
    struct grant *grant = NULL;
    (void)state;
    assert_int_equal(new_interface_grant(TEXT("eth5"), 0, "tty", &grant, &why), -EINVAL);
    assert_string_equal(why.text, "r:3: NAME=\"eth5\" is for network interfaces, and v is none");
}

static void another_name_of_an_interface_is_another_key(void **state)
{
    _cleanup_grant_ struct grant *a = NULL, *b = NULL;
    (void)state;
    assert_int_equal(new_interface_grant(TEXT("eth5"), 0, "net", &a, NULL), 0);
    assert_int_equal(new_interface_grant(TEXT("eth6"), 0, "net", &b, NULL), 0);
    assert_true(grant_same_key(a, a));
    assert_false(grant_same_key(a, b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_for_what_is_no_interface_is_refused),
        cmocka_unit_test(a_name_that_is_none_for_an_interface_is_refused),
        cmocka_unit_test(a_network_interface_has_a_name_inside_in_place_of_a_node),
        cmocka_unit_test(another_name_of_an_interface_is_another_key),
        cmocka_unit_test(an_empty_share_gives_the_kernels_name_to_root),
        cmocka_unit_test(all_that_a_share_says_is_taken_over),
        cmocka_unit_test(the_mode_is_the_rules_or_the_kernels_or_udevs_default),
        cmocka_unit_test(a_device_without_node_gets_no_path_and_no_links),
        cmocka_unit_test(no_node_keeps_the_number),
        cmocka_unit_test(a_path_that_leaves_dev_is_refused),
        cmocka_unit_test(dots_inside_a_name_are_no_way_out),
        cmocka_unit_test(a_path_may_be_as_long_as_the_limit_and_no_longer),
        cmocka_unit_test(symlinks_are_judged_like_nodes),
        cmocka_unit_test(a_symlink_that_is_there_already_is_left_out),
        cmocka_unit_test(owners_are_numbers_or_names),
        cmocka_unit_test(a_key_is_incarnation_and_path),
        cmocka_unit_test(grants_are_equal_when_all_that_is_delivered_is),
        cmocka_unit_test(ids_go_through_the_containers_maps_or_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
