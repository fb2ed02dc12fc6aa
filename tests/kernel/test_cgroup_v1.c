/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "cgroup_box.h"
#include "kernel/cgroup_device.h"
#include "model/json_field.h"
#include "model/share.h"

#define READ_WRITE (ACCESS_READ | ACCESS_WRITE)

static const struct devnum tun = {NODE_CHARACTER, 10, 200}; /* opens without doing anything */
static const struct devnum full = {NODE_CHARACTER, 1, 7};
static const struct devnum absent = {NODE_CHARACTER, 240, 9}; /* ENXIO behind an open gate */

struct scene {
    char group[256];
    struct cgroup_box box;
    struct cgroup_device *gates;
    size_t noted; /* times that a change was announced */
};

static void write_text(const char *group, const char *file, const char *text)
{
    char path[300];
    snprintf(path, sizeof(path), "%s/%s", group, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static const char *list(const char *group)
{
    static char text[8192];
    char path[300];
    snprintf(path, sizeof(path), "%s/devices.list", group);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    assert_true(n >= 0);
    text[n] = '\0';
    return text;
}

/* What runtimes write: nothing, then what is allowed. */
static void allow_only(const char *group, const char *const *entries, size_t count)
{
    write_text(group, "devices.deny", "a");
    for (size_t i = 0; i < count; i++)
        write_text(group, "devices.allow", entries[i]);
}
#define ALLOW_ONLY(group, ...)                                                                     \
    allow_only(group, (const char *const[]){__VA_ARGS__},                                          \
               ARRAY_SIZE(((const char *const[]){__VA_ARGS__})))

static void make_group(const char *name, char *out, size_t size)
{
    assert_int_equal(cgroup_box_make_v1(name, out, size), 0);
}

static void enter(struct scene *scene, const char *group)
{
    struct refusal why = {0};
    assert_int_equal(cgroup_box_start(group, NULL, &scene->box), 0);
    if (cgroup_device_open("box", &scene->box.namespaces, NULL, NULL, &scene->gates, &why) < 0)
        fail_msg("%s", why.text);
}

static int start(void **state)
{
    static struct scene scene;
    scene = (struct scene){.box = {.request_fd = -1, .namespaces = NAMESPACES_EMPTY}};
    *state = &scene;
    return 0;
}

static int stop(void **state)
{
    struct scene *scene = *state;
    cgroup_device_close(scene->gates);
    cgroup_box_stop(&scene->box);
    return cgroup_box_missing_v1() ? 0 : cgroup_box_remove_all();
}

static void need(void)
{
    const char *missing = cgroup_box_missing_v1();
    if (missing) {
        print_message("skipped: %s\n", missing);
        skip();
    }
}

static void allow(struct scene *scene, const struct devnum *number, unsigned access)
{
    struct refusal why = {0};
    if (cgroup_device_allow(scene->gates, number, access, &why) < 0)
        fail_msg("%s", why.text);
}

static void deny(struct scene *scene, const struct devnum *number)
{
    assert_int_equal(cgroup_device_deny(scene->gates, number, NULL), 0);
}

static void the_list_shows_the_grant_and_its_going(void **state)
{
    struct scene *scene = *state;
    need();
    make_group("own", scene->group, sizeof(scene->group));
    ALLOW_ONLY(scene->group, "c 1:3 rwm", "c *:* m");
    enter(scene, scene->group);
    assert_int_equal(cgroup_box_open(&scene->box, &tun, O_RDWR), -EPERM);

    for (int i = 0; i < 3; i++) {
        allow(scene, &tun, READ_WRITE);
        allow(scene, &tun, READ_WRITE);
        assert_string_equal(list(scene->group), "c 1:3 rwm\nc *:* m\nc 10:200 rw\n");
        assert_int_equal(cgroup_box_open(&scene->box, &tun, O_RDWR), 0);
        assert_int_equal(cgroup_box_open(&scene->box, &full, O_RDWR), -EPERM);
        deny(scene, &tun);
        deny(scene, &tun);
        assert_string_equal(list(scene->group), "c 1:3 rwm\nc *:* m\n");
        assert_int_equal(cgroup_box_open(&scene->box, &tun, O_RDWR), -EPERM);
    }
}

static void an_entry_of_the_runtimes_own_is_as_it_was_after_a_grant_and_a_revoke(void **state)
{
    static const struct {
        const char *entries[2];
        struct devnum number;
        unsigned access;
        const char *during, *after;
    } cases[] = {
        {{"c 1:7 rwm", "c 1:3 rw"},
         {NODE_CHARACTER, 1, 7},
         ACCESS_READ,
         "c 1:7 rwm\nc 1:3 rw\n",
         "c 1:7 rwm\nc 1:3 rw\n"},
        {{"c 1:7 r", "c 1:3 rw"},
         {NODE_CHARACTER, 1, 7},
         READ_WRITE,
         "c 1:7 rw\nc 1:3 rw\n",
         "c 1:7 r\nc 1:3 rw\n"},
        {{"c 1:* rwm", "b *:* m"},
         {NODE_CHARACTER, 1, 7},
         READ_WRITE,
         "c 1:* rwm\nb *:* m\n",
         "c 1:* rwm\nb *:* m\n"},
        {{"c 1:* r", "b *:* m"},
         {NODE_CHARACTER, 1, 7},
         READ_WRITE,
         "c 1:* r\nb *:* m\nc 1:7 rw\n",
         "c 1:* r\nb *:* m\n"},
        {{"b 1:7 rwm", "b *:* m"},
         {NODE_CHARACTER, 1, 7},
         READ_WRITE,
         "b 1:7 rwm\nb *:* m\nc 1:7 rw\n",
         "b 1:7 rwm\nb *:* m\n"},
    };
    struct scene *scene = *state;
    need();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        make_group("own", scene->group, sizeof(scene->group));
        ALLOW_ONLY(scene->group, cases[i].entries[0], cases[i].entries[1]);
        enter(scene, scene->group);
        allow(scene, &cases[i].number, cases[i].access);
        assert_string_equal(list(scene->group), cases[i].during);
        assert_int_equal(cgroup_box_open(&scene->box, &cases[i].number,
                                         cases[i].access == ACCESS_READ ? O_RDONLY : O_RDWR),
                         0);
        deny(scene, &cases[i].number);
        assert_string_equal(list(scene->group), cases[i].after);
        assert_int_equal(stop(state), 0);
        start(state);
    }
}

static void the_bits_of_a_grant_can_be_changed(void **state)
{
    struct scene *scene = *state;
    need();
    make_group("own", scene->group, sizeof(scene->group));
    ALLOW_ONLY(scene->group, "c 1:3 rwm");
    enter(scene, scene->group);
    allow(scene, &full, ACCESS_READ);
    assert_int_equal(cgroup_box_open(&scene->box, &full, O_RDONLY), 0);
    assert_int_equal(cgroup_box_open(&scene->box, &full, O_RDWR), -EPERM);
    allow(scene, &full, READ_WRITE | ACCESS_MKNOD);
    assert_int_equal(cgroup_box_open(&scene->box, &full, O_RDWR), 0);
    assert_int_equal(cgroup_box_mknod(&scene->box, &full), 0);
    allow(scene, &full, ACCESS_WRITE);
    assert_string_equal(list(scene->group), "c 1:3 rwm\nc 1:7 w\n");
    assert_int_equal(cgroup_box_open(&scene->box, &full, O_RDONLY), -EPERM);
    assert_int_equal(cgroup_box_mknod(&scene->box, &full), -EPERM);
}

static void a_group_that_allows_all_is_never_written_to(void **state)
{
    struct scene *scene = *state;
    need();
    make_group("own", scene->group, sizeof(scene->group));
    enter(scene, scene->group);
    allow(scene, &tun, READ_WRITE);
    deny(scene, &tun);
    assert_string_equal(list(scene->group), "a *:* rwm\n");
    /* a denial would not even show in the list */
    assert_int_equal(cgroup_box_open(&scene->box, &tun, O_RDWR), 0);
}

static void a_group_that_allows_all_but_the_device_is_a_refusal_by_name(void **state)
{
    struct scene *scene = *state;
    struct refusal why = {0};
    need();
    make_group("own", scene->group, sizeof(scene->group));
    write_text(scene->group, "devices.deny", "c 10:200 rw");
    enter(scene, scene->group);
    assert_int_equal(cgroup_device_allow(scene->gates, &tun, READ_WRITE, &why), -EPERM);
    assert_non_null(strstr(why.text, scene->group + strlen(cgroup_box_mount_v1())));
    assert_int_equal(cgroup_box_open(&scene->box, &tun, O_RDWR), -EPERM);
    allow(scene, &full, READ_WRITE);
}

static void the_root_group_is_never_written_to(void **state)
{
    struct scene *scene = *state;
    char before[8192];
    need();
    /* nobody is moved there for a test: it has to be where we are anyway */
    if (!streq(cgroup_box_own_v1(), cgroup_box_mount_v1())) {
        print_message("skipped: this process is not in the root group\n");
        skip();
    }
    snprintf(before, sizeof(before), "%s", list(cgroup_box_mount_v1()));
    enter(scene, NULL);
    allow(scene, &tun, READ_WRITE);
    deny(scene, &tun);
    cgroup_device_close(scene->gates);
    scene->gates = NULL;
    assert_string_equal(list(cgroup_box_mount_v1()), before);
    assert_int_equal(cgroup_box_open(&scene->box, &tun, O_RDWR), 0);
}

static void a_group_that_others_share_is_looked_at_and_never_written_to(void **state)
{
    struct scene *scene = *state;
    struct refusal why = {0};
    struct cgroup_box other;
    need();
    make_group("shared", scene->group, sizeof(scene->group));
    ALLOW_ONLY(scene->group, "c 1:3 rwm", "c 1:7 rw");
    assert_int_equal(cgroup_box_start(scene->group, NULL, &other), 0);
    enter(scene, scene->group);
    int refused = cgroup_device_allow(scene->gates, &tun, READ_WRITE, &why);
    int covered = cgroup_device_allow(scene->gates, &full, READ_WRITE, NULL);
    int denied = cgroup_device_deny(scene->gates, &full, NULL);
    cgroup_box_stop(&other);
    assert_int_equal(refused, -EUSERS);
    assert_non_null(strstr(why.text, scene->group + strlen(cgroup_box_mount_v1())));
    assert_int_equal(covered, 0);
    assert_int_equal(denied, 0);
    assert_string_equal(list(scene->group), "c 1:3 rwm\nc 1:7 rw\n");

    /* now the other one is gone */
    allow(scene, &tun, READ_WRITE);
    assert_int_equal(cgroup_box_open(&scene->box, &tun, O_RDWR), 0);
}

static void a_parent_that_others_share_and_that_denies_is_a_refusal_by_name(void **state)
{
    struct scene *scene = *state;
    struct refusal why = {0};
    struct cgroup_box other;
    char parent[256], neighbour[256];
    need();
    make_group("shared", parent, sizeof(parent));
    ALLOW_ONLY(parent, "c 1:3 rwm");
    make_group("shared/own", scene->group, sizeof(scene->group));
    make_group("shared/neighbour", neighbour, sizeof(neighbour));
    assert_int_equal(cgroup_box_start(neighbour, NULL, &other), 0);
    enter(scene, scene->group);
    int refused = cgroup_device_allow(scene->gates, &tun, READ_WRITE, &why);
    cgroup_box_stop(&other);
    assert_int_equal(refused, -EPERM);
    assert_non_null(strstr(why.text, "/shared"));
    assert_null(strstr(why.text, "/own"));
    assert_string_equal(list(parent), "c 1:3 rwm\n");
    assert_string_equal(list(scene->group), "c 1:3 rwm\n");
    assert_string_equal(list(neighbour), "c 1:3 rwm\n");
}

static void groups_inside_that_inherit_get_it_too_and_strict_ones_do_not(void **state)
{
    struct scene *scene = *state;
    char service[256], strict[256], init[256];
    need();
    make_group("own", scene->group, sizeof(scene->group));
    ALLOW_ONLY(scene->group, "c 1:3 rwm", "c 1:5 rwm");
    make_group("own/init", init, sizeof(init));
    make_group("own/service", service, sizeof(service));
    make_group("own/strict", strict, sizeof(strict));
    ALLOW_ONLY(strict, "c 1:3 rwm");
    enter(scene, init);
    allow(scene, &tun, READ_WRITE);
    assert_int_equal(cgroup_box_open(&scene->box, &tun, O_RDWR), 0);
    assert_string_equal(list(init), "c 1:3 rwm\nc 1:5 rwm\nc 10:200 rw\n");
    assert_string_equal(list(service), "c 1:3 rwm\nc 1:5 rwm\nc 10:200 rw\n");
    assert_string_equal(list(strict), "c 1:3 rwm\n");
    deny(scene, &tun);
    assert_string_equal(list(init), "c 1:3 rwm\nc 1:5 rwm\n");
    assert_string_equal(list(service), "c 1:3 rwm\nc 1:5 rwm\n");
    assert_string_equal(list(scene->group), "c 1:3 rwm\nc 1:5 rwm\n");
}

static void what_a_runtime_takes_away_is_put_back_once(void **state)
{
    struct scene *scene = *state;
    struct refusal why = {0};
    need();
    make_group("own", scene->group, sizeof(scene->group));
    ALLOW_ONLY(scene->group, "c 1:3 rwm");
    enter(scene, scene->group);
    allow(scene, &tun, READ_WRITE);
    assert_int_equal(cgroup_device_repair(scene->gates, &why), 0);
    ALLOW_ONLY(scene->group, "c 1:3 rwm", "c 1:5 rwm"); /* an update of its own */
    assert_int_equal(cgroup_box_open(&scene->box, &tun, O_RDWR), -EPERM);
    assert_int_equal(cgroup_device_repair(scene->gates, &why), 1);
    assert_int_equal(cgroup_box_open(&scene->box, &tun, O_RDWR), 0);
    assert_int_equal(cgroup_device_repair(scene->gates, &why), 0);
    write_text(scene->group, "devices.allow", "a");
    assert_int_equal(cgroup_device_repair(scene->gates, &why), 0);
    deny(scene, &tun);
    assert_int_equal(cgroup_box_open(&scene->box, &tun, O_RDWR), 0);
}

static void closing_takes_back_what_was_added_and_a_dead_group_does_no_harm(void **state)
{
    struct scene *scene = *state;
    char text[64];
    need();
    make_group("own", scene->group, sizeof(scene->group));
    ALLOW_ONLY(scene->group, "c 1:3 rwm");
    enter(scene, scene->group);
    allow(scene, &tun, READ_WRITE);
    allow(scene, &absent, ACCESS_READ);
    assert_int_equal(cgroup_box_open(&scene->box, &absent, O_RDONLY), -ENXIO);
    assert_string_equal(list(scene->group), "c 1:3 rwm\nc 10:200 rw\nc 240:9 r\n");
    cgroup_device_close(scene->gates);
    scene->gates = NULL;
    assert_string_equal(list(scene->group), "c 1:3 rwm\n");

    cgroup_box_stop(&scene->box);
    enter(scene, scene->group);
    allow(scene, &tun, READ_WRITE);
    assert_non_null(strstr(cgroup_device_describe(scene->gates, text, sizeof(text)), "v1 /"));
    cgroup_box_stop(&scene->box);
    assert_int_equal(cgroup_box_remove_all(), 0);
    assert_int_equal(cgroup_device_deny(scene->gates, &tun, NULL), 0);
    assert_true(cgroup_device_allow(scene->gates, &tun, READ_WRITE, NULL) < 0);
}

static void to_ask_tells_what_the_group_says_now_and_changes_nothing(void **state)
{
    struct scene *scene = *state;
    struct refusal why = {0};
    need();
    make_group("asked", scene->group, sizeof(scene->group));
    ALLOW_ONLY(scene->group, "c 1:3 rwm", "c 1:7 r");
    enter(scene, scene->group);
    assert_int_equal(cgroup_device_ask(scene->gates, &tun, READ_WRITE, &why), -EPERM);
    assert_non_null(strstr(why.text, "denies c 10:200: v1 /"));
    assert_int_equal(cgroup_device_ask(scene->gates, &full, ACCESS_READ, &why), 0);
    assert_int_equal(cgroup_device_ask(scene->gates, &full, READ_WRITE, &why), -EPERM);
    assert_string_equal(list(scene->group), "c 1:3 rwm\nc 1:7 r\n");

    allow(scene, &tun, READ_WRITE);
    assert_int_equal(cgroup_device_ask(scene->gates, &tun, READ_WRITE, &why), 0);
    write_text(scene->group, "devices.deny", "c 10:200 rw");
    assert_int_equal(cgroup_device_ask(scene->gates, &tun, READ_WRITE, &why), -EPERM);
}

/* The gates are left, and other ones go on with what they saved. */
static void hand_on(struct scene *scene)
{
    struct refusal why = {0};
    json_t *saved = cgroup_device_save(scene->gates);
    assert_non_null(saved);
    cgroup_device_leave(scene->gates);
    scene->gates = NULL;
    if (cgroup_device_open("box", &scene->box.namespaces, NULL, saved, &scene->gates, &why) < 0)
        fail_msg("%s", why.text);
    json_decref(saved);
}

static void a_successor_takes_back_what_was_added_and_no_more(void **state)
{
    struct scene *scene = *state;
    need();
    make_group("own", scene->group, sizeof(scene->group));
    ALLOW_ONLY(scene->group, "c 1:3 rwm", "c 1:7 r");
    enter(scene, scene->group);
    allow(scene, &tun, READ_WRITE);
    allow(scene, &full, READ_WRITE);
    hand_on(scene);
    assert_int_equal(cgroup_box_open(&scene->box, &tun, O_RDWR), 0);
    allow(scene, &tun, READ_WRITE);
    assert_int_equal(cgroup_device_prune(scene->gates), 0);
    assert_string_equal(list(scene->group), "c 1:3 rwm\nc 1:7 r\nc 10:200 rw\n");
    hand_on(scene);
    allow(scene, &tun, READ_WRITE);
    deny(scene, &tun);
    assert_string_equal(list(scene->group), "c 1:3 rwm\nc 1:7 r\n");
}

static void what_a_container_that_is_gone_had_is_taken_back(void **state)
{
    struct scene *scene = *state;
    need();
    make_group("own", scene->group, sizeof(scene->group));
    ALLOW_ONLY(scene->group, "c 1:3 rwm");
    enter(scene, scene->group);
    allow(scene, &tun, READ_WRITE);
    _cleanup_json_ json_t *saved = cgroup_device_save(scene->gates);
    cgroup_device_leave(scene->gates);
    scene->gates = NULL;
    cgroup_box_stop(&scene->box);
    cgroup_device_take_back(saved, NULL);
    assert_string_equal(list(scene->group), "c 1:3 rwm\n");
    cgroup_device_take_back(NULL, NULL);
}

static void note_list(void *userdata)
{
    struct scene *scene = userdata;
    _cleanup_json_ json_t *saved = cgroup_device_save(scene->gates);
    assert_int_equal(json_array_size(json_object_get(saved, "v1")), 1);
    assert_string_equal(list(scene->group), "c 1:3 rwm\n"); /* nothing is written yet */
    scene->noted++;
}

static void what_is_about_to_be_added_is_said_before(void **state)
{
    struct scene *scene = *state;
    need();
    make_group("own", scene->group, sizeof(scene->group));
    ALLOW_ONLY(scene->group, "c 1:3 rwm");
    enter(scene, scene->group);
    cgroup_device_watch(scene->gates, note_list, scene);
    allow(scene, &tun, READ_WRITE);
    assert_int_equal(scene->noted, 1);
    allow(scene, &tun, READ_WRITE);
    assert_int_equal(scene->noted, 1);
}

static void what_was_saved_of_another_group_is_never_written_to(void **state)
{
    struct scene *scene = *state;
    struct refusal why = {0};
    need();
    make_group("own", scene->group, sizeof(scene->group));
    ALLOW_ONLY(scene->group, "c 1:3 rwm", "c 10:200 rw");
    enter(scene, scene->group);
    cgroup_device_close(scene->gates);
    scene->gates = NULL;
    static const uint64_t group_ids[] = {0, 1};
    for (size_t i = 0; i < ARRAY_SIZE(group_ids); i++) {
        _cleanup_json_ json_t *saved =
            json_pack("{s:[{s:s, s:I, s:i, s:i, s:i, s:i}]}", "v1", "group", scene->group,
                      "group_id", (json_int_t)group_ids[i], "kind", NODE_CHARACTER, "major", 10,
                      "minor", 200, "access", READ_WRITE);
        assert_int_equal(
            cgroup_device_open("box", &scene->box.namespaces, NULL, saved, &scene->gates, &why), 0);
        assert_int_equal(cgroup_device_prune(scene->gates), 0);
        assert_string_equal(list(scene->group), "c 1:3 rwm\nc 10:200 rw\n");
        cgroup_device_close(scene->gates);
        scene->gates = NULL;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
        TEST(the_list_shows_the_grant_and_its_going),
        TEST(an_entry_of_the_runtimes_own_is_as_it_was_after_a_grant_and_a_revoke),
        TEST(the_bits_of_a_grant_can_be_changed),
        TEST(a_group_that_allows_all_is_never_written_to),
        TEST(a_group_that_allows_all_but_the_device_is_a_refusal_by_name),
        TEST(the_root_group_is_never_written_to),
        TEST(a_group_that_others_share_is_looked_at_and_never_written_to),
        TEST(a_parent_that_others_share_and_that_denies_is_a_refusal_by_name),
        TEST(groups_inside_that_inherit_get_it_too_and_strict_ones_do_not),
        TEST(what_a_runtime_takes_away_is_put_back_once),
        TEST(to_ask_tells_what_the_group_says_now_and_changes_nothing),
        TEST(a_successor_takes_back_what_was_added_and_no_more),
        TEST(what_a_container_that_is_gone_had_is_taken_back),
        TEST(what_is_about_to_be_added_is_said_before),
        TEST(what_was_saved_of_another_group_is_never_written_to),
        TEST(closing_takes_back_what_was_added_and_a_dead_group_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
