/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/pace.h"

/* A listener with a buffer, a clock, and what he was told in letters: "a1" is the `add` of
 * device 1, "a1@p" the same at the path p.
 */
struct scene {
    struct pace pace;
    unsigned room;
    int error; /* what the kernel answers instead */
    unsigned questions;
    uint64_t now_us;
    char told[4096];
};

static int room(void *userdata, unsigned *ret)
{
    struct scene *scene = userdata;
    scene->questions++;
    *ret = scene->room;
    return scene->error;
}

static int send_again(void *userdata, const char *message, size_t size)
{
    struct scene *scene = userdata;
    assert_int_equal(message[size - 1], '\0');
    assert_true(scene->room-- > 0);
    snprintf(scene->told + strlen(scene->told), sizeof(scene->told) - strlen(scene->told), "%s ",
             message);
    return 0;
}

static int look(struct scene *scene)
{
    const struct pace_way way = {.room = room, .send = send_again, .userdata = scene};
    return pace_look(&scene->pace, &way, scene->now_us);
}

static bool catch_up(struct scene *scene, uint64_t *told)
{
    const struct pace_way way = {.room = room, .send = send_again, .userdata = scene};
    *told = 0;
    scene->told[0] = '\0';
    return pace_catch_up(&scene->pace, &way, scene->now_us, told);
}

static void tell(struct scene *scene, const char *message)
{
    static const char letters[] = "arcmofbu"; /* in the order of enum uevent_action */
    const char *letter = strchr(letters, message[0]);
    assert_non_null(letter);
    char text[64];
    int size = snprintf(text, sizeof(text), "%.2s%cDEVPATH=%s", message, '\0',
                        message[2] ? message + 3 : "");
    assert_int_equal(pace_told(&scene->pace, (uint64_t)(message[1] - '0'),
                               (enum uevent_action)(letter - letters), text,
                               message[2] ? (size_t)size + 1 : 3),
                     0);
}

static void one_answer_serves_as_many_as_have_room_for_a_moment(void **state)
{
    struct scene scene = {.room = 3, .now_us = 5};
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(look(&scene), 0);
        tell(&scene, "c1");
    }
    assert_int_equal(scene.questions, 1);
    assert_int_equal(look(&scene), 0);
    assert_int_equal(scene.questions, 2);
    scene.now_us += 60000;
    assert_int_equal(look(&scene), 0);
    assert_int_equal(scene.questions, 3);
    assert_null(scene.pace.missed.first);
    pace_done(&scene.pace);
}

static void where_the_kernel_does_not_answer_nobody_waits(void **state)
{
    struct scene scene = {.error = -EOPNOTSUPP, .now_us = 5};
    (void)state;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(look(&scene), 0);
        tell(&scene, "c1");
    }
    assert_true(scene.questions < 20);
    assert_null(scene.pace.missed.first);
}

static void who_finds_no_room_waits_until_there_is_some(void **state)
{
    struct scene scene = {.room = 0, .now_us = 5};
    (void)state;
    for (int i = 0; i < 100; i++, scene.now_us += PACE_POLL_US)
        assert_int_equal(look(&scene), 1);
    scene.room = 1;
    assert_int_equal(look(&scene), 0);
    tell(&scene, "a1");
    assert_null(scene.pace.missed.first);

    /* and the next one has all his patience before him */
    scene.room = 0;
    scene.now_us += 1500000;
    assert_int_equal(look(&scene), 1);
    scene.now_us += 1500000;
    assert_int_equal(look(&scene), 1);
}

static void patience_begins_anew_where_nobody_waited_meanwhile(void **state)
{
    struct scene scene = {.room = 0, .now_us = 5};
    (void)state;
    assert_int_equal(look(&scene), 1);
    scene.now_us += 10 * PACE_PATIENCE_US;
    assert_int_equal(look(&scene), 1);
}

/* The listener falls behind. */
static void fall_behind(struct scene *scene)
{
    scene->room = 0;
    for (unsigned waited = 0; waited < PACE_PATIENCE_US; waited += PACE_POLL_US) {
        assert_int_equal(look(scene), 1);
        scene->now_us += PACE_POLL_US;
    }
    assert_int_equal(look(scene), -EOVERFLOW);
}

static void what_was_missed_is_told_again_as_it_is_now(void **state)
{
    static const struct {
        const char *told, *again;
    } cases[] = {
        {"", ""},
        {"a1", "a1 "},
        {"a1 r1", ""},
        {"r1", "r1 "},
        {"r1 a2", "r1 a2 "},
        {"c1 r1", "r1 "},
        {"c1 c2 c1", "c2 c1 "},
        {"a1 c1 b1 c1", "a1 b1 c1 "},
        {"a1 c1 m1 r1", ""},
        {"c1 m1 r1", "m1 r1 "},
        {"m1 c1 m1", "m1 c1 m1 "},
        {"a1 m1 m1 r1", ""},
        {"a1 c1 a1", "a1 c1 "},
        {"a1 c1 a1 r1", ""},
        {"r1@p c3@q a2@p", "c3 r1 a2 "},
        {"r1@p a2@p c2@p r2@p", "r1 "},
        {"r1@p a2@q", "r1 a2 "},
        {"c3@q r1@p a2@p a3@q", "c3 r1 a2 a3 "},
        {"r1 a1", "r1 a1 "},
        {"r1 a1 r1", "r1 "},
        {"r1 a1 c1 r1 a1 c1", "r1 a1 c1 "},
        {"c1 r1 a1 c1", "r1 a1 c1 "},
        {"a1 a2 r1 a3 r3", "a2 "},
        {"a1 a1", "a1 "},
        {"u1 b1 u1 b1", "u1 b1 "},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct scene scene = {.now_us = 5};
        char text[64], *save = NULL;
        uint64_t told;
        fall_behind(&scene);
        snprintf(text, sizeof(text), "%s", cases[i].told);
        for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
            assert_int_equal(look(&scene), -EOVERFLOW);
            tell(&scene, word);
        }
        assert_false(catch_up(&scene, &told));
        assert_int_equal(told, 0);
        scene.room = 1000;
        assert_true(catch_up(&scene, &told));
        assert_string_equal(scene.told, cases[i].again);
        assert_int_equal(told, strlen(cases[i].again) / 3);
        assert_int_equal(look(&scene), 0);
        assert_null(scene.pace.missed.last);
    }
}

static void it_is_told_again_only_as_far_as_there_is_room(void **state)
{
    struct scene scene = {.now_us = 5};
    uint64_t told;
    (void)state;
    fall_behind(&scene);
    tell(&scene, "a1");
    tell(&scene, "a2");
    tell(&scene, "a3");
    scene.room = 2;
    assert_false(catch_up(&scene, &told));
    assert_string_equal(scene.told, "a1 a2 ");
    tell(&scene, "r1"); /* he knows it by now */
    tell(&scene, "r3"); /* but not this */
    scene.room = 1000;
    assert_true(catch_up(&scene, &told));
    assert_string_equal(scene.told, "r1 ");
}

/* Who has room for one message never hears that alone which is not true any more. */
static void a_device_that_was_replaced_goes_with_the_next_one_only(void **state)
{
    struct scene scene = {.now_us = 5};
    uint64_t told;
    (void)state;
    fall_behind(&scene);
    tell(&scene, "r1@p");
    tell(&scene, "a2@p");
    scene.room = 1;
    assert_false(catch_up(&scene, &told));
    assert_string_equal(scene.told, "a2 ");
    assert_int_equal(told, 1);
    scene.room = 1;
    assert_true(catch_up(&scene, &told));
    assert_int_equal(told, 0);
}

/* Somebody reads one message each second. */
static void who_is_slow_for_long_is_behind_as_well(void **state)
{
    struct scene scene = {.now_us = 5};
    unsigned events = 0;
    int r = 0;
    (void)state;
    for (unsigned waited = 0; r != -EOVERFLOW; scene.now_us += PACE_POLL_LAST_US) {
        scene.room = ++waited % 6 == 0;
        r = look(&scene);
        if (r == 0)
            events++, tell(&scene, "c1");
        assert_true(scene.now_us < (uint64_t)2 * PACE_BUDGET_US);
    }
    assert_true(scene.now_us > PACE_BUDGET_US);
    assert_true(events > 5);
    assert_true(scene.pace.behind);
    pace_done(&scene.pace);
}

/* Somebody has no room for a moment, now and then. */
static void who_is_slow_now_and_then_is_waited_for(void **state)
{
    struct scene scene = {.now_us = 5};
    (void)state;
    for (int i = 0; i < 1000; i++) {
        scene.room = 0;
        assert_int_equal(look(&scene), 1);
        scene.now_us += 100000;
        scene.room = 1;
        assert_int_equal(look(&scene), 0);
        tell(&scene, "c1");
        scene.now_us += 1200000;
    }
}

static void who_was_told_without_waiting_is_behind_as_well(void **state)
{
    struct scene scene = {.now_us = 5};
    uint64_t told;
    (void)state;
    assert_int_equal(look(&scene), 1);
    tell(&scene, "r1");
    assert_int_equal(look(&scene), -EOVERFLOW);
    scene.room = 1000;
    assert_true(catch_up(&scene, &told));
    assert_string_equal(scene.told, "r1 ");
    pace_done(&scene.pace);
}

static void what_is_left_goes_with_the_pace(void **state)
{
    struct scene scene = {.now_us = 5};
    (void)state;
    fall_behind(&scene);
    tell(&scene, "a1");
    tell(&scene, "a2");
    pace_done(&scene.pace);
    assert_null(scene.pace.missed.first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_answer_serves_as_many_as_have_room_for_a_moment),
        cmocka_unit_test(where_the_kernel_does_not_answer_nobody_waits),
        cmocka_unit_test(who_finds_no_room_waits_until_there_is_some),
        cmocka_unit_test(patience_begins_anew_where_nobody_waited_meanwhile),
        cmocka_unit_test(what_was_missed_is_told_again_as_it_is_now),
        cmocka_unit_test(it_is_told_again_only_as_far_as_there_is_room),
        cmocka_unit_test(a_device_that_was_replaced_goes_with_the_next_one_only),
        cmocka_unit_test(who_is_slow_for_long_is_behind_as_well),
        cmocka_unit_test(who_is_slow_now_and_then_is_waited_for),
        cmocka_unit_test(who_was_told_without_waiting_is_behind_as_well),
        cmocka_unit_test(what_is_left_goes_with_the_pace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
