/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/plan.h"

/* A literal that a member without const can point to. */
#define TEXT(literal) ((char[]){literal})

#define DEVPATH "/devices/usb1/ttyUSB0"

/* Grants as literals: plans only read them. */
static char *links[] = {TEXT("/dev/serial/by-id/cp210x"), TEXT("/dev/stick")};
static const struct grant full = {.devpath = TEXT(DEVPATH),
                                  .node = TEXT("/dev/zigbee"),
                                  .number = {NODE_CHARACTER, 188, 0},
                                  .gid = 20,
                                  .mode = 0660,
                                  .access = ACCESS_READ | ACCESS_WRITE,
                                  .symlinks = links,
                                  .symlink_count = 2};
static const struct grant named = {.devpath = TEXT(DEVPATH),
                                   .node = TEXT("/dev/zigbee"),
                                   .number = {NODE_CHARACTER, 188, 0},
                                   .group = TEXT("dialout"),
                                   .mode = 0660,
                                   .access = ACCESS_READ | ACCESS_WRITE | ACCESS_MKNOD};
static const struct grant no_node = {.devpath = TEXT(DEVPATH),
                                     .number = {NODE_BLOCK, 8, 1},
                                     .owner = TEXT("root"),
                                     .access = ACCESS_READ,
                                     .options = OPTION_NO_NODE};
static const struct grant net = {.devpath = TEXT("/devices/net/eth1"), .owner = TEXT("root")};

static const struct uevent *event_of(enum uevent_action action, const char *devpath)
{
    static struct uevent event;
    assert_int_equal(uevent_init(&event, action, devpath), 0);
    return &event;
}

static void assert_undone(const struct plan *plan, const char *expected);

/* Compares the plan's steps, one a line. */
static void assert_plan(const struct plan *plan, const char *expected)
{
    char text[8192] = "", line[1024];
    size_t used = 0;
    for (size_t i = 0; i < plan->count; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s\n",
                                 step_describe(&plan->steps[i], line, sizeof(line)));
    assert_string_equal(text, expected);
}

static void giving_tells_the_container_last(void **state)
{
    struct plan plan = {0};
    (void)state;
    plan_give(&plan, &full, event_of(UEVENT_ADD, DEVPATH));
    assert_plan(&plan, "node-make /dev/zigbee c 188:0 owner 0:20 mode 0660\n"
                       "node-attach /dev/zigbee\n"
                       "link-make /dev/serial/by-id/cp210x -> /dev/zigbee\n"
                       "link-make /dev/stick -> /dev/zigbee\n"
                       "access-allow c 188:0 rw\n"
                       "event add /devices/usb1/ttyUSB0\n");
}

static void taking_cuts_first_and_tells_last(void **state)
{
    struct plan plan = {0};
    (void)state;
    plan_take(&plan, &full, event_of(UEVENT_REMOVE, DEVPATH));
    assert_plan(&plan, "access-deny c 188:0 rw\n"
                       "node-revoke /dev/zigbee\n"
                       "link-remove /dev/stick -> /dev/zigbee\n"
                       "link-remove /dev/serial/by-id/cp210x -> /dev/zigbee\n"
                       "node-detach /dev/zigbee\n"
                       "node-destroy /dev/zigbee\n"
                       "event remove /devices/usb1/ttyUSB0\n");
}

static const struct udev_word word = {.action = UEVENT_CHANGE,
                                      .devpath = TEXT(DEVPATH),
                                      .id = TEXT("c188:0"),
                                      .record = TEXT("E:A=1\n"),
                                      .message = TEXT("x")};

static void udevs_record_goes_before_both_removes_are_told(void **state)
{
    const struct udev_word end = {
        .action = UEVENT_REMOVE, .devpath = TEXT(DEVPATH), .message = TEXT("x")};
    struct plan plan = {0};
    (void)state;
    plan_take_described(&plan, &net, event_of(UEVENT_REMOVE, DEVPATH), &word, &end);
    assert_plan(&plan, "record-remove /run/udev/data/c188:0\n"
                       "event remove /devices/usb1/ttyUSB0\n"
                       "udev-event remove /devices/usb1/ttyUSB0\n");
    assert_undone(&plan, "");
}

static void describing_is_the_record_where_it_differs_and_the_event(void **state)
{
    struct udev_word renamed = word, other = word, silent = word, none = word;
    renamed.id = TEXT("+net:eth1");
    other.record = TEXT("E:A=2\n");
    silent.message = NULL;
    none.id = NULL;
    const struct {
        const struct udev_word *before, *word;
        const char *plan;
    } cases[] = {
        {NULL, &word,
         "record-write /run/udev/data/c188:0\nudev-event change /devices/usb1/ttyUSB0\n"},
        {&word, &word, "udev-event change /devices/usb1/ttyUSB0\n"},
        {&other, &silent, "record-write /run/udev/data/c188:0\n"},
        {&renamed, &silent,
         "record-remove /run/udev/data/+net:eth1\nrecord-write /run/udev/data/c188:0\n"},
        {NULL, &none, "udev-event change /devices/usb1/ttyUSB0\n"},
        {&word, &silent, ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct plan plan = {0};
        plan_describe(&plan, &full, cases[i].before, cases[i].word);
        assert_plan(&plan, cases[i].plan);
    }
}

static void handing_over_is_to_let_go_and_tell_again(void **state)
{
    struct plan plan = {0};
    (void)state;
    plan_hand_over(&plan, &full, &word, event_of(UEVENT_ADD, DEVPATH));
    plan_hand_over(&plan, &full, NULL, NULL);
    assert_plan(&plan, "record-remove /run/udev/data/c188:0\n"
                       "event add /devices/usb1/ttyUSB0\n");
}

static void a_cut_is_how_a_take_begins(void **state)
{
    static const struct grant *const grants[] = {&full, &named, &no_node, &net};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(grants); i++) {
        struct plan cut = {0}, take = {0};
        plan_cut(&cut, grants[i]);
        plan_take(&take, grants[i], NULL);
        assert_true(cut.count <= take.count);
        assert_memory_equal(cut.steps, take.steps, cut.count * sizeof(cut.steps[0]));
    }
    struct plan plan = {0};
    plan_cut(&plan, &full);
    assert_plan(&plan, "access-deny c 188:0 rw\nnode-revoke /dev/zigbee\n");
}

static void names_are_looked_up_before_anything_is_made(void **state)
{
    struct plan plan = {0};
    (void)state;
    plan_give(&plan, &named, NULL);
    assert_plan(&plan, "identify group dialout\n"
                       "node-make /dev/zigbee c 188:0 owner 0:dialout mode 0660\n"
                       "node-attach /dev/zigbee\n"
                       "access-allow c 188:0 rwm\n");
}

static void without_a_node_there_is_permission_and_event(void **state)
{
    struct plan give = {0}, take = {0};
    (void)state;
    plan_give(&give, &no_node, event_of(UEVENT_ADD, DEVPATH));
    assert_plan(&give, "access-allow b 8:1 r\nevent add /devices/usb1/ttyUSB0\n");
    plan_take(&take, &no_node, NULL);
    assert_plan(&take, "access-deny b 8:1 r\n");
}

static void without_a_number_there_is_the_event_alone(void **state)
{
    struct plan give = {0}, take = {0}, silent = {0};
    (void)state;
    plan_give(&give, &net, event_of(UEVENT_ADD, "/devices/net/eth1"));
    assert_plan(&give, "event add /devices/net/eth1\n");
    plan_take(&take, &net, event_of(UEVENT_REMOVE, "/devices/net/eth1"));
    assert_plan(&take, "event remove /devices/net/eth1\n");
    plan_give(&silent, &net, NULL);
    plan_take(&silent, &net, NULL);
    plan_cut(&silent, &net);
    assert_int_equal(silent.count, 0);
}

static void telling_is_the_event_alone(void **state)
{
    struct plan plan = {0};
    (void)state;
    plan_tell(&plan, &full, event_of(UEVENT_CHANGE, DEVPATH "/child"));
    assert_plan(&plan, "event change /devices/usb1/ttyUSB0/child\n");
}

static void a_change_is_only_what_differs(void **state)
{
    struct grant desired[] = {full, full, full, full, full};
    static const char *const expected[] = {
        "",
        "node-change /dev/zigbee c 188:0 owner 0:20 mode 0600\n",
        "identify owner root group dialout\n"
        "node-change /dev/zigbee c 188:0 owner root:dialout mode 0660\n",
        "access-allow c 188:0 r\n",
        "node-change /dev/zigbee c 188:0 owner 7:20 mode 0660\n"
        "access-allow c 188:0 rwm\n",
    };
    (void)state;
    desired[0].options = OPTION_NO_EVENT;
    desired[1].mode = 0600;
    desired[2].owner = TEXT("root");
    desired[2].group = TEXT("dialout");
    desired[3].access = ACCESS_READ;
    desired[4].uid = 7;
    desired[4].access |= ACCESS_MKNOD;
    for (size_t i = 0; i < ARRAY_SIZE(desired); i++) {
        struct plan plan = {0};
        plan_change(&plan, &full, &desired[i]);
        assert_plan(&plan, expected[i]);
    }
}

static void what_is_yielded_is_neither_made_nor_removed(void **state)
{
    struct plan give = {0}, take = {0};
    struct grant grant = full;
    (void)state;
    grant.yielded = 1 << 0;
    plan_give(&give, &grant, NULL);
    assert_plan(&give, "node-make /dev/zigbee c 188:0 owner 0:20 mode 0660\n"
                       "node-attach /dev/zigbee\n"
                       "link-make /dev/stick -> /dev/zigbee\n"
                       "access-allow c 188:0 rw\n");
    plan_take(&take, &grant, NULL);
    assert_plan(&take, "access-deny c 188:0 rw\n"
                       "node-revoke /dev/zigbee\n"
                       "link-remove /dev/stick -> /dev/zigbee\n"
                       "node-detach /dev/zigbee\n"
                       "node-destroy /dev/zigbee\n");
}

static void relinking_is_about_links_that_come_or_go(void **state)
{
    static const struct {
        uint32_t before, after;
        const char *expected;
    } cases[] = {
        {0, 0, ""},
        {3, 3, ""},
        {0, 1, "link-remove /dev/serial/by-id/cp210x -> /dev/zigbee\n"},
        {3, 1, "link-make /dev/stick -> /dev/zigbee\n"},
        {1, 2,
         "link-remove /dev/stick -> /dev/zigbee\n"
         "link-make /dev/serial/by-id/cp210x -> /dev/zigbee\n"},
        {2, 1,
         "link-remove /dev/serial/by-id/cp210x -> /dev/zigbee\n"
         "link-make /dev/stick -> /dev/zigbee\n"},
        {0, 3,
         "link-remove /dev/stick -> /dev/zigbee\n"
         "link-remove /dev/serial/by-id/cp210x -> /dev/zigbee\n"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct grant grant = full;
        struct plan plan = {0};
        grant.yielded = cases[i].before;
        plan_relink(&plan, &grant, cases[i].after);
        assert_plan(&plan, cases[i].expected);
    }
}

static void ids_beside_a_name_do_not_count(void **state)
{
    struct grant desired = named;
    struct plan plan = {0};
    (void)state;
    desired.gid = 4711;
    plan_change(&plan, &named, &desired);
    assert_int_equal(plan.count, 0);
}

static void a_change_without_a_node_is_about_access_only(void **state)
{
    struct grant desired = no_node;
    struct plan plan = {0};
    (void)state;
    desired.owner = TEXT("nobody");
    desired.mode = 0666;
    desired.access = ACCESS_READ | ACCESS_WRITE;
    plan_change(&plan, &no_node, &desired);
    assert_plan(&plan, "access-allow b 8:1 rw\n");
}

/* The inverses of all steps, the last first, one a line. */
static void assert_undone(const struct plan *plan, const char *expected)
{
    struct plan undo = {0};
    for (size_t i = plan->count; i > 0; i--)
        if (step_inverse(&plan->steps[i - 1], &undo.steps[undo.count]))
            undo.count++;
    assert_plan(&undo, expected);
}

static void a_give_is_undone_backwards(void **state)
{
    struct plan plan = {0};
    struct grant grant = full;
    (void)state;
    grant.owner = TEXT("root");
    plan_give(&plan, &grant, event_of(UEVENT_ADD, DEVPATH));
    assert_undone(&plan, "access-deny c 188:0 rw\n"
                         "link-remove /dev/stick -> /dev/zigbee\n"
                         "link-remove /dev/serial/by-id/cp210x -> /dev/zigbee\n"
                         "node-detach /dev/zigbee\n"
                         "node-destroy /dev/zigbee\n");
}

static void a_change_is_undone_to_what_was_delivered(void **state)
{
    struct plan plan = {0};
    struct grant desired = full;
    (void)state;
    desired.mode = 0666;
    desired.access = ACCESS_READ;
    plan_change(&plan, &full, &desired);
    assert_undone(&plan, "access-allow c 188:0 rw\n"
                         "node-change /dev/zigbee c 188:0 owner 0:20 mode 0660\n");
}

static void a_take_is_never_undone(void **state)
{
    struct plan plan = {0};
    (void)state;
    plan_take(&plan, &full, event_of(UEVENT_REMOVE, DEVPATH));
    assert_undone(&plan, "");
}

static void the_largest_plan_has_room(void **state)
{
    static char names[SHARE_SYMLINKS_MAX][16];
    char *many[SHARE_SYMLINKS_MAX];
    struct grant delivered = full, desired = named;
    struct plan both = {0};
    (void)state;
    for (unsigned i = 0; i < SHARE_SYMLINKS_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "/dev/link%u", i);
        many[i] = names[i];
    }
    delivered.symlinks = desired.symlinks = many;
    delivered.symlink_count = desired.symlink_count = SHARE_SYMLINKS_MAX;
    plan_take_described(&both, &delivered, event_of(UEVENT_REMOVE, DEVPATH), &word, &word);
    plan_give(&both, &desired, event_of(UEVENT_ADD, DEVPATH));
    assert_int_equal(both.count, 2 * SHARE_SYMLINKS_MAX + 12);
}

static void a_description_is_printable_and_cut_to_size(void **state)
{
    struct grant grant = full;
    struct plan plan = {0};
    char line[64], small[8];
    (void)state;
    grant.node = TEXT("/dev/\xc3\xa9\n");
    plan_cut(&plan, &grant);
    assert_string_equal(step_describe(&plan.steps[1], line, sizeof(line)),
                        "node-revoke /dev/\\xc3\\xa9\\x0a");
    assert_string_equal(step_describe(&plan.steps[1], small, sizeof(small)), "node-re");
}

static void a_devpath_longer_than_a_line_is_cut(void **state)
{
    char devpath[3000], line[4096];
    struct plan plan = {0};
    (void)state;
    memset(devpath, 'd', sizeof(devpath));
    devpath[0] = '/';
    devpath[sizeof(devpath) - 1] = '\0';
    plan_tell(&plan, &full, event_of(UEVENT_MOVE, devpath));
    size_t length = strlen(step_describe(&plan.steps[0], line, sizeof(line)));
    assert_in_range(length, 500, 1000);
    assert_memory_equal(line, "event move /ddd", 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(giving_tells_the_container_last),
        cmocka_unit_test(taking_cuts_first_and_tells_last),
        cmocka_unit_test(udevs_record_goes_before_both_removes_are_told),
        cmocka_unit_test(describing_is_the_record_where_it_differs_and_the_event),
        cmocka_unit_test(handing_over_is_to_let_go_and_tell_again),
        cmocka_unit_test(a_cut_is_how_a_take_begins),
        cmocka_unit_test(names_are_looked_up_before_anything_is_made),
        cmocka_unit_test(without_a_node_there_is_permission_and_event),
        cmocka_unit_test(without_a_number_there_is_the_event_alone),
        cmocka_unit_test(telling_is_the_event_alone),
        cmocka_unit_test(a_change_is_only_what_differs),
        cmocka_unit_test(what_is_yielded_is_neither_made_nor_removed),
        cmocka_unit_test(relinking_is_about_links_that_come_or_go),
        cmocka_unit_test(ids_beside_a_name_do_not_count),
        cmocka_unit_test(a_change_without_a_node_is_about_access_only),
        cmocka_unit_test(a_give_is_undone_backwards),
        cmocka_unit_test(a_change_is_undone_to_what_was_delivered),
        cmocka_unit_test(a_take_is_never_undone),
        cmocka_unit_test(the_largest_plan_has_room),
        cmocka_unit_test(a_description_is_printable_and_cut_to_size),
        cmocka_unit_test(a_devpath_longer_than_a_line_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
